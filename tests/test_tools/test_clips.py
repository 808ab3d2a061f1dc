"""tools/data/clips/prepare.py as a user runs it: the arrow-of-time data set."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmmutual.utils.frame_folders import list_images, read_frames
from mmmutual.utils.optical_flow import iter_flow

from ..helpers import kill_when
from ..video_files import decode_all, moving_frames, write_video

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'data' / 'clips' / 'prepare.py'
SMALL = ['--window', '8', '--short-side', '32']


@pytest.fixture
def tool(monkeypatch):
    """The tool as a module, with its folder on the path as when it is run."""
    monkeypatch.syspath_prepend(str(TOOL.parent))
    return importlib.import_module('prepare')


def run(*args):
    command = [sys.executable, str(TOOL), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def call(tool, monkeypatch, *args):
    """The tool's main function in this process."""
    monkeypatch.setattr(sys, 'argv', ['prepare.py', *map(str, args)])
    monkeypatch.setattr(tool, 'run_jobs', lambda function, items, *rest: {item: function(item) for item in items})
    return tool.main()


def fill(folder, count=4):
    for index in range(count):
        write_video(folder / f'video_{index}.mp4', moving_frames(20 + index, seed=index))


def read_list(out, name):
    return [line.split() for line in (out / 'lists' / f'{name}.txt').read_text().splitlines()]


def images(folder):
    return list(read_frames(list_images(folder)))


def tree(folder):
    """Relative path -> content of all files."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_what_a_user_gets(tmp_path):
    source, out = tmp_path / 'src', tmp_path / 'out'
    fill(source)
    write_video(source / 'short.mp4', moving_frames(7))
    (source / 'bad.avi').write_bytes(b'nothing')
    result = run(source, '--out', out, *SMALL)
    assert result.returncode == 1, result.stderr  # for the unreadable one
    assert 'train: 3 videos, 6 windows, 18 clips' in result.stdout
    assert 'val: 1 videos, 2 windows, 6 clips' in result.stdout
    assert 'bad.avi' in result.stderr
    assert 'fewer than 8 frames' in result.stderr
    assert (out / 'classes.txt').read_text() == 'forward\nreversed\nstill\n'

    lists = {name: read_list(out, name) for name in ('train_rgb', 'train_flow', 'val_rgb', 'val_flow')}
    for part in ('train', 'val'):
        assert [path.split('/')[1] for path, _, _ in lists[f'{part}_rgb']] == [
            path.split('/')[1] for path, _, _ in lists[f'{part}_flow']
        ]
    for name, lines in lists.items():
        for path, count, label in lines:
            assert path.split('/')[0] == ('flow' if name.endswith('flow') else 'frames')
            files = list_images(out / path)
            assert len(files) == (2 if name.endswith('flow') else 1) * int(count)
            assert int(count) == (7 if name.endswith('flow') else 8)
            assert path.endswith(('_forward', '_reversed', '_still')[int(label)])
    # whole videos are held out
    owner = {part: {path.split('/')[1][:7] for path, _, _ in lists[f'{part}_rgb']} for part in ('train', 'val')}
    assert not owner['train'] & owner['val']
    check_clips(out, decode_all(source / 'video_0.mp4'))


def check_clips(out, video):
    """The clips of video_0 against the video itself."""
    for start in (0, 8):
        window = [cv2.resize(frame, (43, 32), interpolation=cv2.INTER_AREA) for frame in video[start : start + 8]]
        expected = {'forward': window, 'reversed': window[::-1], 'still': [window[4]] * 8}
        for label, frames in expected.items():
            name = f'video_0_{start:06d}_{label}'
            for stored, frame in zip(images(out / 'frames' / name), frames):
                # JPEG loses something, but less than what lies between two frames
                loss = [np.abs(stored.astype(int) - other).mean() for other in window]
                np.testing.assert_array_equal(window[np.argmin(loss)], frame)
            for number, pair in enumerate(iter_flow(frames), start=1):
                for axis, flow in zip('xy', pair):
                    file = out / 'flow' / name / f'flow_{axis}_{number:05d}.jpg'
                    image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
                    assert np.abs(image.astype(int) - flow).mean() < 1
    assert not (out / 'frames' / 'video_0_000016_forward').exists()


def test_flow_tells_the_direction(tmp_path, tool, monkeypatch):
    for index in range(2):
        write_video(tmp_path / 'src' / f'{index}.mp4', moving_frames(8, width=96, height=64, step=2, seed=index))
    assert (
        call(tool, monkeypatch, tmp_path / 'src', '--out', tmp_path / 'out', '--window', '8', '--short-side', '64') == 0
    )
    medians = {}
    for label in ('forward', 'reversed', 'still'):
        flow = cv2.imread(str(tmp_path / 'out' / 'flow' / f'0_000000_{label}' / 'flow_x_00003.jpg'), 0)
        medians[label] = np.median(flow) - 128
    assert medians['forward'] == pytest.approx(2 * 127.5 / 20, abs=2)
    assert medians['reversed'] == pytest.approx(-2 * 127.5 / 20, abs=2)
    assert medians['still'] == 0


def test_again_changes_nothing_and_a_lost_clip_comes_back(tmp_path, tool, monkeypatch):
    source, out = tmp_path / 'src', tmp_path / 'out'
    fill(source, 3)
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 0
    before = tree(out)
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 0
    assert tree(out) == before
    # as after a kill in the middle of a video
    (out / 'videos' / 'video_1.json').unlink()
    for folder in (out / 'flow' / 'video_1_000008_reversed', out / 'frames' / 'video_1_000008_still'):
        folder.rename(f'{folder}.partial')
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 0
    assert tree(out) == before


@pytest.mark.skipif(sys.platform == 'win32', reason='kills by signal')
def test_a_killed_run_is_finished_by_the_next(tmp_path, tool, monkeypatch):
    source, killed, whole = tmp_path / 'src', tmp_path / 'killed', tmp_path / 'whole'
    for index in range(3):
        write_video(source / f'{index}.mp4', moving_frames(120, width=128, height=96, seed=index))
    options = ['--window', '16', '--short-side', '96']
    command = [sys.executable, str(TOOL), str(source), '--out', str(killed), *options]
    kill_when(command, lambda: len(list(killed.glob('flow/*'))) >= 3)
    time.sleep(0.5)  # the workers notice
    assert not (killed / 'lists').exists()
    assert call(tool, monkeypatch, source, '--out', killed, *options) == 0
    assert call(tool, monkeypatch, source, '--out', whole, *options) == 0
    assert tree(killed) == tree(whole)


def test_split_is_by_seed_and_fraction(tool):
    videos = list('abcdefgh')
    first = tool.split(videos, 0.25, 0)
    assert {name: len(part) for name, part in first.items()} == {'train': 6, 'val': 2}
    assert sorted(first['train'] + first['val']) == videos
    assert tool.split(videos, 0.25, 0) == first
    assert {tuple(tool.split(videos, 0.25, seed)['val']) for seed in range(20)} > {tuple(first['val'])}
    # at least one on either side
    assert [len(tool.split(list('ab'), fraction, 0)['val']) for fraction in (0.01, 0.99)] == [1, 1]


def test_windows_and_stride(tool):
    cut = importlib.import_module('arrow_of_time').cut_windows
    frames = [np.full((20, 30, 3), index, np.uint8) for index in range(11)]

    def numbers(length, stride):
        windows = cut(iter(frames), length, stride, 16)
        return [(window.start, [int(frame[0, 0, 0]) for frame in window.frames]) for window in windows]

    assert numbers(4, 4) == [(0, [0, 1, 2, 3]), (4, [4, 5, 6, 7])]
    assert numbers(4, 3) == [(0, [0, 1, 2, 3]), (3, [3, 4, 5, 6]), (6, [6, 7, 8, 9])]
    assert numbers(3, 5) == [(0, [0, 1, 2]), (5, [5, 6, 7])]
    assert numbers(12, 1) == []
    assert next(cut(iter(frames), 4, 4, 16)).frames[0].shape == (16, 24, 3)


def test_several_roots_and_equal_names(tmp_path, tool, monkeypatch):
    first, second = tmp_path / 'one', tmp_path / 'two'
    write_video(first / 'sub' / 'my clip.mp4', moving_frames(8))
    write_video(first / 'sub' / 'my clip.avi', moving_frames(8, seed=1), codec='mpeg4')
    write_video(second / 'sub' / 'my_clip.mp4', moving_frames(8, seed=2))
    # a root inside another one adds nothing
    assert call(tool, monkeypatch, first, second, first / 'sub', '--out', tmp_path / 'out', *SMALL) == 0
    names = json.loads((tmp_path / 'out' / 'settings.json').read_text())['videos']
    assert {name: Path(path).relative_to(tmp_path).as_posix() for name, path in names.items()} == {
        'sub__my_clip': 'one/sub/my clip.avi',
        'sub__my_clip~2': 'one/sub/my clip.mp4',
        'sub__my_clip~3': 'two/sub/my_clip.mp4',
    }
    lines = read_list(tmp_path / 'out', 'train_rgb') + read_list(tmp_path / 'out', 'val_rgb')
    assert len({path for path, _, _ in lines}) == 9


def test_other_settings_or_videos_need_another_folder(tmp_path, tool, monkeypatch):
    source, out = tmp_path / 'src', tmp_path / 'out'
    fill(source, 2)
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 0
    with pytest.raises(SystemExit, match='made with other window'):
        call(tool, monkeypatch, source, '--out', out, '--window', '9', '--stride', '8', '--short-side', '32')
    fill(source, 3)
    with pytest.raises(SystemExit, match='made with other videos'):
        call(tool, monkeypatch, source, '--out', out, *SMALL)


@pytest.mark.parametrize(
    ('options', 'changed'),
    [(['--seed', '1'], 'seed'), (['--val-fraction', '0.5'], 'val_fraction'), (['--seed', '0'], None)],
)
def test_another_split_needs_another_folder(tmp_path, tool, monkeypatch, options, changed):
    source, out = tmp_path / 'src', tmp_path / 'out'
    fill(source, 3)
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 0
    before = tree(out)
    if changed is None:
        assert call(tool, monkeypatch, source, '--out', out, *SMALL, *options) == 0
    else:
        with pytest.raises(SystemExit, match=f'made with other {changed}: choose another --out'):
            call(tool, monkeypatch, source, '--out', out, *SMALL, *options)
    assert tree(out) == before


def test_a_folder_that_does_not_say_how_it_was_split_is_refused(tmp_path, tool, monkeypatch):
    source, out = tmp_path / 'src', tmp_path / 'out'
    fill(source, 3)
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 0
    settings = json.loads((out / 'settings.json').read_text())
    assert (settings.pop('seed'), settings.pop('val_fraction')) == (0, 0.25)
    (out / 'settings.json').write_text(json.dumps(settings))
    with pytest.raises(SystemExit, match='made with other seed, val_fraction: choose another --out'):
        call(tool, monkeypatch, source, '--out', out, *SMALL)


def test_a_video_that_can_be_read_later_does_not_change_the_split(tmp_path, tool, monkeypatch, capsys):
    source, out = tmp_path / 'src', tmp_path / 'out'
    fill(source, 3)
    good = (source / 'video_1.mp4').read_bytes()
    (source / 'video_1.mp4').write_bytes(b'nothing')
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 1
    before = tree(out)
    (source / 'video_1.mp4').write_bytes(good)
    capsys.readouterr()
    assert call(tool, monkeypatch, source, '--out', out, *SMALL) == 1
    assert 'video_1.mp4' in capsys.readouterr().err
    assert tree(out) == before


def test_videos_in_which_nothing_changes_are_left_out(tmp_path, tool, monkeypatch, capsys):
    fill(tmp_path / 'src', 2)
    write_video(tmp_path / 'src' / 'blank.mp4', [np.full((48, 64, 3), 255, np.uint8)] * 16)
    assert call(tool, monkeypatch, tmp_path / 'src', '--out', tmp_path / 'out', *SMALL) == 0
    captured = capsys.readouterr()
    assert '2 windows in which nothing changes were left out' in captured.out
    assert 'nothing changes: ' in captured.err
    assert 'blank.mp4' in captured.err
    assert not list((tmp_path / 'out' / 'frames').glob('blank*'))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--window', '2'], '--window must be at least 3, got 2'),
        (['--stride', '0'], '--stride must be at least 1, got 0'),
        (['--short-side', '8'], '--short-side must be at least 16, got 8'),
        (['--val-fraction', '1'], '--val-fraction must be between 0 and 1, got 1.0'),
        (['--num-workers', '0'], '--num-workers must be at least 1, got 0'),
    ],
)
def test_wrong_options(tmp_path, tool, monkeypatch, capsys, options, message):
    with pytest.raises(SystemExit) as error:
        call(tool, monkeypatch, tmp_path, '--out', tmp_path / 'out', *options)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_empty_input_is_refused(tmp_path, tool, monkeypatch):
    (tmp_path / 'src').mkdir()
    with pytest.raises(SystemExit, match='no video below'):
        call(tool, monkeypatch, tmp_path / 'src', '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
    with pytest.raises(SystemExit) as error:
        call(tool, monkeypatch, tmp_path / 'none', '--out', tmp_path / 'out')
    assert error.value.code == 2
    fill(tmp_path / 'src', 1)
    with pytest.raises(SystemExit, match='1 of 1 videos can be used: two are needed'):
        call(tool, monkeypatch, tmp_path / 'src', '--out', tmp_path / 'out', *SMALL)


def test_real_videos(data_root, tmp_path, tool, monkeypatch, capsys):
    roots = [data_root / 'media' / 'grid', data_root / 'sthv2']
    assert call(tool, monkeypatch, *roots, '--out', tmp_path / 'out', '--window', '30', '--short-side', '32') == 0
    # 8 of 75 frames and one of 49: 17 windows
    assert 'train: 7 videos' in capsys.readouterr().out
    lines = read_list(tmp_path / 'out', 'train_rgb') + read_list(tmp_path / 'out', 'val_rgb')
    assert len(lines) == 3 * 17
    assert all(len(list((tmp_path / 'out' / path).iterdir())) == int(count) == 30 for path, count, _ in lines)
