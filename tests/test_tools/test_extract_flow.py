"""tools/data/extract_flow.py as a user runs it."""

import importlib
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmmutual.utils.frame_folders import list_images, save_frames
from mmmutual.utils.optical_flow import iter_flow

from ..helpers import kill_when
from ..video_files import decode_all, moving_frames, write_video

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'data' / 'extract_flow.py'


@pytest.fixture(scope='module')
def tool():
    """The tool as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOL.parent)
        yield importlib.import_module('extract_flow')


def run(*args):
    command = [sys.executable, str(TOOL), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fill(folder):
    write_video(folder / 'a' / 'one.mp4', moving_frames(6))
    write_video(folder / 'two.avi', moving_frames(4, seed=1), codec='mpeg4')
    write_video(folder / 'two.mkv', moving_frames(5, seed=2))
    (folder / 'bad.mp4').write_bytes(b'')
    write_video(folder / 'single.mp4', moving_frames(1))
    (folder / 'notes.txt').write_text('no video')


def test_a_tree_of_videos(tmp_path, tool, monkeypatch):
    source, out = tmp_path / 'src', tmp_path / 'out'
    fill(source)
    result = run(source, out, '--list', tmp_path / 'list.txt', '--num-workers', 1)
    assert result.returncode == 1, result.stderr
    assert '3 of 5 sources have flow, 12 pairs' in result.stdout
    assert 'bad.mp4: unreadable' in result.stderr
    assert 'single.mp4' in result.stderr
    assert 'at least 2 frames' in result.stderr
    assert (tmp_path / 'list.txt').read_text().splitlines() == ['a/one 5', 'two.avi 3', 'two.mkv 4']
    assert sorted(path.name for path in out.iterdir()) == ['a', 'extract_flow.json', 'two.avi', 'two.mkv']
    expected = list(iter_flow(decode_all(source / 'two.mkv')))
    for number, pair in enumerate(expected, start=1):
        for axis, image in zip('xy', pair):
            stored = cv2.imread(str(out / 'two.mkv' / f'flow_{axis}_{number:05d}.jpg'), cv2.IMREAD_UNCHANGED)
            assert np.abs(stored.astype(int) - image).mean() < 1
    assert len(list((out / 'two.mkv').iterdir())) == 2 * len(expected)

    # again: what is there is left alone, what was removed is made anew
    kept = (out / 'a' / 'one' / 'flow_x_00001.jpg').stat().st_mtime_ns
    for image in (out / 'two.avi').iterdir():
        image.unlink()
    (out / 'two.avi').rmdir()
    (source / 'bad.mp4').unlink()
    (source / 'single.mp4').unlink()
    assert call(tool, monkeypatch, source, out, '--list', tmp_path / 'list.txt') == 0
    assert (out / 'a' / 'one' / 'flow_x_00001.jpg').stat().st_mtime_ns == kept
    assert len(list((out / 'two.avi').iterdir())) == 6
    assert (tmp_path / 'list.txt').read_text().splitlines() == ['a/one 5', 'two.avi 3', 'two.mkv 4']


def test_options_change_the_images(tmp_path, tool, monkeypatch):
    source = tmp_path / 'src'
    write_video(source / 'one.mp4', moving_frames(3, width=128, height=96, step=3))
    median = {}
    for name, options in {
        'plain': [],
        'bound': ['--bound', '5'],
        'small': ['--short-side', '48'],
        'farneback': ['--algorithm', 'farneback'],
        'tvl1': ['--algorithm', 'tvl1'],
    }.items():
        call(tool, monkeypatch, source, tmp_path / name, *options)
        image = cv2.imread(str(tmp_path / name / 'one' / 'flow_x_00001.jpg'), cv2.IMREAD_UNCHANGED)
        assert image.shape == ((48, 64) if name == 'small' else (96, 128))
        median[name] = np.median(image) - 128
    assert median['plain'] == pytest.approx(3 * 127.5 / 20, abs=2)
    assert median['bound'] == pytest.approx(3 * 127.5 / 5, abs=6)
    assert median['small'] == pytest.approx(1.5 * 127.5 / 20, abs=2)
    assert median['farneback'] == pytest.approx(3 * 127.5 / 20, abs=3)
    assert median['tvl1'] == pytest.approx(3 * 127.5 / 20, abs=2)
    with pytest.raises(SystemExit, match="made with .*'bound': 20.0.* not with .*'bound': 5.0"):
        call(tool, monkeypatch, source, tmp_path / 'plain', '--bound', '5')


def call(tool, monkeypatch, *args):
    """The tool's main function in this process."""
    monkeypatch.setattr(sys, 'argv', ['extract_flow.py', *map(str, args), '--num-workers', '1'])
    run_all = lambda function, items, *rest: {item: function(item) for item in items}  # noqa: E731
    monkeypatch.setattr('media_tree.run_jobs', run_all)
    return tool.main()


def test_folders_of_frames(tmp_path, tool, monkeypatch):
    frames = moving_frames(12)
    save_frames(tmp_path / 'src' / 'x' / 'clip', frames, filename_tmpl='{}.png')  # 10.png sorts before 2.png as text
    write_video(tmp_path / 'src' / 'ignored.mp4', frames)
    assert call(tool, monkeypatch, tmp_path / 'src', tmp_path / 'out', '--frames') == 0
    assert [path.name for path in (tmp_path / 'out').iterdir() if path.is_dir()] == ['x']
    stored = [path.name for path in list_images(tmp_path / 'out' / 'x' / 'clip')]
    assert stored[:2] == ['flow_x_00001.jpg', 'flow_x_00002.jpg']
    assert len(stored) == 22
    for number, (x, _) in enumerate(iter_flow(frames), start=1):
        image = cv2.imread(str(tmp_path / 'out' / 'x' / 'clip' / f'flow_x_{number:05d}.jpg'), cv2.IMREAD_UNCHANGED)
        assert np.abs(image.astype(int) - x).mean() < 1


def test_a_source_that_is_itself_a_folder_of_frames(tmp_path, tool, monkeypatch):
    save_frames(tmp_path / 'clip', moving_frames(3))
    assert call(tool, monkeypatch, tmp_path / 'clip', tmp_path / 'out', '--frames', '--ext', 'JPG') == 0
    assert len(list((tmp_path / 'out' / 'clip').iterdir())) == 4


def test_folders_of_frames_in_one_another_are_refused(tmp_path, tool, monkeypatch):
    save_frames(tmp_path / 'src' / 'x', moving_frames(3))
    save_frames(tmp_path / 'src' / 'x' / 'y', moving_frames(3))
    with pytest.raises(SystemExit, match='x holds images and folders of images'):
        call(tool, monkeypatch, tmp_path / 'src', tmp_path / 'out', '--frames')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--algorithm', 'brox'], "invalid choice: 'brox'"),
        (['--bound', '0'], '--bound must be positive, got 0'),
        (['--short-side', '4'], '--short-side must be at least 16, got 4'),
        (['--num-workers', '0'], '--num-workers must be at least 1, got 0'),
    ],
)
def test_wrong_options(tmp_path, tool, monkeypatch, capsys, options, message):
    monkeypatch.setattr(sys, 'argv', ['extract_flow.py', str(tmp_path), str(tmp_path / 'out'), *options])
    with pytest.raises(SystemExit) as error:
        tool.main()
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_tvl1_without_the_extra_modules_of_opencv(tmp_path, tool, monkeypatch, capsys):
    monkeypatch.delattr(cv2, 'optflow', raising=False)
    with pytest.raises(SystemExit) as error:
        call(tool, monkeypatch, tmp_path, tmp_path / 'out', '--algorithm', 'tvl1')
    assert error.value.code == 2
    assert f"pip install 'opencv-contrib-python=={cv2.__version__}.*'" in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_nothing_to_do_is_an_error(tmp_path, tool, monkeypatch):
    with pytest.raises(SystemExit, match=r'no video below .* with suffix .mp4'):
        call(tool, monkeypatch, tmp_path, tmp_path / 'out', '--ext', 'mp4')
    monkeypatch.setattr(sys, 'argv', ['extract_flow.py', str(tmp_path / 'none'), str(tmp_path / 'out')])
    with pytest.raises(SystemExit):
        tool.main()


@pytest.mark.skipif(sys.platform == 'win32', reason='kills by signal')
def test_a_killed_run_leaves_nothing_half_written(tmp_path, tool, monkeypatch, capsys):
    source, out = tmp_path / 'src', tmp_path / 'out'
    for index in range(6):
        write_video(source / f'{index}.mp4', moving_frames(150, width=160, height=128, seed=index))
    kill_when([sys.executable, str(TOOL), str(source), str(out)], lambda: any(out.glob('*/flow_y_00149.jpg')))
    time.sleep(0.5)  # the workers notice
    finished = [path for path in out.iterdir() if path.is_dir() and path.suffix != '.partial']
    assert all(len(list(path.iterdir())) == 298 for path in finished)
    assert len(finished) < 6
    assert call(tool, monkeypatch, source, out) == 0
    assert '6 of 6 sources have flow, 894 pairs' in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ['0', '1', '2', '3', '4', '5', 'extract_flow.json']
    assert all(len(list((out / str(index)).iterdir())) == 298 for index in range(6))


def test_real_odd_files(data_root, tmp_path, tool, monkeypatch, capsys):
    assert call(tool, monkeypatch, data_root / 'media' / 'odd', tmp_path / 'out', '--short-side', '32') == 1
    captured = capsys.readouterr()
    assert '8 of 16 sources have flow, 644 pairs' in captured.out
    assert captured.err.count('no video stream') == 2
    assert captured.err.count('unreadable') == 4
    assert captured.err.count('at least 2 frames') == 2
