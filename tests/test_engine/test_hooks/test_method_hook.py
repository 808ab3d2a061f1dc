"""The helps of methods' hooks; freezing and re-initialisation under DDP are tested in test_ddp.py."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.optim import OptimWrapperDict
from torch import nn

from mmmutual.datasets.samplers import ResumableSampler
from mmmutual.engine import MethodHook, MutualOptimWrapper

from .. import toy_methods as toy


@pytest.fixture
def runner():
    dataset = toy.ToyPairs(size=10, noise=1.0)
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=4, sampler=ResumableSampler(dataset, shuffle=True, seed=3), collate_fn=default_collate
    )
    return SimpleNamespace(model=toy.build('plain', dropout=0.5), train_dataloader=loader, epoch=2, iter=6)


class Drawing(torch.utils.data.Dataset):
    """Draws from the generators of the process, as foreign transforms do."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return torch.rand(1) + random.random() + np.random.rand()


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


def seed():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


def test_sweep_reads_every_batch_without_a_trace(runner):
    model = runner.model
    model.train()
    model.encoders['v'].eval()  # a frozen encoder, say
    before = {name: module.training for name, module in model.named_modules()}
    seed()
    expected = draws()
    seed()
    seen = []
    for batch in MethodHook().sweep(runner, runner.train_dataloader):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        seen += [sample.sample_idx for sample in batch['data_samples']]
        torch.rand(1)
    assert sorted(seen) == list(range(10))
    assert {name: module.training for name, module in model.named_modules()} == before
    assert torch.is_grad_enabled()
    assert draws() == expected


def test_sweep_restores_generators_that_the_data_draw_from(runner):
    runner.train_dataloader = torch.utils.data.DataLoader(Drawing())
    seed()
    expected = draws()
    seed()
    for batch in MethodHook().sweep(runner, runner.train_dataloader):
        assert batch.numel() == 1
    assert draws() == expected


def test_a_sweep_that_is_left_early_restores_too(runner):
    runner.model.train()
    sweep = MethodHook().sweep(runner, runner.train_dataloader)
    next(sweep)
    assert not runner.model.training
    sweep.close()
    assert runner.model.training


def test_sweep_comes_in_the_order_of_the_current_epoch(runner):
    def order():
        batches = MethodHook().sweep(runner, runner.train_dataloader)
        return [sample.sample_idx for batch in batches for sample in batch['data_samples']]

    first = order()
    runner.train_dataloader.sampler.set_epoch(0)  # as after a resume, before mmengine's own hook has told the epoch
    assert order() == first
    runner.epoch = 1
    assert order() != first


def test_begin_epoch_is_left_out_when_training_resumes_within_one(runner):
    class Count(MethodHook):
        calls = 0

        def begin_epoch(self, runner):
            self.calls += 1

    hook = Count()
    for runner.epoch, runner.iter, calls in ((0, 0, 1), (1, 3, 2), (1, 4, 2), (1, 6, 2), (2, 6, 3)):
        hook.before_train_epoch(runner)
        assert hook.calls == calls, (runner.epoch, runner.iter)


def test_set_trainable():
    layer = nn.Linear(2, 2)
    layer(torch.ones(1, 2)).sum().backward()
    MethodHook.set_trainable(layer, False)
    assert not layer.weight.requires_grad
    assert layer.weight.grad is None
    MethodHook.set_trainable(layer, True)
    assert layer.weight.requires_grad


@pytest.mark.parametrize('several', [False, True])
def test_reinitialise_forgets_momentum_of_that_module_only(runner, several):
    model = runner.model
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9) for module in (model.encoders, model.head)]
    if several:
        wrappers = dict(zip('ab', map(MutualOptimWrapper, optimizers)))
        runner.optim_wrapper = OptimWrapperDict(**wrappers)
    else:
        optimizers = [torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)]
        runner.optim_wrapper = MutualOptimWrapper(optimizers[0])
    sum(p.sum() for p in model.parameters()).backward()
    for optimizer in optimizers:
        optimizer.step()
    MethodHook.reinitialise(
        runner, model.encoders['a'], lambda module: [nn.init.constant_(p, 7) for p in module.parameters()]
    )
    known = {id(p) for optimizer in optimizers for p in optimizer.state}
    for name, p in model.named_parameters():
        own = name.startswith('encoders.a')
        assert (id(p) in known) != own
        assert bool((p == 7).all()) == own
