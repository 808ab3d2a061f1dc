"""tools/analysis_tools/ensemble.py on scores made by hand."""

import json
import runpy
import sys

import numpy as np
import pytest
import torch

from mmmutual.evaluation import Scores, save_scores
from mmmutual.evaluation.functional import search_coefficients

from .clip_folder import ROOT

TOOL = ROOT / 'tools' / 'analysis_tools' / 'ensemble.py'
CLASSES = ['up', 'down', 'left', 'right', 'in', 'out']
LABELS = torch.tensor([0, 1, 2, 5])
EYE = torch.eye(6)
RGB = 4 * EYE[[0, 0, 2, 3]]  # right: first, third
FLOW = EYE[[0, 1, 1, 5]] + 0.1 * EYE[[1, 2, 2, 1]]  # right: all but the third
DEPTH = 9 * EYE[[4, 4, 2, 5]]  # right: third, fourth


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Two files of the same four clips in another order."""
    monkeypatch.chdir(tmp_path)
    keys = [f'clip;{i}' if i == 2 else f'clip_{i}' for i in range(4)]
    save_scores('two.npz', Scores(keys, LABELS, dict(rgb=RGB, flow=FLOW), (RGB + FLOW) / 2, CLASSES))
    order = [3, 1, 0, 2]
    depth = DEPTH[order]
    save_scores('one.npz', Scores([keys[i] for i in order], LABELS[order], dict(depth=depth), depth, CLASSES))
    return tmp_path


@pytest.fixture
def ensemble(place, monkeypatch, capsys):
    """Run the tool in this process; what it printed."""

    def _ensemble(*arguments):
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        runpy.run_path(str(TOOL), run_name='__main__')
        return capsys.readouterr().out

    return _ensemble


def row(out, name):
    """Numbers of a line of the table."""
    (line,) = [line for line in out.splitlines() if line.startswith(f'{name} ')]
    return [float(cell) for cell in line[len(name) :].split()]


def test_members_and_ensemble(ensemble, place):
    out = ensemble('two.npz:rgb,flow', 'one.npz:depth', '--coefficients', 0.1, 2, 0.01, '--out', 'deep/out.json')
    assert '4 of 4 samples, 6 classes' in out
    assert row(out, 'two.npz:rgb') == [0.1, 50, 75, 50, 100]
    assert row(out, 'two.npz:flow') == [2, 75, 100, 75, 100]
    assert row(out, 'one.npz:depth') == [0.01, 50, 100, 50, 100]
    assert row(out, 'ensemble') == [75, 100, 75, 100]
    found = json.loads((place / 'deep' / 'out.json').read_text())
    assert [member['name'] for member in found['members']] == ['two.npz:rgb', 'two.npz:flow', 'one.npz:depth']
    assert found['members'][1] == dict(
        name='two.npz:flow', coefficient=2.0, top1=0.75, top5=1.0, mean_class_acc=0.75, upper_bound=1.0
    )
    assert found['ensemble']['top1'] == 0.75
    assert 'optimistic' not in out


def test_a_file_alone_gives_its_fused_scores(ensemble):
    out = ensemble('two.npz')
    assert row(out, 'two.npz:ensemble')[1:] == row(out, 'ensemble') == [50, 100, 50, 100]


def test_softmax_brings_a_loud_member_to_the_scale_of_others(ensemble, place):
    """Logits of 400 drown flow. Probabilities of 1 don't: five times flow's 0.347, against 1 + 5 * 0.128 or 0.141."""
    save_scores('loud.npz', Scores([f'clip_{i}' for i in range(4)], LABELS, dict(rgb=100 * RGB), RGB, CLASSES))
    save_scores('flow.npz', Scores([f'clip_{i}' for i in range(4)], LABELS, dict(flow=FLOW), FLOW, CLASSES))
    args = ('loud.npz:rgb', 'flow.npz:flow', '--coefficients', 1, 5, '--csv', 'out.csv', '--csv-format', 'names')
    said = []
    for softmax in ([], ['--softmax']):
        ensemble(*args, *softmax)
        said.append([line.split(';')[1] for line in (place / 'out.csv').read_text().splitlines()])
    assert said == [['up', 'up', 'left', 'right'], ['up', 'down', 'down', 'out']]


def test_search(ensemble):
    out = ensemble('two.npz:rgb,flow', 'one.npz:depth', '--search')
    assert row(out, 'ensemble')[0] >= 75
    assert 'these very labels: the ensemble is optimistic' in out


def test_search_on_a_share(ensemble):
    outs = [ensemble('two.npz:rgb,flow', '--search', '--search-share', 0.5, '--seed', seed) for seed in (0, 0, 1, 2, 3)]
    assert outs[0] == outs[1]
    assert len(set(outs)) > 1
    assert all('2 of 4 samples' in out and 'optimistic' not in out for out in outs)


def test_what_is_scored_has_not_been_searched(ensemble, place):
    """With other labels outside the searched half the coefficients are the same, and only those labels count."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(6, (100,), generator=generator)
    rgb, flow = (torch.randn(100, 6, generator=generator) + weight * EYE[labels] for weight in (2, 1))
    searched, rest = torch.randperm(100, generator=torch.Generator().manual_seed(7)).split(50)
    expected = search_coefficients([rgb[searched], flow[searched]], labels[searched])
    found = []
    for shift in (0, 1):
        labels[rest] = (labels[rest] + shift) % 6
        scores = Scores([f'{i:03}' for i in range(100)], labels, dict(rgb=rgb, flow=flow), rgb, CLASSES)
        save_scores('many.npz', scores)
        options = ('--search', '--search-share', 0.5, '--seed', 7, '--out', 'out.json', '--csv', 'out.csv')
        ensemble('many.npz:rgb,flow', *options)
        found.append(json.loads((place / 'out.json').read_text()))
        said = torch.tensor([int(line.split(';')[1]) for line in (place / 'out.csv').read_text().splitlines()])
        assert found[-1]['num_samples'] == 50
        assert found[-1]['ensemble']['top1'] == pytest.approx((said == labels)[rest].double().mean().item())
    coefficients = [[member['coefficient'] for member in one['members']] for one in found]
    assert coefficients == [expected, expected]
    assert found[1]['ensemble']['top1'] < found[0]['ensemble']['top1'] - 0.2


def test_predictions(ensemble, place):
    ensemble('two.npz:flow', '--csv', 'out/sthv2.csv')
    lines = (place / 'out' / 'sthv2.csv').read_text().splitlines()
    assert lines == ['clip_0;0;1;2;3;4', 'clip_1;1;2;0;3;4', '"clip;2";1;2;0;3;4', 'clip_3;5;1;0;2;3']
    (place / 'names.txt').write_text('A\nB\nC\nD\nE\nF\n')
    ensemble('two.npz:flow', '--csv', 'out/names.csv', '--csv-format', 'names', '--classes', 'names.txt')
    lines = (place / 'out' / 'names.csv').read_text().splitlines()
    assert lines == ['clip_0;A', 'clip_1;B', '"clip;2";B', 'clip_3;F']


def test_confusion(ensemble, place):
    out = ensemble('two.npz:rgb', '--confusion', 'matrix')
    assert '  1 of 1  down (1)  as  up (0)\n  1 of 1  out (5)  as  right (3)' in out
    with np.load(place / 'matrix' / 'ensemble.npz') as data:
        assert np.argwhere(data['confusion']).tolist() == [[0, 0], [1, 0], [2, 2], [5, 3]]
        assert data['classes'].tolist() == CLASSES
    assert (place / 'matrix' / 'ensemble.png').is_file()


def test_a_split_without_labels(ensemble):
    save_scores('test.npz', Scores(['a', 'b'], torch.tensor([0, 0]), dict(rgb=EYE[:2]), EYE[:2], CLASSES))
    out = ensemble('test.npz', '--csv', 'test.csv', '--csv-format', 'names')
    assert 'Every label is 0: if this is a split without labels, the numbers mean nothing' in out


def test_three_classes_have_no_top5(ensemble):
    three = torch.eye(3)
    save_scores('small.npz', Scores(['a', 'b'], torch.tensor([0, 1]), dict(rgb=three[:2]), three[:2], list('abc')))
    out = ensemble('small.npz')
    assert 'top-5' not in out
    assert row(out, 'ensemble') == [100, 100, 100]
    with pytest.raises(SystemExit, match='--csv-format sthv2 holds five classes of each sample, but there are 3'):
        ensemble('small.npz', '--csv', 'small.csv')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['none.npz:rgb'], 'error: file of scores none.npz does not exist'),
        (['two.npz:depth'], r"error: two.npz has no branch 'depth'; it has \['rgb', 'flow', 'ensemble'\]"),
        (['two.npz:rgb', 'two.npz:flow,rgb'], 'error: two.npz:rgb is given twice'),
        (['two.npz:'], "error: two.npz: names no branch after ':'"),
        (['nan.npz:rgb'], "error: nan.npz:rgb has NaN or infinite logits for 2 of 4 samples, first 'clip_1'"),
        (
            ['two.npz', 'nan.npz'],
            "error: nan.npz:ensemble has NaN or infinite logits for 1 of 4 samples, first 'clip_3'",
        ),
        (['two.npz', '--coefficients', 1, 2], 'error: --coefficients must be one for each of the 1 members'),
        (['two.npz', '--search', '--search-share', 0.1], 'error: --search-share 0.1 of 4 samples leaves none'),
        (['two.npz', 'other.npz'], r"error: files of scores must hold the same samples: 4 only in two.npz \['clip_0'"),
        (['two.npz', '--classes', 'names.txt'], 'error: --classes names.txt names 2 classes, the scores have 6'),
    ],
)
def test_mistakes(ensemble, place, arguments, message):
    (place / 'names.txt').write_text('A\nB\n')
    save_scores('other.npz', Scores(['z'], torch.tensor([0]), dict(rgb=EYE[:1]), EYE[:1], CLASSES))
    save_diverged()
    with pytest.raises(SystemExit, match=message):
        ensemble(*arguments)


def save_diverged():
    """NaN in one branch, infinity in the fused scores, a healthy branch beside them."""
    rgb, fused = RGB.clone(), FLOW.clone()
    rgb[[1, 3], 2] = float('nan')
    fused[3, 0] = float('inf')
    keys = ['clip_0', 'clip_1', 'clip;2', 'clip_3']
    save_scores('nan.npz', Scores(keys, LABELS, dict(rgb=rgb, flow=FLOW), fused, CLASSES))


def test_a_healthy_branch_of_a_diverged_model(ensemble):
    save_diverged()
    assert row(ensemble('nan.npz:flow'), 'ensemble')[0] == 75


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--search-share', '0.5'], '--search-share needs --search'),
        (['--search', '--search-share', '0'], '--search-share must be in (0, 1], got 0.0'),
        (['--coefficients', 'nan'], '--coefficients: must be a finite number, got nan'),
        (['--coefficients', '1', 'inf'], '--coefficients: must be a finite number, got inf'),
        (['--coefficients', 'one'], '--coefficients: must be a finite number, got one'),
        (['--search', '--coefficients', '1'], 'not allowed with argument'),
    ],
)
def test_options_that_do_not_fit(ensemble, capsys, arguments, message):
    with pytest.raises(SystemExit):
        ensemble('two.npz', *arguments)
    assert message in capsys.readouterr().err
