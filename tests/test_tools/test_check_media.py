"""tools/misc/check_media.py as a user runs it."""

import importlib.util
import json
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


def run(*args):
    command = [sys.executable, str(TOOL), *map(str, args), '--num-workers', '1']
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
    assert rows[0] == ['file', 'MB', 'frames', 'fps', 'seconds', 'picture', 'sound', 'Hz', 'channels', 'problems']
    assert rows[1][0] == str(tmp_path / 'clip.mp4')
    assert rows[1][2:] == ['10', '20.00', '0.50', '64x48', '-', '-', '-']
    assert rows[2] == [str(tmp_path / 'tone.wav'), '0.02', '-', '-', '-', '-', '0.50', '8000', '2']
    assert result.stdout.splitlines()[-1] == '2 of 2 files have no problem'
    report = json.loads((tmp_path / 'out' / 'media.json').read_text())
    assert report == {
        str(tmp_path / 'clip.mp4'): dict(
            bytes=(tmp_path / 'clip.mp4').stat().st_size,
            video=dict(frames=10, fps=20.0, seconds=0.5, width=64, height=48),
            audio=None,
            problems=[],
        ),
        str(tmp_path / 'tone.wav'): dict(
            bytes=16044,
            video=None,
            audio=dict(sample_rate=8000, channels=2, samples=4000, seconds=0.5),
            problems=[],
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
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, args, text):
    (tmp_path / 'list.txt').write_text('clip.mp4\n')
    result = run(*[tmp_path / arg if arg in ('none.mp4', '.', 'list.txt') else arg for arg in args])
    assert result.returncode not in (0, None)
    assert text in result.stderr
    assert 'Traceback' not in result.stderr


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


@pytest.mark.parametrize('name', ODD)
def test_odd_files(data_root, tool, name):
    found = tool.check(str(data_root / 'media' / 'odd' / name), 'pyav')
    frames, problems = ODD[name]
    assert (found['video'] and found['video']['frames']) == frames
    assert found['problems'] == problems
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
