"""MML on two processes with half the batch each is MML on one process with the whole batch (design, "Multi-GPU").

Dropout is off and batch norms are frozen: statistics of half a batch are others than those of the whole.
"""

import pytest
import torch
import torch.distributed as dist
from mmengine.optim import build_optim_wrapper

from mmmutual.engine import MutualDistributedDataParallel
from mmmutual.models.modulators import Modulator
from mmmutual.registry import MODELS

from ...helpers import run_distributed
from ..classifier_parts import clip_batch, clip_classifier, samples

PEERS = {2: ('rgb', 'flow'), 3: ('rgbdiff', 'flow', 'rgb')}
STEPS = {torch.float64: 3, torch.float32: 1}
BATCH, MAX_NORM = 4, 0.5
COLLECTIVES = [
    'all_gather', 'all_gather_into_tensor', 'all_gather_object', 'all_reduce', 'all_to_all', 'barrier', 'broadcast',
    'broadcast_object_list', 'gather', 'reduce', 'reduce_scatter', 'scatter',
]  # fmt: skip


@MODELS.register_module()
class CopyGradients(Modulator):
    """Keeps the averaged gradients of the last step, before clipping."""

    def forward(self, step):
        self.grads = {name: p.grad.clone() for name, p in step.model.named_parameters()}


def train(peers, dtype, steps):
    """Losses, gradients and parameters of a few steps, of this process."""
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    torch.manual_seed(0)
    model = clip_classifier(PEERS[peers], modulators=[dict(type='CopyGradients')]).to(dtype)
    model.init_weights()
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='mmmutual.MutualOptimWrapper',
            constructor='mmmutual.BranchOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4),
            paramwise_cfg=dict(groups='tsm', fc_lr5=True),
            clip_grad=dict(max_norm=MAX_NORM),
        ),
    )
    network = MutualDistributedDataParallel(model) if world > 1 else model
    network.eval()
    logs, first = [], {name: p.detach().clone() for name, p in model.named_parameters()}
    forbid_collectives()
    try:
        for step in range(steps):
            inputs, labels = clip_batch(PEERS[peers], BATCH, seed=step)
            mine = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
            data = dict(inputs={k: v[mine] for k, v in inputs.items()}, data_samples=samples(labels[mine]))
            logs.append({k: v.double().item() for k, v in network.train_step(data, wrapper).items()})
    finally:
        allow_collectives()
    params = {name: p.detach().clone() for name, p in model.named_parameters()}
    return dict(logs=logs, grads=model.modulators[0].grads, first=first, params=params)


def forbid_collectives():
    """Whoever communicates from python fails; DDP averages gradients in its own reducer."""
    for name in COLLECTIVES:
        setattr(dist, f'_{name}_', getattr(dist, name))
        setattr(dist, name, communicates)


def allow_collectives():
    for name in COLLECTIVES:
        setattr(dist, name, getattr(dist, f'_{name}_'))


def communicates(*args, **kwargs):
    raise AssertionError('means over the batch need no communication beside the average of gradients')


def close(ours, reference, tolerance):
    assert ours.keys() == reference.keys()
    for name, value in reference.items():
        error = (ours[name] - value).abs().max() / value.abs().max().clamp(min=1e-3)
        assert error < tolerance, (name, error)


def train_all():
    """Several steps in float64 and one in float32, with two and with three peers."""
    return {(peers, dtype): train(peers, dtype, steps) for peers in PEERS for dtype, steps in STEPS.items()}


@pytest.fixture(scope='module')
def runs():
    """What one process has got, and what each of two."""
    return train_all(), run_distributed(train_all, 2)


@pytest.mark.parametrize('peers', PEERS)
def test_parameters_after_several_steps_in_float64(runs, peers):
    one, *two = (run[peers, torch.float64] for run in (runs[0], *runs[1]))
    for result in two:
        close(result['params'], one['params'], 1e-8)
    assert all(not torch.equal(one['first'][name], value) for name, value in one['params'].items())
    for step, log in enumerate(one['logs']):
        for name in PEERS[peers]:
            assert log[f'{name}.grad_norm'] > MAX_NORM  # clipping is active, each peer by its own norm
            assert two[0]['logs'][step][f'{name}.grad_norm'] == pytest.approx(log[f'{name}.grad_norm'], rel=1e-8)
            assert log[f'{name}.loss_mutual'] > 1e-3


@pytest.mark.parametrize('peers', PEERS)
def test_losses_and_gradients_of_one_step_in_float32(runs, peers):
    one, *two = (run[peers, torch.float32] for run in (runs[0], *runs[1]))
    for result in two:
        close(result['grads'], one['grads'], 1e-5)
    for name, value in one['logs'][0].items():
        mean = (two[0]['logs'][0][name] + two[1]['logs'][0][name]) / 2
        assert mean == pytest.approx(value, rel=1e-5, abs=1e-6)
