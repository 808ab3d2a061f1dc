"""Log values reach the message hub as by mmengine's own hook, with fewer reads from the device."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import MessageHub

from mmmutual.engine import DeferredRuntimeInfoHook


def runner(name, hooks, batches=7, epochs=2):
    hub = MessageHub.get_instance(f'deferred_{name}')
    loader = torch.utils.data.DataLoader(range(batches))
    return SimpleNamespace(
        hooks=hooks,
        message_hub=hub,
        iter=0,
        epoch=0,
        max_epochs=epochs,
        max_iters=batches * epochs,
        train_dataloader=loader,
    )


def play(hook, runner):
    """Two epochs of made-up values; returns how many values the hub holds after each iteration."""
    hook.before_train(runner)
    held = []
    for epoch in range(runner.max_epochs):
        runner.epoch = epoch
        for i in range(len(runner.train_dataloader)):
            outputs = dict(loss=torch.tensor(runner.iter / 7, dtype=torch.float64), norm=torch.tensor(runner.iter / 3))
            if i == 1:
                outputs['rare'] = torch.tensor(5, dtype=torch.int64)
            hook.after_train_iter(runner, i, None, outputs)
            runner.iter += 1
            scalars = runner.message_hub.log_scalars
            held.append(len(scalars['train/loss'].data[0]) if 'train/loss' in scalars else 0)
    return held


@pytest.fixture
def reads(monkeypatch):
    counts = []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, 'tolist', lambda self: (counts.append(self.numel()), tolist(self))[1])
    return counts


def test_same_history_with_one_read_per_interval(reads):
    stock, ours = runner('stock', []), runner('ours', [LoggerHook(interval=3), LoggerHook(interval=5)])
    play(RuntimeInfoHook(), stock)
    held = play(DeferredRuntimeInfoHook(), ours)
    # at the smallest interval within an epoch or of all iterations, and at the end of an epoch
    assert held == [0, 0, 3, 3, 3, 6, 7, 7, 9, 10, 10, 12, 13, 14]
    assert len(reads) == 8
    assert sum(reads) == 14 + 14 + 2
    for name in ('loss', 'norm', 'rare'):
        values = [hub.message_hub.get_scalar(f'train/{name}').data[0].tolist() for hub in (stock, ours)]
        assert values[0] == values[1]


def test_without_a_logger_hook_nothing_is_held_back():
    assert play(DeferredRuntimeInfoHook(), runner('bare', [])) == list(range(1, 15))


def test_flush_hands_over_what_is_pending():
    hook, target = DeferredRuntimeInfoHook(), runner('flush', [LoggerHook(interval=10)])
    hook.before_train(target)
    hook.after_train_iter(target, 0, None, dict(loss=torch.tensor(2.0)))
    assert 'train/loss' not in target.message_hub.log_scalars
    hook.flush(target)
    hook.flush(target)
    assert target.message_hub.get_scalar('train/loss').data[0].tolist() == [2.0]
