"""Kill a training, resume it, and compare every later loss bit by bit with those of a run that was not killed."""

import ast
import logging
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
from mmengine.dist import all_reduce
from mmengine.logging import MessageHub, MMLogger
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

from mmmutual.engine import ExactCheckpointHook, MethodHook
from mmmutual.registry import HOOKS
from tests.helpers import run_alone, run_distributed

from .. import toy_methods as toy

WORKERS = dict(num_workers=2, persistent_workers=True)
FRESH_WORKERS = dict(num_workers=2, persistent_workers=False)
BY_EPOCH = dict(interval=1)
# The first validation finds a best score, and mmengine then saves the epoch's file again, in the middle of validation.
BEST = dict(interval=1, save_best='top1', rule='greater')
# After iterations 2 and 4, i.e. within epochs of 3.
WITHIN = dict(by_epoch=False, interval=2)
# After the last iteration of an epoch, before its end.
LAST = dict(by_epoch=False, interval=3)
# name: (method, checkpoints, workers, with validation, killed before iteration, resumes after iteration)
KILLED = {
    'joint, epoch': ('joint', BEST, None, True, 5, 3),
    'joint, within': ('joint', WITHIN, WORKERS, False, 5, 4),
    'alternating, epoch': ('alternating', BY_EPOCH, WORKERS, True, 7, 6),
    'alternating, within': ('alternating', WITHIN, None, True, 5, 4),
    'inner, epoch': ('inner', BY_EPOCH, FRESH_WORKERS, False, 4, 3),
    'inner, within': ('inner', WITHIN, FRESH_WORKERS, True, 5, 4),
    'two_losses, epoch': ('two_losses', BY_EPOCH, WORKERS, True, 4, 3),
    'two_losses, within': ('two_losses', WITHIN, None, False, 7, 6),
    'last iteration of an epoch': ('joint', LAST, WORKERS, True, 4, 3),
    'float16': ('float16', WITHIN, None, False, 5, 4),
}
KILLED_IN_TWO = {
    'joint, within': ('joint', WITHIN, None, True, 5, 4),
    'alternating, epoch': ('alternating', BY_EPOCH, WORKERS, True, 5, 3),
    'alternating, within': ('alternating', WITHIN, WORKERS, False, 5, 4),
    'inner, within': ('inner', WITHIN, None, False, 5, 4),
    'two_losses, within': ('two_losses', WITHIN, None, True, 5, 4),
    'generators that differ': ('differing', WITHIN, None, False, 5, 4),
}


@HOOKS.register_module()
class ToyEpochNoise(MethodHook):
    """Changes weights at the start of each epoch by what it draws and what it reads from the loader."""

    def before_train_epoch(self, runner):
        super().before_train_epoch(runner)
        torch.rand(1)  # as a foreign hook might, also when training resumes within the epoch

    def begin_epoch(self, runner):
        head = self.model(runner).head
        means = [batch['inputs']['a'].mean() for batch in self.sweep(runner, runner.train_dataloader)]
        mean = torch.stack(means).mean()
        all_reduce(mean, op='mean')
        with torch.no_grad():
            head.weight *= 1 + 0.1 * mean + 0.1 * torch.randn_like(head.weight)


def options(method):
    """22 samples: the last batch of an epoch is smaller."""
    # scale halves at once; the driver must have it back after resume
    half = dict(model=dict(dtype='float32', dropout=0.3), optim=dict(amp_dtype='float16'))
    common = dict(epochs=3, hooks=[dict(type='ToyEpochNoise')] if method == 'alternating' else [])
    if method == 'float16':
        return dict(method='two_losses', dataset=dict(size=22, noise=0.1, dtype='float32'), **half, **common)
    if method == 'differing':
        common['randomness'] = dict(seed=1, diff_rank_seed=True)
        method = 'joint'
    return dict(method=method, dataset=dict(size=22, noise=0.1), model=dict(dropout=0.3), **common)


def run_many(cases):
    """Train every case; returns losses and sizes that the message hub holds, by case."""
    found = []
    for case in cases:
        runner = toy.run(**case)
        scalars = runner.message_hub.log_scalars
        found.append(
            dict(
                history={name: buffer.data[0].tolist() for name, buffer in scalars.items() if 'loss' in name},
                lengths={name: len(buffer.data[0]) for name, buffer in scalars.items() if name.startswith('train')},
                position=(runner.epoch, runner.iter),
                state=toy.state(runner),
            )
        )
    return found


class Runs:
    """Uninterrupted, killed and resumed trainings in one or two processes."""

    def __init__(self, folder, world_size, killed):
        self.folder, self.world_size = folder, world_size
        methods = sorted({case[0] for case in killed.values()})
        full = self.start(run_many, [dict(options(name), work_dir=f'{folder}/full_{name}') for name in methods])
        self.full = dict(zip(methods, full))
        self.died = {name: self.kill(i, *case) for i, (name, case) in enumerate(killed.items())}
        self.resumed = {name: self.resume(i, *case) for i, (name, case) in enumerate(killed.items())}

    def start(self, function, *args):
        if self.world_size == 1:
            return run_alone(function, *args)
        return run_distributed(function, self.world_size, *args)[0]

    def case(self, i, method, checkpoint, loader, validate, *_):
        work_dir = f'{self.folder}/{i}'
        return dict(options(method), work_dir=work_dir, checkpoint=checkpoint, loader=loader, validate=validate)

    def kill(self, i, *case):
        """Lines recorded until the process died."""
        with pytest.raises((ProcessExitedException, ProcessRaisedException)) as raised:
            self.start(run_many, [dict(self.case(i, *case), kill_before=case[4])])
        if self.world_size == 1:
            assert raised.value.signal_name == 'SIGKILL'
        return toy.recorded(f'{self.folder}/{i}')

    def resume(self, i, *case):
        return self.start(run_many, [dict(self.case(i, *case), resume=True)])[0]


@pytest.fixture(scope='module')
def one(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp('one'), 1, KILLED)


@pytest.fixture(scope='module')
def two(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp('two'), 2, KILLED_IN_TWO)


def check(runs, killed, name):
    i, (method, _, _, _, kill_before, resumes_after) = list(killed).index(name), killed[name]
    for rank in range(runs.world_size):
        full = toy.recorded(f'{runs.folder}/full_{method}', rank)
        lines = toy.recorded(f'{runs.folder}/{i}', rank)
        assert len(full) == 9
        assert len(set(full)) == 9
        assert lines[:kill_before] == full[:kill_before], 'differed before the kill: depends on workers or validation'
        assert lines[kill_before:] == full[resumes_after:]
    assert len(runs.died[name]) == kill_before
    expected, found = runs.full[method], runs.resumed[name]
    for key, value in expected['state'].items():
        assert torch.equal(found['state'][key], value), key
    assert found['history'] == expected['history']
    assert found['lengths'] == expected['lengths']
    assert set(found['lengths'].values()) == {9}
    assert found['position'] == (3, 9)


@pytest.mark.parametrize('name', KILLED)
def test_resume_after_a_kill(one, name):
    check(one, KILLED, name)


@pytest.mark.parametrize('name', KILLED_IN_TWO)
def test_resume_after_a_kill_in_two_processes(two, name):
    check(two, KILLED_IN_TWO, name)


def test_every_file_loads_without_running_code(one, two):
    files = [file for runs in (one, two) for file in runs.folder.rglob('*.pth')]
    assert len(files) > 30
    for file in files:
        checkpoint = torch.load(file, weights_only=True)
        assert checkpoint['message_hub']['plain_log_scalars']
        assert len(checkpoint['mmmutual_resume']['rng']) == (1 if one.folder in file.parents else 2)
    assert not [*one.folder.rglob('*.partial'), *two.folder.rglob('*.partial')]


def logged(cases):
    """The warnings of each case, with what run_many returns."""
    found = []
    for case in cases:
        with patch.object(MMLogger, 'callHandlers') as handle:
            result = run_many([case])[0]
        records = [call.args[0] for call in handle.call_args_list]
        found.append((result, [record.getMessage() for record in records if record.levelname == 'WARNING']))
    return found


@pytest.mark.parametrize('keep', [1, 2])
def test_old_files_are_removed_after_the_new_one_is_written(tmp_path, keep):
    def save_checkpoint(folder, name, *args, backend_args, **kwargs):
        assert backend_args == dict(backend='mmmutual_atomic')
        (tmp_path / name).touch()
        there.append(sorted(path.name for path in tmp_path.glob('*.pth')))

    there = []
    runner = SimpleNamespace(
        work_dir=str(tmp_path),
        logger=logging.getLogger('toy'),
        message_hub=MessageHub.get_instance(f'keep_{keep}'),
        model=torch.nn.Linear(1, 1),
        save_checkpoint=save_checkpoint,
        hooks=[],
        iter=0,
    )
    hook = ExactCheckpointHook(interval=1, max_keep_ckpts=keep)
    hook.before_train(runner)
    for runner.epoch in range(4):
        hook._save_checkpoint(runner)
        assert sorted(path.name for path in tmp_path.glob('*.pth')) == there[-1][-keep:]
    names = [f'epoch_{i}.pth' for i in (1, 2, 3, 4)]
    assert there == [names[max(0, i - keep - 1) : i] for i in (1, 2, 3, 4)]
    assert runner.message_hub.get_info('keep_ckpt_ids') == [1, 2, 3, 4][-keep:]
    hook._save_checkpoint_with_step(runner, 4, {})  # as after a new best score
    assert sorted(path.name for path in tmp_path.glob('*.pth')) == names[-keep:]


def test_a_run_without_seed_resumes_with_the_order_of_samples_it_had(tmp_path):
    full = dict(options('joint'), seed=None, work_dir=f'{tmp_path}/full', checkpoint=WITHIN)
    resumed = dict(full, work_dir=f'{tmp_path}/resumed', load_from=f'{tmp_path}/full/iter_4.pth', resume=True)
    run_alone(run_many, [full])
    run_alone(run_many, [resumed])
    assert toy.recorded(tmp_path / 'resumed') == toy.recorded(tmp_path / 'full')[4:]


def test_best_checkpoint_resumes_and_says_what_it_lacks(tmp_path):
    full = dict(options('joint'), work_dir=f'{tmp_path}/full', checkpoint=BEST, validate=True, log_level='INFO')
    run_alone(run_many, [full])
    (file,) = (tmp_path / 'full').glob('best_top1_*.pth')
    meta = torch.load(file, weights_only=True)['meta']
    more = dict(full, work_dir=f'{tmp_path}/more', epochs=4, load_from=str(file), resume=True)
    _, warnings = run_alone(logged, [more])[0]
    lines = [ast.literal_eval(line) for line in toy.recorded(tmp_path / 'more')]
    assert [line[0] for line in lines] == list(range(meta['iter'], 12))
    assert lines[0][1] == 0
    assert any('no optimiser' in text for text in warnings)
    assert not any('generator states' in text for text in warnings), 'a best checkpoint holds those, too'


def test_another_batch_size_goes_on_with_the_samples_that_are_left(tmp_path):
    full = dict(
        options('plain'), dataset=dict(size=24), work_dir=f'{tmp_path}/full', checkpoint=WITHIN, log_level='INFO'
    )
    run_alone(run_many, [full])
    more = dict(full, work_dir=f'{tmp_path}/more', batch=4, load_from=f'{tmp_path}/full/iter_4.pth', resume=True)
    _, warnings = run_alone(logged, [more])[0]
    before = [ast.literal_eval(line) for line in toy.recorded(tmp_path / 'full')]
    after = [ast.literal_eval(line) for line in toy.recorded(tmp_path / 'more')]
    # epoch 1 (of 0, 1, 2) had one batch of 8 behind it: two of 4
    assert [line[:2] for line in after] == [(6 + i, i) for i in range(2, 6)] + [(12 + i, i) for i in range(6)]
    assert sum((line[2] for line in after[:4]), []) == before[4][2] + before[5][2]
    assert any('iteration 4 becomes 8' in text for text in warnings)


def test_weights_only_leaves_generators_and_counters_alone(tmp_path):
    full = dict(options('joint'), work_dir=f'{tmp_path}/full', checkpoint=WITHIN)
    run_alone(run_many, [full])
    loaded = dict(full, log_level='INFO', load_from=f'{tmp_path}/full/iter_8.pth')
    _, warnings = run_alone(logged, [dict(loaded, work_dir=f'{tmp_path}/loaded')])[0]
    assert not any('generator' in text or 'becomes' in text for text in warnings)
    torch.save(torch.load(tmp_path / 'full' / 'iter_8.pth')['state_dict'], tmp_path / 'weights.pth')
    weights = dict(loaded, work_dir=f'{tmp_path}/weights', load_from=f'{tmp_path}/weights.pth')
    _, warnings = run_alone(logged, [weights])[0]
    assert not any('message_hub' in text for text in warnings)
    assert toy.recorded(tmp_path / 'loaded') == toy.recorded(tmp_path / 'weights')
    first = ast.literal_eval(toy.recorded(tmp_path / 'loaded')[0])
    assert first[:3] == ast.literal_eval(toy.recorded(tmp_path / 'full')[0])[:3]


def test_generators_of_another_number_of_processes_are_told(tmp_path):
    full = dict(options('plain'), work_dir=f'{tmp_path}/full', checkpoint=BY_EPOCH, log_level='INFO')
    run_alone(run_many, [full])
    for rng, words in ((None, 'holds none'), ([{}, {}], 'holds those of 2')):
        checkpoint = torch.load(tmp_path / 'full' / 'epoch_2.pth', weights_only=True)
        checkpoint['mmmutual_resume']['rng'] = rng
        torch.save(checkpoint, tmp_path / 'other.pth')
        case = dict(full, work_dir=f'{tmp_path}/more', load_from=f'{tmp_path}/other.pth', resume=True)
        _, warnings = run_alone(logged, [case])[0]
        assert any(words in text and '1 process(es) need' in text for text in warnings)
