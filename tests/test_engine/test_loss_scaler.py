"""Loss scaling by hand."""

import pytest
import torch

from mmmutual.engine.loss_scaler import LossScaler


def test_scale_and_unscale_are_inverse_and_in_place():
    scaler = LossScaler(init_scale=8.0)
    assert scaler.scale_loss(torch.tensor(2.0, dtype=torch.float16)) == torch.tensor(16.0)
    assert scaler.scale_loss(torch.tensor(2.0, dtype=torch.float16)).dtype == torch.float32
    grads = [torch.tensor([8.0, -16.0]), torch.tensor(4.0)]
    kept = grads[0]
    scaler.unscale(grads)
    scaler.unscale([])
    assert kept.tolist() == [1.0, -2.0]
    assert grads[1] == 0.5
    assert scaler.may_step()


@pytest.mark.parametrize('bad', [float('inf'), float('-inf'), float('nan')])
def test_overflow_of_any_gradient_since_the_last_step_forbids_one_step(bad):
    scaler = LossScaler(init_scale=8.0, growth_interval=2)
    scaler.unscale([torch.tensor([1.0, bad]), torch.ones(2)])
    scaler.unscale([torch.ones(3)])
    assert not scaler.may_step()
    assert scaler.scale == 4
    scaler.unscale([torch.ones(3)])
    assert scaler.may_step()
    assert scaler.scale == 4
    assert scaler.may_step()
    assert scaler.scale == 8


def test_an_overflow_starts_the_count_anew():
    scaler = LossScaler(init_scale=8.0, growth_interval=2)
    for value, allowed, scale in ((1.0, True, 8), (float('inf'), False, 4), (1.0, True, 4), (1.0, True, 8)):
        scaler.unscale([torch.tensor([value])])
        assert scaler.may_step() == allowed
        assert scaler.scale == scale


def test_state():
    scaler, other = LossScaler(init_scale=8.0, growth_interval=2), LossScaler(growth_interval=2)
    scaler.may_step()
    other.load_state_dict(scaler.state_dict())
    other.may_step()
    assert (other.scale, other.good_steps) == (16, 0)
