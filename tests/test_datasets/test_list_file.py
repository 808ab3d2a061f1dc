import pytest

from mmmutual.datasets import list_file
from mmmutual.datasets.list_file import ListEntry, join_lists, key_of, read_list


@pytest.fixture
def write(tmp_path):
    def _write(text, name='list.txt'):
        file = tmp_path / name
        file.write_text(text, encoding='utf-8')
        return file

    return _write


def test_folders(write):
    file = write('78687 42 0\n\na folder with blanks\t35   91\r\n  über 7 3  \n')
    assert read_list(file, 'frames') == [
        ListEntry('78687', 42, 0, 1),
        ListEntry('a folder with blanks', 35, 91, 3),
        ListEntry('über', 7, 3, 4),
    ]


def test_videos_with_and_without_frame_counts(write):
    file = write('a.mp4 3\nb.mp4 70 4\nmy clip 2.mp4 5\nmy clip 2.mp4 60 6\n')
    assert read_list(file, 'video') == [
        ListEntry('a.mp4', None, 3, 1),
        ListEntry('b.mp4', 70, 4, 2),
        ListEntry('my clip 2.mp4', None, 5, 3),
        ListEntry('my clip 2.mp4', 60, 6, 4),
    ]


def test_sound_with_and_without_numbers_of_samples(write):
    file = write('a.wav 3\nmy sound 2.wav 32000 4\n')
    assert read_list(file, 'audio') == [ListEntry('a.wav', None, 3, 1), ListEntry('my sound 2.wav', 32000, 4, 2)]
    with pytest.raises(ValueError, match=r"line 1: expected 'path \[samples\] label'.*'a.wav'"):
        read_list(write('a.wav\n'), 'audio')


def test_byte_order_mark_is_no_part_of_the_first_path(write):
    assert read_list(write('\ufeffa.mp4 3\n'), 'video')[0].path == 'a.mp4'


def test_list_in_another_encoding_is_named(tmp_path):
    (tmp_path / 'list.txt').write_bytes('Übung.mp4 3\n'.encode('latin-1'))
    with pytest.raises(ValueError, match=r'list\.txt is not a text file in UTF-8'):
        read_list(tmp_path / 'list.txt', 'video')


def test_missing_list(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.txt does not exist'):
        read_list(tmp_path / 'none.txt', 'video')


@pytest.mark.parametrize('text', ['', '\n \n'])
def test_empty_list(write, text):
    with pytest.raises(ValueError, match='list.txt is empty'):
        read_list(write(text), 'video')


@pytest.mark.parametrize(
    ('kind', 'line'),
    [
        ('frames', 'clip 4'),
        ('frames', 'clip many 4'),
        ('frames', 'clip 10 four'),
        ('frames', 'clip 10 -4'),
        ('frames', 'clip -10 4'),
        ('flow_frames', 'clip 4'),
        ('flow_frames', '10 4'),
        ('video', 'a.mp4'),
        ('video', 'a.mp4 dog'),
        ('video', 'a.mp4 1.5'),
        ('video', 'a.mp4 -2 3'),
        ('video', 'a.mp4 -3'),
    ],
)
def test_malformed_line_is_named(write, kind, line):
    layout = r'path \[frames\] label' if kind == 'video' else 'folder frames label'
    with pytest.raises(ValueError, match=f"list.txt, line 2: expected '{layout}'.*'{line}'"):
        read_list(write(f'good 5 0\n{line}\n'), kind)


def test_keys():
    assert key_of('Class/v_1.part.avi', 'video') == 'v_1.part'
    assert key_of('Class/v_1.part.wav', 'audio') == 'v_1.part'
    assert key_of('Class/v_1.part.avi', 'video_flow') == 'v_1.part'
    assert key_of('Class/v_1.part', 'frames') == 'v_1.part'
    assert key_of('Class/v_1.part', 'frames_flow') == 'v_1.part'
    assert key_of('Class/v_1.part/', 'flow_frames') == 'v_1.part'


FILES = dict(rgb='rgb.txt', flow='flow.txt')
KINDS = dict(rgb='video', flow='flow_frames')


def entries(*items):
    return [ListEntry(path, 10, label, line) for line, (path, label) in enumerate(items, start=1)]


def test_join_by_key_keeps_the_order_of_the_first_list():
    lists = dict(rgb=entries(('b.mp4', 1), ('a.mp4', 0)), flow=entries(('x/a', 0), ('x/b', 1)))
    joined = join_lists(lists, KINDS, FILES)
    assert [(key, row['rgb'].path, row['flow'].path) for key, row in joined] == [
        ('b', 'b.mp4', 'x/b'),
        ('a', 'a.mp4', 'x/a'),
    ]


def test_join_by_line():
    lists = dict(rgb=entries(('one.mp4', 1), ('one.mp4', 0)), flow=entries(('f7', 1), ('f8', 0)))
    joined = join_lists(lists, KINDS, FILES, key='line')
    assert [(key, row['flow'].path) for key, row in joined] == [('one', 'f7'), ('one', 'f8')]


def test_lists_of_different_length_name_what_is_missing():
    lists = dict(rgb=entries(*((f'{i}.mp4', 0) for i in range(9))), flow=entries(('0', 0), ('new', 0)))
    with pytest.raises(ValueError, match='rgb.txt has 9, flow.txt has 2; 8 only in the first') as error:
        join_lists(lists, KINDS, FILES)
    assert "['1', '2', '3', '4', '5']" in str(error.value)
    assert "1 only in the second ['new']" in str(error.value)
    with pytest.raises(ValueError, match="same number of lines, got {'rgb.txt': 9, 'flow.txt': 2}"):
        join_lists(lists, KINDS, FILES, key='line')


def test_same_length_with_other_clips_is_refused_too():
    with pytest.raises(ValueError, match=r"1 only in the first \['a'\], 1 only in the second \['b'\]"):
        join_lists(dict(rgb=entries(('a.mp4', 0)), flow=entries(('b', 0))), KINDS, FILES)


def test_clips_that_are_not_in_every_list_are_left_out_if_asked_for(monkeypatch):
    said = []
    monkeypatch.setattr(list_file, 'print_log', lambda text, logger: said.append(text))
    lists = dict(rgb=entries(('c.mp4', 2), ('a.mp4', 0), ('b.mp4', 1)), flow=entries(('b', 1), ('d', 0), ('c', 2)))
    joined = join_lists(lists, KINDS, FILES, unmatched='drop')
    assert [(key, row['flow'].path) for key, row in joined] == [('c', 'c'), ('b', 'b')]
    assert said == ["clips that are not in every list are left out: {'rgb.txt': 1, 'flow.txt': 1}"]
    with pytest.raises(ValueError, match=r"none is in all of \['rgb.txt', 'flow.txt'\]"):
        join_lists(dict(rgb=entries(('a.mp4', 0)), flow=entries(('b', 0))), KINDS, FILES, unmatched='drop')


def test_key_twice_in_a_list():
    lists = dict(rgb=entries(('a.mp4', 0), ('b.mp4', 0), ('sub/a.avi', 0)))
    with pytest.raises(ValueError, match=r"rgb.txt: lines 1 and 3 both have the key 'a' \(a.mp4, sub/a.avi\).*line"):
        join_lists(lists, KINDS, FILES)


@pytest.mark.parametrize('key', ['stem', 'line'])
def test_labels_that_disagree(key):
    lists = dict(rgb=entries(('a.mp4', 2)), flow=entries(('a', 3)))
    with pytest.raises(ValueError, match="label of 'a'.*2 in rgb.txt, line 1, 3 in flow.txt, line 1"):
        join_lists(lists, KINDS, FILES, key=key)


def test_real_list_of_videos(data_root):
    entries = read_list(data_root / 'ucf101' / 'trainlist01.txt', 'video')
    assert len(entries) == 9537
    assert entries[0] == ListEntry('ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi', None, 1, 1)
    joined = join_lists(dict(rgb=entries), dict(rgb='video'), dict(rgb='trainlist01.txt'))
    assert joined[0][0] == 'v_ApplyEyeMakeup_g08_c01'
