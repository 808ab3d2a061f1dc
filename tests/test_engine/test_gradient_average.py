"""Averages over processes, bucket by bucket."""

import pytest
import torch
import torch.distributed as dist
from torch import nn

from mmmutual.engine import gradient_average
from mmmutual.engine.gradient_average import average_gradients
from tests.helpers import run_distributed


def parameters():
    """Gradients of rank 0 and 1; None: no gradient there."""
    rank = dist.get_rank()
    grads = [
        (torch.full((2, 3), 1.0), torch.full((2, 3), 4.0)),
        (None, torch.full((4,), 2.0)),
        (torch.full((5,), 3.0, dtype=torch.float64), None),
        (None, None),
        (torch.tensor(1.0), torch.tensor(2.0)),
        (torch.arange(6.0).view(2, 3).t(), torch.zeros(3, 2)),  # not contiguous
    ]
    params = []
    for of_ranks in grads:
        shape = next((g for g in of_ranks if g is not None), torch.zeros(2))
        p = nn.Parameter(torch.zeros_like(shape, memory_format=torch.contiguous_format))
        p.grad = of_ranks[rank]
        params.append(p)
    return params


def averaged():
    found = []
    for size in (1, 30, gradient_average.BUCKET_BYTES):
        gradient_average.BUCKET_BYTES = size
        params = parameters()
        average_gradients('u', params)
        found.append([p.grad for p in params])
    average_gradients('empty', [])
    return found


def at_different_updates():
    params = [nn.Parameter(torch.ones(1))]
    with pytest.raises(RuntimeError, match=f"different updates on different processes, here 'u{dist.get_rank()}'"):
        average_gradients(f'u{dist.get_rank()}', params)
    with pytest.raises(RuntimeError, match="different updates on different processes, here 'same'"):
        average_gradients('same', params * (1 + dist.get_rank()))
    return params[0].grad


def test_mean_over_processes_where_any_has_a_gradient():
    expected = [
        torch.full((2, 3), 2.5),
        torch.full((4,), 1.0),
        torch.full((5,), 1.5, dtype=torch.float64),
        None,
        torch.tensor(1.5),
        torch.arange(6.0).view(2, 3).t() / 2,
    ]
    for of_rank in run_distributed(averaged, 2):
        for grads in of_rank:
            for grad, value in zip(grads, expected):
                assert (grad is None) == (value is None)
                if value is not None:
                    torch.testing.assert_close(grad, value, rtol=0, atol=0)


def test_processes_at_different_updates_are_stopped():
    assert run_distributed(at_different_updates, 2) == [None, None]


def test_buckets_hold_one_type_and_a_limited_size(monkeypatch):
    monkeypatch.setattr(gradient_average, 'BUCKET_BYTES', 40)
    sizes = [(4, torch.float32), (6, torch.float32), (1, torch.float32), (1, torch.float64), (100, torch.float64)]
    grads = [torch.zeros(n, dtype=dtype) for n, dtype in sizes]
    assert [[g.numel() for g in bucket] for bucket in gradient_average._buckets(grads)] == [[4, 6], [1], [1], [100]]
