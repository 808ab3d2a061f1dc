"""Two gloo processes with half the batch each against one process with the whole batch."""

from unittest.mock import patch

import pytest
import torch
import torch.distributed as dist
from mmengine.dataset import default_collate
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import nn

from mmmutual.engine import (
    BranchOptimWrapperConstructor,
    JointSchedule,
    MethodHook,
    MutualDistributedDataParallel,
    Update,
    UpdateSchedule,
)
from mmmutual.registry import HOOKS, MODELS
from tests.helpers import run_alone, run_distributed

from . import toy_methods as toy

# Unshuffled and of two processes, the second one has no v in the first batch, and none has it in the second.
GAPS = dict(shuffle=False, dataset=dict(without_v=(1, 3, 5, 7, *range(8, 16))))
FREEZE = dict(epochs=3, hooks=[dict(type='ToyFreeze')])
CASES = {
    **{method: dict(method=method) for method in toy.METHODS},
    **{
        f'{method} accumulated': dict(method=method, batch=12, optim=dict(accumulative_counts=n))
        for method, n in (('joint', 2), ('alternating', 3), ('inner', 4), ('two_losses', 3))
    },
    **{f'{method} with gaps': dict(method=method, **GAPS) for method in ('alternating', 'inner', 'two_losses')},
    'joint with gaps': dict(method='joint', wrapper=dict(find_unused_parameters=True), **GAPS),
    'plain': dict(method='plain'),
    'plain with gaps': dict(method='plain', wrapper=dict(find_unused_parameters=True), **GAPS),
    'plain, reduced by the driver': dict(method='plain', model=dict(schedule=dict(type='ToyNotPlain'))),
    'plain frozen': dict(method='plain', **FREEZE),
    'alternating frozen': dict(method='alternating', **FREEZE),
    'inner frozen': dict(method='inner', **FREEZE),
    'alternating reinitialised': dict(method='alternating', epochs=3, hooks=[dict(type='ToyReinitialise')]),
    'inner reinitialised': dict(method='inner', epochs=3, hooks=[dict(type='ToyReinitialise')]),
}


@MODELS.register_module()
class ToyNotPlain(JointSchedule):
    plain = False


@HOOKS.register_module()
class ToyFreeze(MethodHook):
    """Freezes one encoder for the second of three epochs."""

    def before_train_epoch(self, runner):
        super().before_train_epoch(runner)
        encoder = self.model(runner).encoders['v']
        if runner.epoch == 2:
            before = torch.cat([p.flatten() for p in encoder.parameters()])
            assert torch.equal(before, self.frozen_at), 'a frozen encoder was trained'
        self.set_trainable(encoder, runner.epoch != 1)
        self.frozen_at = torch.cat([p.detach().flatten().clone() for p in encoder.parameters()])


@HOOKS.register_module()
class ToyReinitialise(MethodHook):
    """New weights for one encoder at the third epoch, drawn from generators that differ between processes."""

    def begin_epoch(self, runner):
        if runner.epoch == 2:
            encoder = self.model(runner).encoders['v']
            torch.manual_seed(dist.get_rank() if dist.is_initialized() else 0)
            wrapper = getattr(runner.optim_wrapper, 'optim_wrappers', dict(main=runner.optim_wrapper))['main']
            old = encoder[0].weight.detach().clone()
            momentum = [dict(wrapper.optimizer.state[p]) for p in encoder.parameters()]
            assert all(state for state in momentum)
            self.reinitialise(runner, encoder, lambda module: [nn.init.normal_(p) for p in module.parameters()])
            assert not torch.equal(old, encoder[0].weight)
            assert not any(p in wrapper.optimizer.state for p in encoder.parameters())
            assert self.model(runner).head.weight in wrapper.optimizer.state


def train_cases(folder):
    """Final states by case, and for each call of DDP's forward whether it was going to reduce."""
    states, calls = {}, {}
    ddp = nn.parallel.DistributedDataParallel
    ddp_forward = ddp.forward
    for i, (name, case) in enumerate(CASES.items()):
        reduces = calls[name] = []

        def forward(self, *args, reduces=reduces, **kwargs):
            reduces.append(self.require_backward_grad_sync)
            return ddp_forward(self, *args, **kwargs)

        with patch.object(ddp, 'forward', forward):
            states[name] = toy.state(toy.run(work_dir=f'{folder}/{i}', **case))
    return states, calls


@pytest.fixture(scope='module')
def one(tmp_path_factory):
    return run_alone(train_cases, str(tmp_path_factory.mktemp('one')))[0]


@pytest.fixture(scope='module')
def two(tmp_path_factory):
    return run_distributed(train_cases, 2, str(tmp_path_factory.mktemp('two')))


@pytest.mark.parametrize('case', CASES)
def test_two_processes_equal_one(one, two, case):
    start = toy.build(CASES[case]['method']).state_dict()
    for name, value in one[case].items():
        assert not torch.equal(value, start[name]), f'{name} was not trained'
        for states, _ in two:
            torch.testing.assert_close(states[case][name], value, rtol=0, atol=1e-8, msg=name)


def test_only_plain_schedules_go_through_the_forward_of_ddp(two):
    for _, calls in two:
        assert calls['plain'] == calls['joint'] == [True] * 6
        assert calls['joint accumulated'] == [False, True] * 4, 'one reduction for all micro-batches'
        assert len(calls['plain frozen']) == 6, (
            'of three epochs of 3 iterations the frozen one is reduced by the driver'
        )
        for name in ('plain, reduced by the driver', 'alternating', 'inner', 'two_losses'):
            assert calls[name] == []


def test_both_reductions_give_the_same(two):
    states = two[0][0]
    for name, value in states['plain'].items():
        torch.testing.assert_close(value, states['plain, reduced by the driver'][name], rtol=0, atol=1e-12)


class Capture(nn.Module):
    """Keeps the gradients that modulators see."""

    def __init__(self):
        super().__init__()
        self.gradients = {}

    def forward(self, step):
        for name, p in step.model.named_parameters():
            if p.grad is not None:
                self.gradients[f'{step.name}.{name}'] = p.grad.clone()


def half(size=8):
    """The part of a batch that this process has."""
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    dataset = toy.ToyPairs(dtype='float32')
    return default_collate([dataset[i] for i in range(rank, size, world)])


def single_steps():
    """Losses and gradients of one step in float32, by method."""
    found = {}
    for method in toy.METHODS:
        model = toy.build(method, dtype='float32')
        capture = Capture()
        model.modulators.insert(0, capture)
        target = MutualDistributedDataParallel(model) if dist.is_initialized() else model
        logs = target.train_step(half(), toy.optim_wrapper(method, model))
        found[method] = capture.gradients, {name: value for name, value in logs.items() if 'loss' in name}
    return found


def misuse():
    """What is raised, and what a plain model does under stock wrappers."""
    messages = []
    for method in toy.METHODS:
        model = toy.build(method)
        wrapped, stock = (
            MMDistributedDataParallel(module=model),
            OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)),
        )
        with pytest.raises(RuntimeError) as raised:
            wrapped.train_step(half(), stock)
        messages.append(str(raised.value))

    class ByRank(UpdateSchedule):
        def updates(self, model, inputs, data_samples):
            name = 'av'[dist.get_rank()]
            encoder = model.encoders[name]
            yield Update(dict(loss=encoder(inputs[name]).mean()), name, params=list(encoder.parameters()))

    model = toy.build('plain', dtype='float32')
    model.schedule = ByRank()
    with pytest.raises(RuntimeError, match='different updates on different processes'):
        MutualDistributedDataParallel(model).train_step(half(), toy.optim_wrapper('plain', model))

    trained = []
    for ours in (False, True):
        model = toy.build('plain', dtype='float32')
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if ours:
            wrapper = BranchOptimWrapperConstructor(dict(optimizer=dict(type='SGD', lr=0.1)))(model)
            MutualDistributedDataParallel(model).train_step(half(), wrapper)
        else:
            MMDistributedDataParallel(module=model).train_step(half(), OptimWrapper(optimizer))
        trained.append(model.state_dict())
    with pytest.raises(TypeError, match=r'Linear.*another package set model_wrapper_cfg'):
        MutualDistributedDataParallel(nn.Linear(1, 1))
    return messages, trained


def both():
    return single_steps(), misuse()


@pytest.fixture(scope='module')
def steps():
    return run_distributed(both, 2)


@pytest.mark.parametrize('method', toy.METHODS)
def test_float32_losses_and_gradients_of_one_step(steps, method):
    gradients, losses = single_steps()[method]
    assert gradients
    for name, value in gradients.items():
        for found, _ in steps:
            torch.testing.assert_close(found[method][0][name], value, rtol=1e-5, atol=1e-5, msg=name)
    for name, value in losses.items():
        mean = sum(found[method][1][name] for found, _ in steps) / 2
        torch.testing.assert_close(mean, value, rtol=1e-5, atol=1e-5)


def test_a_foreign_wrapper_is_refused_unless_the_model_is_plain(steps):
    for _, (messages, (stock, ours)) in steps:
        for message in messages:
            assert "model_wrapper_cfg=dict(type='mmmutual.MutualDistributedDataParallel')" in message
        for name, value in stock.items():
            torch.testing.assert_close(ours[name], value, rtol=1e-6, atol=1e-6)


def test_the_model_wrapper_is_found_as_the_runner_looks_for_it():
    # Runner.wrap_model looks the type up in mmengine's root registry, which knows nothing of the default scope.
    from mmengine.registry import MODEL_WRAPPERS

    assert MODEL_WRAPPERS.get('mmmutual.MutualDistributedDataParallel') is MutualDistributedDataParallel
