"""tools/train.py, tools/test.py and tools/misc/print_config.py, as a user runs them."""

import json
import os
import pickle
import runpy
import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.multiprocessing import ProcessRaisedException

from .clip_folder import ROOT, losses, metrics, run_tool, scalars, write_clips, write_config

ACCURACIES = ['rgb/top1', 'rgb/top2', 'flow/top1', 'flow/top2', 'ensemble/top1', 'ensemble/top2']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """Folder with the clips and the config ``mml_tiny.py``."""
    folder = tmp_path_factory.mktemp('tools')
    write_config(folder / 'mml_tiny.py', write_clips(folder / 'data'))
    return folder


@pytest.fixture(scope='module')
def trained(place):
    """Two epochs, trained by the command that the README gives: work dir, log and last checkpoint."""
    command = [sys.executable, str(ROOT / 'tools' / 'train.py'), 'mml_tiny.py', '--seed', '3']
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}  # as in the runs that it is compared with
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    work_dir = place / 'work_dirs' / 'mml_tiny'
    shutil.copy(work_dir / 'epoch_2.pth', place / 'second.pth')
    return SimpleNamespace(work_dir=work_dir, log=scalars(work_dir), losses=losses(work_dir))


def test_training_leaves_checkpoints_and_a_log(trained):
    work_dir = trained.work_dir
    assert (work_dir / 'epoch_2.pth').is_file()
    assert len(list(work_dir.glob('best_ensemble_top1_epoch_*.pth'))) == 1
    assert (work_dir / 'last_checkpoint').read_text().endswith('epoch_2.pth')
    assert list(trained.losses) == [1, 2, 3, 4]
    for line in trained.log:
        if 'loss' in line:
            terms = [v for k, v in line.items() if '.loss_' in k]
            assert line['loss'] == pytest.approx(sum(terms), rel=1e-5)
            assert len(terms) == 4
            assert line['flow.grad_norm'] > 0
    evaluated = metrics(trained.log)
    assert [list(line) for line in evaluated] == [ACCURACIES, ACCURACIES]  # after each epoch
    assert all(0 <= value <= 1 for line in evaluated for value in line.values())
    assert Config.fromfile(work_dir / 'mml_tiny.py').randomness.seed == 3


def test_training_learns(trained):
    first, *_, last = trained.losses.values()
    assert last < first


def newest_metrics(work_dir):
    newest = max(path for path in work_dir.glob('*/*.json'))
    return json.loads(newest.read_text())


def test_test_gives_the_accuracy_of_the_validation(place, trained):
    dump = place / 'predictions.pkl'
    args = ('mml_tiny.py', 'second.pth', '--work-dir', place / 'test', '--dump', dump, '--show-dir', place / 'shown')
    out = run_tool('test.py', *args, '--interval', 2, cwd=place)
    assert len(list((place / 'shown').glob('*.png'))) == 5  # of 9 samples every second one
    ours = {name: value for name, value in newest_metrics(place / 'test').items() if name in ACCURACIES}
    assert ours == pytest.approx(metrics(trained.log)[-1])
    assert ' matched, 0 missing [], 0 unexpected [], 0 of another shape []' in out
    samples = pickle.loads(dump.read_bytes())
    assert len(samples) == 9
    right = [int(sample['logits']['flow'].argmax()) == int(sample['gt_label']) for sample in samples]
    assert sum(right) / 9 == pytest.approx(ours['flow/top1'])
    for sample in samples:
        mean = (sample['logits']['rgb'] + sample['logits']['flow']) / 2
        torch.testing.assert_close(sample['fused_logits'], mean)
        assert sample['num_views'] == 1


def test_several_views_in_half_precision(place, trained):
    dumps = {name: place / f'{name}.pkl' for name in ('tta', 'amp')}
    args = ('mml_tiny.py', 'second.pth', '--work-dir', place / 'views', '--tta', '--dump')
    run_tool('test.py', *args, dumps['tta'], cwd=place)
    run_tool('test.py', *args, dumps['amp'], '--amp', cwd=place)
    exact, rounded = (pickle.loads(dump.read_bytes()) for dump in dumps.values())
    assert [sample['num_views'] for sample in exact] == [6] * 9  # two temporal views, three crops
    pairs = [(a['fused_logits'].float(), b['fused_logits'].float()) for a, b in zip(exact, rounded)]
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=0.05, atol=0.05)
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_scores_of_several_views_make_the_ensemble_again(place, trained):
    """tools/test.py --tta --dump FILE.npz, and the branches put together by tools/analysis_tools/ensemble.py."""
    args = ('mml_tiny.py', 'second.pth', '--work-dir', 'scored', '--tta', '--dump', 'dumped/scores.npz')
    run_tool('test.py', *args, cwd=place)
    tested = newest_metrics(place / 'scored')
    options = ('dumped/scores.npz:rgb,flow', 'dumped/scores.npz', '--coefficients', 1.5, 1.5, 0, '--out', 'out.json')
    run_tool('analysis_tools/ensemble.py', *options, cwd=place)  # (1.5 rgb + 1.5 flow) / 3 is the mean again
    found = json.loads((place / 'out.json').read_text())
    top1 = [member['top1'] for member in (*found['members'], found['ensemble'])]
    expected = [tested[f'{name}/top1'] for name in ('rgb', 'flow', 'ensemble', 'ensemble')]
    assert top1 == pytest.approx(expected)
    with np.load(place / 'dumped' / 'scores.npz') as data:
        assert sorted(data['keys']) == sorted(f'val_{c}_{i}' for c in range(3) for i in range(3))
        assert data['classes'].tolist() == ['0', '1', '2']


def test_resume_goes_on_as_if_nothing_had_happened(place, trained):
    """Three epochs without validation, against two and, resumed, one."""
    longer = ['--cfg-options', 'train_cfg.max_epochs=3']
    run_tool('train.py', 'mml_tiny.py', '--seed', 3, '--work-dir', 'straight', '--no-validate', *longer, cwd=place)
    straight = losses(place / 'straight')
    assert list(straight) == [1, 2, 3, 4, 5, 6]
    assert not metrics(scalars(place / 'straight'))
    out = run_tool('train.py', 'mml_tiny.py', '--seed', 3, '--resume', *longer, cwd=place)
    assert 'Auto resumed from the latest checkpoint' in out
    resumed = losses(trained.work_dir)
    assert list(resumed) == [5, 6]
    assert {**trained.losses, **resumed} == straight
    assert (trained.work_dir / 'epoch_3.pth').is_file()


def test_resume_in_the_middle_of_an_epoch(place, trained):
    """From the first of an epoch's two iterations, with dropout and augmentation: to the same losses."""
    each = ['default_hooks.checkpoint.by_epoch=False', 'default_hooks.checkpoint.max_keep_ckpts=-1']
    args = ('mml_tiny.py', '--seed', 3, '--no-validate')
    run_tool('train.py', *args, '--work-dir', 'by_iter', '--cfg-options', *each, cwd=place)
    run_tool('train.py', *args, '--work-dir', 'middle', '--resume', 'by_iter/iter_3.pth', cwd=place)
    assert losses(place / 'middle') == {4: trained.losses[4]}
    ends = [torch.load(place / name, weights_only=True) for name in ('by_iter/iter_4.pth', 'middle/epoch_2.pth')]
    for name, value in ends[0]['state_dict'].items():
        assert torch.equal(ends[1]['state_dict'][name], value), name


def test_resume_from_a_path_with_other_options(place, trained):
    options = ['train_cfg.max_epochs=3', 'model.branches.rgb.head.dropout_ratio=0']
    args = ('--work-dir', 'path', '--resume', 'second.pth', '--cfg-options', *options)
    run_tool('train.py', 'mml_tiny.py', *args, cwd=place)
    assert list(losses(place / 'path')) == [5, 6]
    cfg = Config.fromfile(place / 'path' / 'mml_tiny.py')
    heads = [cfg.model.branches[name].head.dropout_ratio for name in ('rgb', 'flow')]
    assert heads == [0, 0.1]


def test_mixed_precision_and_a_learning_rate_scaled_to_the_batch(place, trained):
    args = ('--amp', '--auto-scale-lr', '--seed', 3, '--cfg-options', 'train_cfg.max_epochs=1')
    run_tool('train.py', 'mml_tiny.py', '--work-dir', 'amp', *args, cwd=place)
    lines = [line for line in scalars(place / 'amp') if 'loss' in line]
    assert [line['lr'] for line in lines] == pytest.approx([0.04, 0.04])  # batches of 6 at a base of 3
    assert Config.fromfile(place / 'amp' / 'mml_tiny.py').optim_wrapper.amp_dtype == 'auto'
    exact = trained.losses[1]
    assert lines[0]['loss'] == pytest.approx(exact, rel=0.02)
    assert lines[0]['loss'] != pytest.approx(exact, rel=1e-6)


@pytest.mark.slow
def test_two_processes_train_what_one_trains(place):
    """tools/dist_train.sh on CPUs: batches of 3 on each of two against batches of 6; no dropout, frozen batch norms."""
    options = ['train_cfg.max_epochs=1']
    for name in ('rgb', 'flow'):
        options += [f'model.branches.{name}.head.dropout_ratio=0']
        options += [f'model.branches.{name}.encoder.backbone.norm_eval=True']
    args = ('--seed', '3', '--work-dir')
    run_tool('train.py', 'mml_tiny.py', *args, 'one', '--cfg-options', *options, cwd=place)
    command = ['bash', str(ROOT / 'tools' / 'dist_train.sh'), 'mml_tiny.py', '2', *args, 'two', '--cfg-options']
    done = subprocess.run(
        [*command, *options, 'train_dataloader.batch_size=3'],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHON': sys.executable, 'CUDA_VISIBLE_DEVICES': '', 'PORT': str(free_port())},
    )
    assert done.returncode == 0, done.stderr
    one, two = (torch.load(place / name / 'epoch_1.pth', weights_only=True) for name in ('one', 'two'))
    for name, value in one['state_dict'].items():
        torch.testing.assert_close(two['state_dict'][name], value, rtol=1e-4, atol=1e-6)
    assert metrics(scalars(place / 'two'))[-1] == pytest.approx(metrics(scalars(place / 'one'))[-1])


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def test_print_config(place):
    out = run_tool(
        'misc/print_config.py', 'mml_tiny.py', '--cfg-options', 'optim_wrapper.optimizer.lr=0.125', cwd=place
    )
    text = out[out.index('auto_scale_lr') :]
    printed = Config.fromstring(text, '.py')
    assert printed.optim_wrapper.optimizer.lr == 0.125
    assert printed.default_hooks.consistency.type == 'ConsistencyHook'  # of the base
    assert printed.model.branches.flow.encoder.backbone.in_channels == 10


def merged(tool, cfg, **args):
    """What the command line makes of a config."""
    defaults = dict.fromkeys(('work_dir', 'resume', 'seed', 'dump', 'show_dir'))
    flags = dict.fromkeys(('amp', 'no_validate', 'auto_scale_lr', 'diff_rank_seed', 'deterministic', 'tta'), False)
    given = dict(config='x.py', checkpoint='c.pth', interval=1, **{**defaults, **flags, **args})
    cfg = Config(cfg)
    runpy.run_path(str(ROOT / 'tools' / tool), run_name='tool')['merge_args'](cfg, SimpleNamespace(**given))
    return cfg


def test_flags_of_train():
    cfg = dict(optim_wrapper=dict(type='MutualOptimWrapper'), randomness=dict(seed=1), val_cfg=dict())
    out = merged('train.py', cfg, seed=7, deterministic=True, diff_rank_seed=True, no_validate=True, resume='c.pth')
    assert out.randomness == dict(seed=7, deterministic=True, diff_rank_seed=True)
    assert out.val_cfg is out.val_dataloader is out.val_evaluator is None
    assert (out.resume, out.load_from) == (True, 'c.pth')
    out = merged('train.py', dict(cfg, load_from='first.pth'))
    assert out.randomness == dict(seed=1)
    assert out.load_from == 'first.pth'  # weights to start from: not taken away when nothing is resumed
    assert merged('train.py', dict(cfg, load_from='first.pth'), resume='auto').load_from is None


@pytest.mark.parametrize(
    ('wrapper', 'expected'),
    [
        (dict(type='MutualOptimWrapper'), dict(amp_dtype='auto')),
        (dict(type='mmmutual.MutualOptimWrapper', amp_dtype='float16'), dict(amp_dtype='float16')),
        (dict(constructor='BranchOptimWrapperConstructor', optimizer=dict(type='SGD')), dict(amp_dtype='auto')),
        (dict(type='OptimWrapper'), dict(type='AmpOptimWrapper', loss_scale='dynamic')),
    ],
)
def test_amp_by_kind_of_wrapper(wrapper, expected):
    out = merged('train.py', dict(optim_wrapper=wrapper), amp=True).optim_wrapper
    assert {key: out[key] for key in expected} == expected


def test_amp_of_several_wrappers():
    parts = dict(main=dict(optimizer=dict(type='Adam')), club=dict(modules=['club'], optimizer=dict(type='Adam')))
    cfg = dict(optim_wrapper=dict(constructor='MultiOptimWrapperConstructor', **parts))
    out = merged('train.py', cfg, amp=True).optim_wrapper
    assert [out[name].get('amp_dtype') for name in parts] == ['auto', 'auto']


@pytest.mark.parametrize(
    ('tool', 'args', 'message'),
    [
        ('train.py', dict(auto_scale_lr=True), r'--auto-scale-lr needs auto_scale_lr=dict\(base_batch_size'),
        ('train.py', dict(amp=True), "--amp does not know optim_wrapper.type='ApexOptimWrapper'"),
        ('test.py', dict(tta=True), '--tta needs a tta_pipeline, which x.py does not define'),
        ('test.py', dict(dump='out.json'), "--dump must be a file that ends in .npz, .pkl or .pickle, got 'out.json'"),
    ],
)
def test_flags_that_cannot_be_followed(tool, args, message):
    with pytest.raises(ValueError, match=message):
        merged(tool, dict(optim_wrapper=dict(type='ApexOptimWrapper'), test_evaluator=dict()), **args)


TUNED = """
_base_ = 'mml_tiny.py'
peer = dict(
    encoder=dict(pretrained='gone_later.pth'),
    tune_from=dict(checkpoint='gone_later.pth', source_modality='flow', source_branch='flow'),
)
model = dict(branches=dict(flow=peer))
"""


def test_resume_does_not_need_what_training_started_from(place, trained):
    (place / 'tuned.py').write_text(TUNED)
    state = torch.load(place / 'second.pth', weights_only=True)
    kept = {name: value for name, value in state['state_dict'].items() if name.startswith('branches.flow.')}
    torch.save(dict(state_dict=kept), place / 'gone_later.pth')
    whole = ('tuned.py', '--seed', 3, '--work-dir')
    run_tool('train.py', *whole, 'tuned', cwd=place)
    run_tool('train.py', *whole, 'resumed', '--cfg-options', 'train_cfg.max_epochs=1', cwd=place)
    (place / 'gone_later.pth').unlink()
    run_tool('train.py', *whole, 'resumed', '--resume', cwd=place)
    expected = losses(place / 'tuned')
    assert losses(place / 'resumed') == {step: loss for step, loss in expected.items() if step > 2}
    with pytest.raises(ProcessRaisedException, match='gone_later.pth'):
        run_tool('train.py', *whole, 'new', cwd=place)
