"""Cross-entropy of every branch by hand."""

import math

import pytest
import torch

from mmmutual.models.losses import BranchCrossEntropy


def test_values_by_hand():
    logits = dict(
        rgb=torch.tensor([[0.0, 0.0], [math.log(3.0), 0.0]], dtype=torch.float64),
        flow=torch.tensor([[0.0, math.log(4.0)], [0.0, 0.0]], dtype=torch.float64),
    )
    losses = BranchCrossEntropy(loss_weight=2.0)(logits, torch.tensor([0, 0]))
    assert list(losses) == ['rgb', 'flow']
    assert losses['rgb'].item() == pytest.approx(2 * (math.log(2) - math.log(3 / 4)) / 2, rel=1e-12)
    assert losses['flow'].item() == pytest.approx(2 * (math.log(5) + math.log(2)) / 2, rel=1e-12)


def test_gradient_is_p_minus_onehot():
    z = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 2, 1, 1])
    (grad,) = torch.autograd.grad(BranchCrossEntropy()(dict(rgb=z), labels)['rgb'], z)
    onehot = torch.eye(3, dtype=torch.float64)[labels]
    torch.testing.assert_close(grad, ((torch.softmax(z, 1) - onehot) / 4).detach())


def test_label_smoothing():
    """(1 - s) of the label and s / C of every class."""
    z = torch.tensor([[1.0, 2.0, 4.0]], dtype=torch.float64)
    log_p = torch.log_softmax(z, 1)[0]
    expected = -(0.7 * log_p[2] + 0.3 / 3 * log_p.sum())
    loss = BranchCrossEntropy(label_smoothing=0.3)(dict(rgb=z), torch.tensor([2]))['rgb']
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)


def test_half_precision_logits_are_computed_in_float32():
    z = (torch.randn(8, 50, generator=torch.Generator().manual_seed(0)) * 5).bfloat16()
    labels = torch.arange(8)
    loss = BranchCrossEntropy()(dict(rgb=z), labels)['rgb']
    exact = BranchCrossEntropy()(dict(rgb=z.double()), labels)['rgb']
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=1e-5)
