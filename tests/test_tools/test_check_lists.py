"""tools/data/check_lists.py finds what is wrong with lists."""

import importlib.util
import json
import shutil
import subprocess
import sys

import pytest

from ..video_files import moving_frames, write_video
from .clip_folder import ROOT

TOOL = ROOT / 'tools' / 'data' / 'check_lists.py'
LISTS = {
    'train_rgb': ['c1 6 0', 'c2 5 1', 'c3 7 1'],
    'train_flow': ['c1 5 0', 'c2 4 1', 'c3 6 1'],
    'train_video': ['c1.mkv 6 0', 'c2.mkv 1', 'c3.mkv 1'],
    'val_rgb': ['c4 6 0'],
    'val_flow': ['c4 5 0'],
}


@pytest.fixture(scope='module')
def tool():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location('check_lists', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path):
    """A data set of four clips without a fault; videos have six frames, which two of the lists do not say."""
    for name, lines in LISTS.items():
        write_list(tmp_path, name, lines)
        kind = name.split('_')[1]
        for path, count in (line.split()[:2] for line in lines):
            if kind != 'video':
                fill(tmp_path, kind, path, int(count))
            else:
                write_video(tmp_path / 'videos' / path, moving_frames(6))
    (tmp_path / 'classes.txt').write_text('Holding\nTurning\n')
    return tmp_path


def write_list(root, name, lines):
    (root / 'lists').mkdir(exist_ok=True)
    (root / 'lists' / f'{name}.txt').write_text('\n'.join(lines) + '\n')


def fill(root, kind, path, count):
    folder = root / dict(rgb='frames', flow='flow')[kind] / path
    folder.mkdir(parents=True)
    names = ['img_{:06d}.jpg'] if kind == 'rgb' else ['flow_x_{:05d}.jpg', 'flow_y_{:05d}.jpg']
    for number in range(1, count + 1):
        for name in names:
            (folder / name.format(number)).touch()


def call(tool, monkeypatch, root, *args):
    """Exit code and report, of the main function in this process."""
    out = root / 'report.json'
    monkeypatch.setattr(sys, 'argv', ['check_lists.py', str(root), '--out', str(out), *map(str, args)])
    monkeypatch.setattr(tool, 'run_jobs', lambda function, items, *rest: {item: function(item) for item in items})
    code = tool.main()
    return code, json.loads(out.read_text())


def faults(report):
    return {name: entry['faults'] for name, entry in report.items() if entry['faults']}


def test_nothing_wrong(root, tool, monkeypatch, capsys):
    code, report = call(tool, monkeypatch, root)
    assert (code, faults(report)) == (0, {})
    assert list(report) == sorted(f'{name}.txt' for name in LISTS)
    assert report['train_rgb.txt']['clips'] == 3
    assert report['train_rgb.txt']['per_class'] == dict(Holding=1, Turning=2)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ['train_rgb.txt', '3', '1', '1.5', '2', *'0000000'] in lines
    assert ['val_flow.txt', '1', '0', '0.5', '1', *'0000000'] in lines


def change(root, name, old, new):
    write_list(root, name, [line.replace(old, new) for line in LISTS[name]])


def lose_folder(root):
    shutil.rmtree(root / 'frames' / 'c2')


def empty_video(root):
    (root / 'videos' / 'c2.mkv').write_bytes(b'')


def lose_y_image(root):
    (root / 'flow' / 'c3' / 'flow_y_00005.jpg').unlink()


def wrong_names(root):
    for file in (root / 'frames' / 'c4').iterdir():
        file.rename(file.with_name(file.name.replace('img_', '')))


def destroy_video(root):
    (root / 'videos' / 'c1.mkv').write_bytes(b'nothing to decode')


def destroy_unlisted_video(root):
    (root / 'videos' / 'c2.mkv').write_bytes(b'nothing to decode')


def add_train_clip_to_val(root):
    write_list(root, 'val_rgb', [*LISTS['val_rgb'], 'c2 5 1'])
    write_list(root, 'val_flow', [*LISTS['val_flow'], 'c2 4 1'])


def number_label(root):
    change(root, 'val_rgb', 'c4 6 0', 'c4 6 2')
    change(root, 'val_flow', 'c4 5 0', 'c4 5 2')


PLANTED = {
    'missing folder': (lose_folder, {'train_rgb.txt': dict(missing=1)}),
    'empty video': (empty_video, {'train_video.txt': dict(missing=1)}),
    'count of frames': (
        lambda root: change(root, 'train_rgb', 'c2 5', 'c2 4'),
        {'train_rgb.txt': dict(count=1)},
    ),
    'y image missing': (lose_y_image, {'train_flow.txt': dict(count=1)}),
    'other names': (wrong_names, {'val_rgb.txt': dict(count=1)}),
    'video too long': (
        lambda root: change(root, 'train_video', 'mkv 6', 'mkv 7'),
        {'train_video.txt': dict(count=1)},
    ),
    'video unreadable': (destroy_video, {'train_video.txt': dict(count=1)}),
    'unreadable, of unknown length': (destroy_unlisted_video, {'train_video.txt': dict(short=1)}),
    'label': (number_label, {'val_rgb.txt': dict(label=1), 'val_flow.txt': dict(label=1)}),
    'twice': (
        lambda root: write_list(root, 'train_flow', [*LISTS['train_flow'], 'c1 5 0']),
        {'train_flow.txt': dict(twice=2)},
    ),
    'missing in one input': (
        lambda root: write_list(root, 'train_flow', LISTS['train_flow'][1:]),
        {'train_rgb.txt': dict(inputs=1), 'train_video.txt': dict(inputs=1)},
    ),
    'labels differ': (
        lambda root: change(root, 'val_flow', 'c4 5 0', 'c4 5 1'),
        {'val_rgb.txt': dict(inputs=1), 'val_flow.txt': dict(inputs=1)},
    ),
    'in two splits': (
        add_train_clip_to_val,
        {f'{name}.txt': dict(splits=1) for name in LISTS},
    ),
}


@pytest.mark.parametrize('fault', PLANTED)
def test_a_fault_is_found_and_no_other(root, tool, monkeypatch, capsys, fault):
    plant, expected = PLANTED[fault]
    plant(root)
    code, report = call(tool, monkeypatch, root)
    found = {name: {kind: len(texts) for kind, texts in kinds.items()} for name, kinds in faults(report).items()}
    assert (code, found) == (1, expected)
    printed = capsys.readouterr().out
    assert all(
        f'{name}: {count} {kind}: ' in printed for name, kinds in expected.items() for kind, count in kinds.items()
    )


def test_short_clips(root, tool, monkeypatch):
    code, report = call(tool, monkeypatch, root, '--min-frames', '6')
    short = {name: kinds['short'] for name, kinds in faults(report).items()}
    assert code == 1
    assert short == {
        'train_rgb.txt': ['c2: 5'],
        'train_flow.txt': ['c1: 5', 'c2: 4'],
        'val_flow.txt': ['c4: 5'],
    }


def test_splits_in_folders_are_apart(root, tool, monkeypatch):
    (root / 'lists' / 'train_video.txt').unlink()
    for number, (train, test) in {1: ('train', 'val'), 2: ('val', 'train')}.items():
        for name in ('rgb', 'flow'):
            (root / 'lists' / f'split{number}').mkdir(exist_ok=True)
            shutil.copy(root / 'lists' / f'{train}_{name}.txt', root / 'lists' / f'split{number}' / f'train_{name}.txt')
            shutil.copy(root / 'lists' / f'{test}_{name}.txt', root / 'lists' / f'split{number}' / f'test_{name}.txt')
    code, report = call(tool, monkeypatch, root)
    assert (code, faults(report), len(report)) == (0, {}, 12)
    code, report = call(tool, monkeypatch, root, '--lists', root / 'lists' / 'split2')
    assert list(report) == ['test_flow.txt', 'test_rgb.txt', 'train_flow.txt', 'train_rgb.txt']


def test_names_of_frames_can_be_told(root, tool, monkeypatch):
    for file in root.glob('frames/*/*'):
        file.rename(file.with_name(file.name.replace('img_0', '')))
    code, report = call(tool, monkeypatch, root)
    assert code == 1
    assert set(faults(report)) == {'train_rgb.txt', 'val_rgb.txt'}
    assert call(tool, monkeypatch, root, '--frames-tmpl', '{:05d}.jpg')[0] == 0


def test_from_the_shell(root):
    write_list(root, 'val_rgb', ['c4 6 0', 'c1 6 0'])
    command = [sys.executable, str(TOOL), str(root), '--num-workers', '2']
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr
    assert 'val_rgb.txt: 1 splits: c1: also in train_flow.txt, train_rgb.txt, train_video.txt' in result.stdout
    assert 'val_rgb.txt: 1 inputs: c1: not so in val_flow.txt' in result.stdout


def test_mistakes_are_told_in_one_line(root, tool, monkeypatch, capsys):
    for args, message in {
        (root / 'none',): 'none is not a folder',
        (root, '--num-workers', '0'): '--num-workers must be at least 1, got 0',
    }.items():
        monkeypatch.setattr(sys, 'argv', ['check_lists.py', *map(str, args)])
        with pytest.raises(SystemExit) as error:
            tool.main()
        assert error.value.code == 2
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit, match='filename_tmpl'):
        call(tool, monkeypatch, root, '--flow-tmpl', 'flow_{:05d}.jpg')
    with pytest.raises(SystemExit, match='no list <split>_<input>.txt'):
        call(tool, monkeypatch, root, '--lists', root / 'frames')
    write_list(root, 'val_rgb', ['c4 many 0'])
    with pytest.raises(SystemExit, match="val_rgb.txt, line 1: expected 'folder frames label'"):
        call(tool, monkeypatch, root)
    (root / 'classes.txt').unlink()
    with pytest.raises(SystemExit, match='classes.txt does not exist'):
        call(tool, monkeypatch, root)
