"""tools/analysis_tools/analyze_logs.py, on logs written by hand and on those of a real run that was resumed."""

import importlib
import json
import math

import numpy as np
import pytest
from PIL import Image

from .analysis_tool import FOLDER, run_analysis, run_here
from .clip_folder import run_tool, scalars, write_clips, write_config


@pytest.fixture
def run_logs(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module('run_logs')


@pytest.fixture
def analyze_logs(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module('analyze_logs')


def train_line(step, epoch, loss, time=0.5):
    return {'loss': loss, 'time': time, 'epoch': epoch, 'iter': step, 'step': step}


def val_line(epoch, top1):
    return {'rgb/top1': top1, 'time': 9.0, 'step': epoch}


def write_run(work_dir, timestamp, lines, resume=False, end=''):
    """A run as mmengine leaves it behind."""
    folder = work_dir / timestamp / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'config.py').write_text(f'resume = {resume}\n')
    (folder / 'scalars.json').write_text(''.join(json.dumps(line) + '\n' for line in lines) + end)
    return folder / 'scalars.json'


def test_newest_run_of_a_work_dir(tmp_path, run_logs):
    write_run(tmp_path, '20260102_000000', [train_line(10, 1, 2.0)])
    write_run(tmp_path, '20260101_000000', [train_line(10, 1, 3.0), train_line(20, 2, 1.0)])
    log = run_logs.read_log(tmp_path)
    assert {step: line['loss'] for step, line in log.train.items()} == {10: 2.0}


def test_resumed_runs_are_joined_and_later_lines_win(tmp_path, run_logs):
    write_run(tmp_path, '20260101_000000', [train_line(5, 1, 9.0)])  # of another training
    write_run(
        tmp_path,
        '20260102_000000',
        [train_line(10, 1, 5.0), val_line(1, 0.1), train_line(20, 2, 4.0), val_line(2, 0.2), train_line(30, 3, 3.0)],
        end='{"loss": 2.9, "ti',  # killed
    )
    # Went on from the end of the first epoch, and logged less often.
    resumed = [train_line(25, 3, 3.5), val_line(2, 0.3), train_line(35, 4, 2.5), val_line(3, 0.4)]
    write_run(tmp_path, '20260103_000000', resumed, resume=True)
    log = run_logs.read_log(tmp_path)
    assert [(step, line['loss']) for step, line in log.find('loss').items()] == [
        (10, 5.0), (20, 4.0), (25, 3.5), (35, 2.5),
    ]  # fmt: skip
    assert [(step, line['rgb/top1']) for step, line in log.find('rgb/top1').items()] == [(1, 0.1), (2, 0.3), (3, 0.4)]


def test_training_over_iterations_and_validation_over_epochs(tmp_path, run_logs, analyze_logs):
    lines = [train_line(10, 1, 5.0), val_line(1, 0.1), train_line(20, 2, 4.0), val_line(2, 0.2)]
    log = run_logs.read_log(write_run(tmp_path, '20260101_000000', lines))
    assert analyze_logs.curve_of(log, 'loss') == ('training', 'iteration', [10, 20], [5.0, 4.0])
    assert analyze_logs.curve_of(log, 'rgb/top1') == ('validation', 'epoch', [1, 2], [0.1, 0.2])
    assert analyze_logs.curve_of(log, 'time').values == [0.5, 0.5]  # of training, though validation logs it too


def test_training_that_is_not_counted_in_epochs(tmp_path, run_logs, analyze_logs):
    lines = [{'loss': 5.0, 'iter': 10, 'step': 10}, val_line(10, 0.1)]
    log = run_logs.read_log(write_run(tmp_path, '20260101_000000', lines))
    assert analyze_logs.curve_of(log, 'rgb/top1').axis == 'iteration'


def test_train_time(tmp_path, run_logs, analyze_logs):
    times = {1: [9.0, 0.2, 0.4], 2: [5.0, 0.5, 0.7]}
    lines = [train_line(3 * e + i, e, 1.0, time) for e in times for i, time in enumerate(times[e])]
    log = run_logs.read_log(write_run(tmp_path, '20260101_000000', [*lines, val_line(1, 0.1)]))
    expected = [
        'slowest epoch 2, average time is 0.6000 s/iter',
        'fastest epoch 1, average time is 0.3000 s/iter',
        'time std over epochs is 0.1500',
        'average iter time: 0.4500 s/iter',
    ]
    assert analyze_logs.train_time(log, include_outliers=False).splitlines()[1:] == expected
    everything = analyze_logs.train_time(log, include_outliers=True)
    assert 'slowest epoch 1, average time is 3.2000 s/iter' in everything
    assert f'average iter time: {15.8 / 6:.4f} s/iter' in everything


def test_train_time_needs_training(tmp_path, run_logs, analyze_logs):
    log = run_logs.read_log(write_run(tmp_path, '20260101_000000', [val_line(1, 0.1)]))
    with pytest.raises(ValueError, match='holds no line of training'):
        analyze_logs.train_time(log, include_outliers=False)


def test_picture(tmp_path, analyze_logs):
    curves = [
        analyze_logs.Curve('training', 'iteration', list(range(20)), [math.exp(-step / 5) for step in range(20)]),
        analyze_logs.Curve('validation', 'epoch', [1, 2], [0.1, float('nan')]),
        analyze_logs.Curve('validation', 'epoch', [1, 2], [0.3, 0.5]),
    ]
    analyze_logs.plot_curves(curves, ['a', 'b', 'b'], 'Title', tmp_path / 'new' / 'two.png')
    analyze_logs.plot_curves(curves[1:], ['a', 'b'], None, tmp_path / 'one.png')
    two, one = (
        np.asarray(Image.open(path).convert('RGB')) for path in (tmp_path / 'new/two.png', tmp_path / 'one.png')
    )
    assert two.shape[1] == 2 * one.shape[1]  # panels beside each other
    blue, orange, width = (31, 119, 180), (255, 127, 14), one.shape[1]
    # The first colour of each panel is drawn; the second only where there is a second curve.
    assert [(half == blue).all(axis=2).any() for half in (two[:, :width], two[:, width:])] == [True, True]
    assert [(half == orange).all(axis=2).any() for half in (two[:, :width], two[:, width:])] == [False, True]


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['plot_curve', 'log.json', '--keys', 'top9', '--out', 'x.png'], "no key 'top9'; it has loss, rgb/top1, time"),
        (['plot_curve', 'none', '--keys', 'loss', '--out', 'x.png'], 'LOG none is neither a file nor a work dir'),
        (['plot_curve', 'bad.json', '--keys', 'loss', '--out', 'x.png'], r"bad.json, line 1 is no line of .*: 'what'"),
        (['plot_curve', 'empty.json', '--keys', 'loss', '--out', 'x.png'], 'empty.json is empty'),
        (
            ['plot_curve', 'log.json', '--keys', 'loss', '--out', 'log.json/x.png'],
            "--out log.json/x.png can't be written",
        ),
        (['cal_train_time', 'photo.jpg'], 'photo.jpg is not text, and so no vis_data/scalars.json'),
        (['cal_train_time', '.'], "vis_backends must hold dict.type='LocalVisBackend'., beside any others"),
        (['cal_train_time', 'log.json', 'none'], 'LOG none is neither a file nor a work dir'),
    ],
)
def test_mistakes_in_a_line(args, message, tmp_path, monkeypatch):
    write_run(tmp_path, '1', [train_line(1, 1, 2.0), val_line(1, 0.5)]).rename(tmp_path / 'log.json')
    (tmp_path / 'bad.json').write_text('what\n')
    (tmp_path / 'empty.json').write_text('')
    (tmp_path / 'photo.jpg').write_bytes(b'\xff\xd8\xff')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=f'error: .*{message}'):
        run_here(monkeypatch, 'analyze_logs.py', *args)


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['--legend', 'a', '--out', 'x.png'], '--legend must name 2 curves (logs times keys), got 1 names'),
        (['--out', 'x.doc'], '--out must end in one of'),
    ],
)
def test_arguments_that_cannot_be_followed(args, message, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_here(monkeypatch, 'analyze_logs.py', 'plot_curve', 'a', 'b', '--keys', 'loss', *args)
    assert message in capsys.readouterr().err


def test_a_real_run_that_was_resumed(tmp_path):
    write_config(tmp_path / 'mml_tiny.py', write_clips(tmp_path / 'data'))
    run_tool('train.py', 'mml_tiny.py', cwd=tmp_path)
    work_dir = tmp_path / 'work_dirs' / 'mml_tiny'
    first = scalars(work_dir)
    run_tool('train.py', 'mml_tiny.py', '--resume', '--cfg-options', 'train_cfg.max_epochs=3', cwd=tmp_path)
    second = scalars(work_dir)
    assert [line['step'] for line in second if 'loss' in line] == [5, 6]
    printed = run_analysis('analyze_logs.py', 'cal_train_time', work_dir, '--include-outliers', cwd=tmp_path)
    times = [line['time'] for line in first + second if 'loss' in line]
    assert len(times) == 6
    assert f'average iter time: {np.mean(times):.4f} s/iter' in printed
    keys = ['rgb/top1', 'flow/top1', 'loss']
    printed = run_analysis('analyze_logs.py', 'plot_curve', work_dir, '--keys', *keys, '--out', 'x.png', cwd=tmp_path)
    assert printed.splitlines()[-1] == '3 curves in x.png'
    assert np.asarray(Image.open(tmp_path / 'x.png')).std() > 0
