"""Lists of the clips that are on disk."""

import pytest

from mmmutual.datasets import VideoListDataset
from mmmutual.datasets.annotations import Annotations, Clip, build_lists, input_options
from mmmutual.datasets.annotations.lists import SplitCounts, count_images, find_clips

from ...video_files import moving_frames, write_video

ANNOTATIONS = Annotations(
    ['Holding', 'Turning'],
    dict(train=[Clip('3', 1), Clip('1', 0), Clip('2', 1)], val=[Clip('4', 0)], test=[Clip('5', 0)]),
)
RGB, FLOW, VIDEO = input_options('rgb'), input_options('flow'), input_options('video')


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def frames(folder, count, template='img_{:06d}.jpg'):
    touch(folder, *(template.format(number) for number in range(1, count + 1)))


def flow(folder, count):
    for axis in 'xy':
        frames(folder, count, f'flow_{axis}_{{:05d}}.jpg')


def read(root, name):
    return (root / 'lists' / f'{name}.txt').read_text().splitlines()


@pytest.fixture
def root(tmp_path):
    """Clips 1 to 4 have frames, 1, 3 and 4 have flow, and nothing is there of test."""
    for key in '1234':
        frames(tmp_path / 'frames' / key, 3 + int(key))
        if key != '2':
            flow(tmp_path / 'flow' / key, 2 + int(key))
    return tmp_path


def test_images_are_counted_as_far_as_they_can_be_read(tmp_path):
    frames(tmp_path / 'rgb', 12)
    assert count_images(tmp_path / 'rgb', 'frames', 'img_{:06d}.jpg') == 12
    assert count_images(tmp_path / 'rgb', 'frames', 'img_{:05d}.jpg') == 0
    touch(tmp_path / 'rgb', 'img_000014.jpg', 'note.txt')
    assert count_images(tmp_path / 'rgb', 'frames', 'img_{:06d}.jpg') == 12
    flow(tmp_path / 'flow', 5)
    assert count_images(tmp_path / 'flow', 'flow_frames', 'flow_{axis}_{:05d}.jpg') == 5
    assert count_images(tmp_path / 'flow', 'flow_frames', '{video}_{axis}_{:05d}.jpg') == 5
    (tmp_path / 'flow' / 'flow_y_00004.jpg').unlink()
    assert count_images(tmp_path / 'flow', 'flow_frames', 'flow_{axis}_{:05d}.jpg') == 3


def test_clips_are_found_at_any_depth(tmp_path):
    touch(tmp_path / 'train' / 'b', 'img.jpg')
    touch(tmp_path / 'a', 'c')
    touch(tmp_path / 'd.partial', 'img.jpg')
    assert find_clips(tmp_path, {'a', 'b', 'c', 'd'}, 'frames') == {'a': 'a', 'b': 'train/b'}
    touch(tmp_path / 'some class', 'v.1.webm', 'w.MP4', 'x.txt')
    found = find_clips(tmp_path, {'v.1', 'w', 'x', 'y'}, 'video')
    assert found == {'v.1': 'some class/v.1.webm', 'w': 'some class/w.MP4'}
    touch(tmp_path / 'other class' / 'b')
    with pytest.raises(ValueError, match="both have the name of the clip 'b'"):
        find_clips(tmp_path, {'a', 'b'}, 'frames')
    with pytest.raises(FileNotFoundError, match="none, where the media of kind 'video'"):
        find_clips(tmp_path / 'none', {'a'}, 'video')


def test_linked_folders_are_followed(tmp_path):
    frames(tmp_path / 'disk' / 'a', 2)
    (tmp_path / 'root').mkdir()
    (tmp_path / 'root' / 'train').symlink_to(tmp_path / 'disk')
    assert find_clips(tmp_path / 'root', {'a'}, 'frames') == {'a': 'train/a'}


def test_a_clip_that_one_input_lacks_is_left_out_of_all(root):
    counts = build_lists(ANNOTATIONS, root, dict(rgb=RGB, flow=FLOW))
    assert counts == {
        'train': SplitCounts(3, dict(rgb=0, flow=1), 2),
        'val': SplitCounts(1, dict(rgb=0, flow=0), 1),
        'test': SplitCounts(1, dict(rgb=1, flow=1), 0),
    }
    assert read(root, 'train_rgb') == ['3 6 1', '1 4 0']
    assert read(root, 'train_flow') == ['3 5 1', '1 3 0']
    assert read(root, 'val_rgb') == ['4 7 0']
    assert (root / 'classes.txt').read_text() == 'Holding\nTurning\n'
    written = {file.name for file in (root / 'lists').iterdir()}
    assert written == {f'{split}_{name}.txt' for split in ('train', 'val') for name in ('rgb', 'flow')}


def test_videos(root):
    for key, count in (('1', 4), ('2', 7)):
        write_video(root / 'videos' / f'{key}.mp4', moving_frames(count))
    touch(root / 'videos', '3.mp4')  # nothing can be read of it
    counts = build_lists(ANNOTATIONS, root, dict(rgb=RGB, video=VIDEO))
    assert read(root, 'train_video') == ['1.mp4 4 0', '2.mp4 7 1']
    assert read(root, 'train_rgb') == ['1 4 0', '2 5 1']
    assert counts['train'].missing == dict(rgb=0, video=1)


def test_the_data_set_reads_the_lists(root):
    build_lists(ANNOTATIONS, root, dict(rgb=RGB, flow=FLOW), num_workers=2)
    modalities = {
        name: dict(options, ann_file=f'lists/train_{name}.txt') for name, options in dict(rgb=RGB, flow=FLOW).items()
    }
    dataset = VideoListDataset(modalities, 'classes.txt', data_root=str(root), pipeline=[])
    dataset.check_media()
    items = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert [(item['key'], item['gt_label']) for item in items] == [('3', 1), ('1', 0)]
    assert items[0]['sources']['flow']['num_frames'] == 5


def test_empty_folder_is_missing(root):
    (root / 'frames' / '5').mkdir()
    assert build_lists(ANNOTATIONS, root, dict(rgb=RGB))['test'] == SplitCounts(1, dict(rgb=1), 0)


def test_other_names_of_images(root):
    with pytest.raises(
        ValueError, match=r'none of 5 annotated clips \(1, ...\) is there.*frames with images {:05d}.jpg'
    ):
        build_lists(ANNOTATIONS, root, dict(rgb=input_options('rgb', '{:05d}.jpg')))
    assert not (root / 'classes.txt').exists()
    frames(root / 'frames' / '5', 8, '{:05d}.jpg')
    build_lists(ANNOTATIONS, root, dict(rgb=input_options('rgb', '{:05d}.jpg')))
    assert read(root, 'test_rgb') == ['5 8 0']
    with pytest.raises(ValueError, match="filename_tmpl of modality 'flow' must hold"):
        input_options('flow', 'flow_{:05d}.jpg')


def test_clip_twice(root):
    with pytest.raises(ValueError, match=r"split val names clips twice: \['4'\]"):
        build_lists(Annotations(['a'], dict(val=[Clip('4', 0), Clip('4', 0)])), root, dict(rgb=RGB))


def test_no_annotation(root):
    with pytest.raises(ValueError, match='none of 0 annotated clips'):
        build_lists(Annotations([], dict(train=[])), root, dict(rgb=RGB))


def test_splits_in_folders(root):
    splits = {'split1/train': [Clip('1', 0)], 'split2/train': [Clip('1', 0), Clip('2', 1)]}
    build_lists(Annotations(['a', 'b'], splits), root, dict(rgb=RGB))
    assert read(root, 'split1/train_rgb') == ['1 4 0']
    assert read(root, 'split2/train_rgb') == ['1 4 0', '2 5 1']
