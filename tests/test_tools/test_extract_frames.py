"""tools/data/extract_frames.py as a user runs it."""

import importlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mmmutual.datasets import VideoListDataset
from mmmutual.utils.frame_folders import list_images, read_frames, resize_height

from ..helpers import kill_when
from ..video_files import decode_all, moving_frames, write_video

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'data' / 'extract_frames.py'


@pytest.fixture(scope='module')
def tool():
    """The tool as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOL.parent)
        yield importlib.import_module('extract_frames')


def call(tool, monkeypatch, *args):
    """The tool's main function in this process."""
    monkeypatch.setattr(sys, 'argv', ['extract_frames.py', *map(str, args), '--num-workers', '1'])
    run_all = lambda function, items, *rest: {item: function(item) for item in items}  # noqa: E731
    monkeypatch.setattr('media_tree.run_jobs', run_all)
    return tool.main()


def stored(folder):
    return list(read_frames(list_images(folder)))


def test_a_tree_of_videos(tmp_path, tool, monkeypatch):
    source, out, listed = tmp_path / 'src', tmp_path / 'out', tmp_path / 'list.txt'
    write_video(source / 'a' / 'one.mp4', moving_frames(6))
    write_video(source / 'two.avi', moving_frames(4, seed=1), codec='mpeg4')
    (source / 'bad.mp4').write_bytes(b'')
    command = [sys.executable, str(TOOL), str(source), str(out), '--list', str(listed), '--num-workers', '2']
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr
    assert '2 of 3 sources have frames, 10 frames' in result.stdout
    assert 'bad.mp4: unreadable' in result.stderr
    assert listed.read_text().splitlines() == ['a/one 6', 'two 4']
    assert sorted(path.name for path in out.iterdir()) == ['a', 'extract_frames.json', 'two']
    assert [path.name for path in list_images(out / 'two')] == [f'img_{n:06d}.jpg' for n in (1, 2, 3, 4)]
    for frame, image in zip(decode_all(source / 'two.avi'), stored(out / 'two')):
        assert np.abs(frame.mean(axis=2) - image.mean(axis=2)).mean() < 4  # 8 to the next frame

    # again: what is there is left alone, what is missing is made
    kept = (out / 'two' / 'img_000001.jpg').stat().st_mtime_ns
    write_video(source / 'bad.mp4', moving_frames(3))
    assert call(tool, monkeypatch, source, out, '--list', listed) == 0
    assert (out / 'two' / 'img_000001.jpg').stat().st_mtime_ns == kept
    assert listed.read_text().splitlines() == ['a/one 6', 'bad 3', 'two 4']

    # with a label a line of the list is one of VideoListDataset
    listed.write_text(''.join(f'{line} 0\n' for line in listed.read_text().splitlines()))
    pipeline = [dict(type=name) for name in ('SampleSegments', 'LoadFrames', 'PackMultiModalInputs')]
    options = dict(ann_file=str(listed), kind='frames', data_prefix=str(out))
    dataset = VideoListDataset(modalities=dict(rgb=options), classes=1, pipeline=pipeline)
    assert dataset[2]['inputs']['rgb'].shape == (8, 3, 48, 64)


@pytest.mark.parametrize(
    ('options', 'size'),
    [
        ([], (48, 64)),
        (['--height', '24'], (24, 32)),
        (['--height', '31'], (31, 41)),  # 64 * 31 / 48 = 41.3
        (['--height', '96'], (96, 128)),
        (['--short-side', '24'], (24, 32)),
    ],
)
def test_size(tmp_path, tool, monkeypatch, options, size):
    write_video(tmp_path / 'src' / 'one.mp4', moving_frames(2))
    assert call(tool, monkeypatch, tmp_path / 'src', tmp_path / 'out', *options) == 0
    assert [image.shape for image in stored(tmp_path / 'out' / 'one')] == [(*size, 3)] * 2


def test_height_of_a_portrait_is_its_height(tmp_path, tool, monkeypatch):
    write_video(tmp_path / 'src' / 'one.mp4', moving_frames(1, width=48, height=64))
    for option, size in (('--height', (32, 24)), ('--short-side', (43, 32))):
        call(tool, monkeypatch, tmp_path / 'src', tmp_path / option, option, '32')
        assert stored(tmp_path / option / 'one')[0].shape == (*size, 3)


def test_template_quality_and_reader(tmp_path, tool, monkeypatch):
    write_video(tmp_path / 'src' / 'one.mp4', moving_frames(2))
    error = {}
    for quality in (20, 100):
        out = tmp_path / str(quality)
        options = ['--filename-tmpl', '{:03d}.jpg', '--quality', quality, '--reader', 'pyav']
        assert call(tool, monkeypatch, tmp_path / 'src', out, *options) == 0
        assert [path.name for path in list_images(out / 'one')] == ['001.jpg', '002.jpg']
        decoded = decode_all(tmp_path / 'src' / 'one.mp4')[0].astype(int)
        error[quality] = np.abs(decoded - stored(out / 'one')[0]).mean()
    assert error[100] < error[20] / 2
    with pytest.raises(SystemExit, match="made with .*'quality': 20.* not with .*'quality': 95"):
        call(tool, monkeypatch, tmp_path / 'src', tmp_path / '20', '--filename-tmpl', '{:03d}.jpg')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--height', '0'], '--height must be at least 1, got 0'),
        (['--short-side', '0'], '--short-side must be at least 1, got 0'),
        (['--height', '9', '--short-side', '9'], 'not allowed with argument'),
        (['--quality', '101'], '--quality must lie in [1, 100], got 101'),
        (['--filename-tmpl', 'img.jpg'], "one field for a number and a suffix of ('.jpg', '.jpeg', '.png')"),
        (['--filename-tmpl', '{:05d}'], "got '{:05d}'"),
        (['--filename-tmpl', 'img_{name}.jpg'], "got 'img_{name}.jpg'"),
        (['--filename-tmpl', 'x/{}.jpg'], "got 'x/{}.jpg'"),
        (['--reader', 'eyes'], "invalid choice: 'eyes'"),
        (['--num-workers', '0'], '--num-workers must be at least 1, got 0'),
    ],
)
def test_wrong_options(tmp_path, tool, monkeypatch, capsys, options, message):
    monkeypatch.setattr(sys, 'argv', ['extract_frames.py', str(tmp_path), str(tmp_path / 'out'), *options])
    with pytest.raises(SystemExit) as error:
        tool.main()
    assert error.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == 'win32', reason='kills by signal')
def test_a_killed_run_leaves_nothing_half_written(tmp_path, tool, monkeypatch, capsys):
    source, out = tmp_path / 'src', tmp_path / 'out'
    for index in range(3):
        write_video(source / f'{index}.mp4', moving_frames(90, width=96, height=80, seed=index))
    command = [sys.executable, str(TOOL), str(source), str(out), '--height', '320', '--num-workers', '1']
    kill_when(command, lambda: any(out.glob('*.partial/img_000020.jpg')))
    time.sleep(0.5)  # the worker notices
    finished = [path for path in out.iterdir() if path.is_dir() and path.suffix != '.partial']
    assert all(len(list(path.iterdir())) == 90 for path in finished)
    assert len(finished) < 3
    assert call(tool, monkeypatch, source, out, '--height', '320') == 0
    assert '3 of 3 sources have frames, 270 frames' in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ['0', '1', '2', 'extract_frames.json']


def test_real_videos_good_and_odd(data_root, tmp_path, tool, monkeypatch, capsys):
    assert call(tool, monkeypatch, data_root / 'media' / 'odd', tmp_path / 'out', '--height', '24') == 1
    captured = capsys.readouterr()
    assert captured.err.count('no video stream') == 2
    assert captured.err.count('unreadable') == 4
    assert '10 of 16 sources have frames' in captured.out
    (turned,) = stored(tmp_path / 'out' / 'rotation_90_1frame')
    assert turned.shape == (24, 14, 3)  # 60 wide and 100 high as displayed: 24 * 60 / 100 = 14.4
    clip = data_root / 'sthv2' / '166766.mp4'
    assert call(tool, monkeypatch, clip.parent, tmp_path / 'sthv2', '--height', '256') == 0
    frames = stored(tmp_path / 'sthv2' / '166766')
    assert len(frames) == 49
    assert frames[0].shape == (256, 455, 3)  # 427 * 256 / 240 = 455.47, as ffmpeg's scale=-1:256 gives
    decoded = resize_height(decode_all(clip)[20], 256)
    assert np.abs(decoded.astype(int) - frames[20]).mean() < 3
