"""tools/misc/check_media.py as a user runs it."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ..video_files import moving_frames, write_video

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'misc' / 'check_media.py'


@pytest.fixture(scope='module')
def tool():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location('check_media', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*args, num_workers=1, start=(str(TOOL),)):
    command = [sys.executable, *start, *map(str, args), '--num-workers', str(num_workers)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fill(folder):
    write_video(folder / 'clip.mp4', moving_frames(10), rate=20)
    soundfile.write(folder / 'tone.wav', np.full((4000, 2), 0.1), 8000)
    (folder / 'notes.txt').write_text('clip.mp4 0\ntone.wav 3 1\n')


def test_a_folder_without_problems(tmp_path):
    fill(tmp_path)
    result = run(tmp_path, '--out', tmp_path / 'out' / 'media.json')
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    header = ['file', 'MB', 'frames', 'fps', 'seconds', 'picture', 'sound', 'streams', 'problems', 'notes']
    assert rows[0] == header
    assert rows[1][0] == str(tmp_path / 'clip.mp4')
    assert rows[1][2:] == ['10', '20.00', '0.50', '64x48', '-', 'video', '1', 'h264']
    assert rows[2] == [
        *(str(tmp_path / 'tone.wav'), '0.02', '-', '-', '-', '-', '0.50'),
        *('audio', '1', 'pcm_s16le', '8000x2'),
    ]
    assert result.stdout.splitlines()[-1] == '2 of 2 files have no problem'
    report = json.loads((tmp_path / 'out' / 'media.json').read_text())
    assert report == {
        str(tmp_path / 'clip.mp4'): dict(
            bytes=(tmp_path / 'clip.mp4').stat().st_size,
            streams=[dict(kind='video', codec='h264')],
            video=dict(frames=10, fps=20.0, seconds=0.5, width=64, height=48),
            audio=None,
            problems=[],
            notes=[],
        ),
        str(tmp_path / 'tone.wav'): dict(
            bytes=16044,
            streams=[dict(kind='audio', codec='pcm_s16le', sample_rate=8000, channels=2)],
            video=None,
            audio=dict(sample_rate=8000, channels=2, samples=4000, seconds=0.5),
            problems=[],
            notes=[],
        ),
    }


def test_lists_and_single_files(tmp_path):
    fill(tmp_path)
    (tmp_path / 'bad.mp4').write_bytes(b'')
    args = (tmp_path / 'notes.txt', tmp_path / 'bad.mp4', tmp_path / 'clip.mp4', '--data-root', tmp_path)
    result = run(*args, '--reader', 'opencv')
    assert result.returncode == 1, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split()[0].rsplit('/')[-1] for line in lines[1:4]] == ['clip.mp4', 'tone.wav', 'bad.mp4']
    assert 'unreadable: Invalid data' in lines[3]
    assert lines[4] == '2 of 3 files have no problem'


def test_a_list_without_its_root(tmp_path):
    fill(tmp_path)
    result = run(tmp_path / 'notes.txt', '--data-root', tmp_path / 'elsewhere')
    assert result.returncode == 1
    assert result.stdout.count('unreadable: No such file or directory') == 2


@pytest.mark.parametrize(
    ('args', 'text'),
    [
        (['none.mp4'], 'none.mp4 does not exist'),
        (['.'], 'no video or sound file below'),
        (['list.txt'], "list.txt, line 1: expected 'path [frames] label'"),
        (['list.txt', '--reader', 'ffmpeg'], "invalid choice: 'ffmpeg'"),
        (['latin.txt'], 'latin.txt is not a text file in UTF-8'),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, args, text):
    (tmp_path / 'list.txt').write_text('clip.mp4\n')
    (tmp_path / 'latin.txt').write_bytes('Übung.mp4 1\n'.encode('latin-1'))
    result = run(*[arg if arg in ('--reader', 'ffmpeg') else tmp_path / arg for arg in args])
    assert result.returncode not in (0, None)
    assert text in result.stderr
    assert 'Traceback' not in result.stderr


@pytest.mark.parametrize(('out', 'text'), [('notes.txt/media.json', 'notes.txt'), ('.', 'it is a folder')])
def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path, out, text):
    fill(tmp_path)
    result = run(tmp_path, '--out', tmp_path / out)
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert f'--out {tmp_path / out} cannot be written: ' in last
    assert text in last.split('cannot be written: ')[1]
    assert result.stdout == ''
    assert 'Traceback' not in result.stderr


# Readers that fail as no test file does: a process that ends by a signal, and an error that no reader should raise.
FAILING = f"""
import multiprocessing, os, runpy, signal, sys
from mmmutual.datasets.readers import READERS, PyAVReader

def read(path):
    if 'crash' in path:
        os.kill(os.getpid(), signal.SIGKILL)
    if 'wrong' in path:
        raise LookupError('no such thing')
    return PyAVReader(path)

READERS['pyav'] = read
multiprocessing.set_start_method('fork')
sys.argv[0] = {str(TOOL)!r}
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='forks')
@pytest.mark.parametrize('num_workers', [1, 3])
def test_a_file_that_fails_as_none_should_costs_no_other(tmp_path, num_workers):
    for name in ('a.mp4', 'b_crash.mp4', 'c.mp4', 'd_wrong.mp4', 'e.mp4', 'f_crash.mp4', 'g.mp4'):
        write_video(tmp_path / name, moving_frames(4))
    out = tmp_path / 'media.json'
    result = run(tmp_path, '--out', out, num_workers=num_workers, start=('-c', FAILING))
    assert result.returncode == 1, result.stderr
    assert 'Traceback' not in result.stderr
    assert result.stdout.splitlines()[-1] == '4 of 7 files have no problem'
    report = {Path(path).stem: found for path, found in json.loads(out.read_text()).items()}
    assert {name: found['problems'] for name, found in report.items()} == dict(
        a=[],
        b_crash=['the decoder crashed'],
        c=[],
        d_wrong=['the check failed: LookupError: no such thing'],
        e=[],
        f_crash=['the decoder crashed'],
        g=[],
    )
    assert list(report) == sorted(report)
    assert report['g']['video']['frames'] == 4
    assert report['b_crash'].keys() == report['g'].keys()
    assert report['d_wrong']['streams'] == [dict(kind='video', codec='h264')]


def test_a_reader_that_is_not_installed_is_no_problem_of_a_file(tmp_path, tool, monkeypatch):
    fill(tmp_path)

    def missing(path):
        raise ImportError('no decord')

    monkeypatch.setitem(tool.READERS, 'decord', missing)
    with pytest.raises(ImportError, match='no decord'):
        tool.check(str(tmp_path / 'clip.mp4'), 'decord')


def test_links_to_nothing(tmp_path):
    fill(tmp_path)
    for name in ('gone.mp4', 'gone.txt'):
        try:
            (tmp_path / name).symlink_to(tmp_path / 'nowhere' / name)
        except OSError:
            pytest.skip('this system lets us make no links')
    (tmp_path / 'link.wav').symlink_to(tmp_path / 'tone.wav')
    result = run(tmp_path)
    assert result.returncode == 1
    rows = result.stdout.splitlines()
    assert [row.split()[0].rsplit('/')[-1] for row in rows[1:5]] == ['clip.mp4', 'gone.mp4', 'link.wav', 'tone.wav']
    assert 'unreadable: No such file or directory' in rows[2]
    assert rows[5] == '3 of 4 files have no problem'


@pytest.mark.skipif(sys.platform in ('win32', 'darwin'), reason='names of files are text here')
def test_names_that_are_no_text(tmp_path):
    fill(tmp_path)
    (tmp_path / 'tone.wav').rename(os.fsdecode(os.fsencode(tmp_path) + b'/\xff.wav'))
    result = run(tmp_path)
    assert result.returncode == 0, result.stderr
    assert '/\\udcff.wav' in result.stdout


def test_all_streams_are_told(tmp_path, tool):
    path = tmp_path / 'a.mov'
    with av.open(str(path), 'w') as file:
        video = file.add_stream('mpeg4', rate=25)
        video.width, video.height = 64, 48
        video.metadata['timecode'] = '01:00:00:00'  # becomes a stream of its own, of data
        sounds = [
            file.add_stream('pcm_s16le', rate=8000, layout='stereo'),
            file.add_stream('pcm_s16be', rate=16000, layout='mono'),
        ]
        for image in moving_frames(10):
            file.mux(video.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        for stream in sounds:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 6400), np.int16), format='s16', layout=stream.layout.name)
            frame.sample_rate = stream.rate
            file.mux(stream.encode(frame))
        for stream in (video, *sounds):
            file.mux(stream.encode())
    found = tool.check(str(path), 'pyav')
    assert found['problems'] == []
    assert found['streams'] == [
        dict(kind='video', codec='mpeg4'),
        dict(kind='audio', codec='pcm_s16le', sample_rate=8000, channels=2),
        dict(kind='audio', codec='pcm_s16be', sample_rate=16000, channels=1),
        dict(kind='data', codec=None),
    ]
    expected = 'video 1 mpeg4; audio 2 pcm_s16le 8000x2, pcm_s16be 16000x1; data 1 unknown'
    assert expected in tool.table({str(path): found})


@pytest.mark.parametrize(('samples', 'notes'), [(799, ['short, 799 samples']), (800, [])])
def test_short_sound_is_marked(tmp_path, tool, samples, notes):
    soundfile.write(tmp_path / 'a.wav', np.full(samples, 0.1), 8000)
    found = tool.check(str(tmp_path / 'a.wav'), 'pyav')
    assert found['notes'] == notes
    assert found['problems'] == []
    assert tool.table({'a.wav': found}).endswith(' '.join(notes))


# name -> (frames, problems); sound and video of each file are tested with the readers
ODD = {
    'zero_bytes.webm': (None, ['unreadable: Invalid data found when processing input']),
    'corrupt_chunk_out_of_range.mp4': (None, ['unreadable: Invalid data found when processing input']),
    'corrupt_empty_stsc.mp4': (None, ['unreadable: no frame decodes']),
    'truncated_half_of_abseiling.mp4': (None, ['unreadable: Invalid data found when processing input']),
    'truncated_half_of_mmaction2_test.avi': (77, ['truncated, 77 of 164']),
    'vfr_no_duration_header.webm': (74, []),
    'av1_noaudio.mkv': (125, []),
    'h264_10bit_noaudio.mp4': (30, []),
    'h265_10bit_noaudio.mp4': (30, []),
    'rotation_90_1frame.mp4': (1, []),
    'vertical_10fps_bento.mp4': (11, []),
    'one_frame_with_audio.mp4': (1, []),
    'one_by_one_pixel.mp4': (5, []),
    'blank_white_300f.mp4': (300, []),
    'audio_only.mp4': (None, ['no video stream']),
    'audio_only.webm': (None, ['no video stream']),
    'mp4_named_aac.aac': (None, []),
    'empty_header_only.wav': (None, ['empty audio']),
    'short_48_samples.wav': (None, []),
    'silence_2s.wav': (None, []),
    'pcm_u8_32k_stereo.wav': (None, []),
}


SHORT = {
    'short_48_samples.wav': ['short, 48 samples'],
    'one_frame_with_audio.mp4': ['short, 2048 samples'],
}


@pytest.mark.parametrize('name', ODD)
def test_odd_files(data_root, tool, name):
    found = tool.check(str(data_root / 'media' / 'odd' / name), 'pyav')
    frames, problems = ODD[name]
    assert (found['video'] and found['video']['frames']) == frames
    assert found['problems'] == problems
    assert found['notes'] == SHORT.get(name, [])
    json.dumps(found)


def test_the_odd_folder_as_a_whole(data_root):
    result = run(data_root / 'media' / 'odd')
    assert result.returncode == 1
    assert f'{len(ODD) - 8} of {len(ODD)} files have no problem' in result.stdout
    assert 'Traceback' not in result.stderr


@pytest.mark.parametrize(
    'name', ['mmaction2_test.avi', 'ucf101_v_Basketball_g01_c01.avi', 'flipping_a_pancake.mkv', 'mmaction2_test.wav']
)
def test_good_files(data_root, tool, name):
    assert tool.check(str(data_root / 'media' / 'good' / name), 'pyav')['problems'] == []


@pytest.mark.parametrize(('name', 'muxer'), [('a.mp4', {'movflags': 'faststart'}), ('a.mkv', {})])
def test_cut_off(tmp_path, tool, name, muxer):
    path = write_video(tmp_path / name, moving_frames(100), muxer=muxer)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = tool.check(str(path), 'pyav')
    frames = found['video']['frames']
    assert 30 < frames < 70
    if name == 'a.mp4':
        assert found['problems'] == [f'truncated, {frames} of 100']
    else:
        assert found['problems'] == [f'truncated, {frames / 25:.1f} of 4.0 s']


def test_frames_far_apart_are_no_lack(tmp_path, tool):
    # The header of an avi counts the places for frames, of which most are empty here.
    times = [0, 40, 80, 400, 440, 800, 840, 880, 1200, 1240]
    path = write_video(tmp_path / 'a.avi', moving_frames(10), codec='mpeg4', bf=0, times=times)
    found = tool.check(str(path), 'pyav')
    assert found['video']['frames'] == 10
    assert found['problems'] == []


def test_damage_inside(tmp_path, tool):
    path = write_video(tmp_path / 'a.mp4', moving_frames(40), gop=8, bf=0, x264_params='scenecut=0')
    with av.open(str(path)) as file:
        packets = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size in packets[16:24]:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    assert tool.check(str(path), 'pyav')['problems'] == ['damaged, 32 of 40']


def test_frames_of_two_sizes(tmp_path, tool):
    small = write_video(tmp_path / 'small.h264', moving_frames(5), bf=0)
    large = write_video(tmp_path / 'large.h264', moving_frames(5, width=96), bf=0)
    small.write_bytes(small.read_bytes() + large.read_bytes())
    assert tool.check(str(small), 'pyav')['problems'] == ['several sizes, 64x48, 96x48']


def test_sound_of_a_video_that_does_not_decode(tmp_path, tool, data_root):
    source = data_root / 'media' / 'odd' / 'vertical_10fps_bento.mp4'
    with av.open(str(source)) as file:
        packets = [(packet.pos, packet.size) for packet in file.demux(audio=0) if packet.size]
    data = bytearray(source.read_bytes())
    for position, size in packets:
        data[position : position + size] = b'\xff' * size
    path = tmp_path / 'a.mp4'
    path.write_bytes(data)
    found = tool.check(str(path), 'pyav')
    assert found['video']['frames'] == 11
    assert found['audio'] is None
    assert found['problems'] == ['sound: unreadable: no sound decodes']
