"""The shift by copies against a plain loop and against mmaction2's."""

import pytest
import torch
from mmaction.models.backbones.resnet_tsm import TemporalShift as MMActionTemporalShift
from torch import nn

from mmmutual.models.encoders import TemporalShift, temporal_shift


def frames(clips=2, segments=3, channels=8, size=(3, 2), dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(clips * segments, channels, *size, generator=generator).to(dtype)


def loop_shift(x, segments, shift_div):
    """out[t] = x[t + 1] in the first fold of channels, x[t - 1] in the second, x[t] in the rest; 0 past the ends."""
    out = torch.zeros_like(x)
    fold = x.shape[1] // shift_div
    for n in range(x.shape[0]):
        clip, t = divmod(n, segments)
        for c in range(x.shape[1]):
            source = t + 1 if c < fold else t - 1 if c < 2 * fold else t
            if 0 <= source < segments:
                out[n, c] = x[clip * segments + source, c]
    return out


@pytest.mark.parametrize(
    ('segments', 'channels', 'shift_div'),
    [(3, 8, 8), (3, 8, 4), (4, 11, 3), (1, 8, 4), (2, 6, 8), (5, 4, 2), (3, 5, 1)],
)
def test_against_loop_and_mmaction(segments, channels, shift_div):
    x = frames(2, segments, channels)
    ours = temporal_shift(x, segments, shift_div)
    assert torch.equal(ours, loop_shift(x, segments, shift_div))
    assert torch.equal(ours, MMActionTemporalShift.shift(x, segments, shift_div))


@pytest.mark.parametrize('shift_div', [3, 4, 8])
def test_backward_is_the_transposed_shift(shift_div):
    """Copies have no rounding: the gradient equals that of mmaction2's concatenations exactly."""
    weight = frames(seed=1)
    grads = []
    for shift in (temporal_shift, MMActionTemporalShift.shift):
        x = frames().requires_grad_()
        (grad,) = torch.autograd.grad((shift(x, 3, shift_div) * weight).sum(), x)
        grads.append(grad)
    assert torch.equal(*grads)


def test_gradcheck():
    x = frames(1, 3, 6, (2, 1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: temporal_shift(x, 3, 3), (x,))
    assert torch.autograd.gradgradcheck(lambda x: temporal_shift(x, 3, 3) ** 2, (x,))


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
def test_memory_format_is_kept_both_ways(memory_format):
    x = frames(dtype=torch.float32).contiguous(memory_format=memory_format)
    other = torch.channels_last if memory_format is torch.contiguous_format else torch.contiguous_format
    x.requires_grad_()
    out = temporal_shift(x, 3, 4)
    out.backward(torch.ones_like(out))
    for tensor in (out, x.grad):
        assert tensor.is_contiguous(memory_format=memory_format)
        assert not tensor.is_contiguous(memory_format=other)
    assert torch.equal(out, loop_shift(x.detach(), 3, 4))


def test_strided_inputs_and_gradients():
    wide = frames(size=(3, 4))
    x = wide[..., ::2].requires_grad_()  # neither contiguous nor channels_last
    out = temporal_shift(x, 3, 4)
    assert torch.equal(out, loop_shift(x.detach(), 3, 4))
    ones, swapped = torch.ones(1, dtype=torch.float64).expand_as(out), frames(seed=2, size=(2, 3)).transpose(2, 3)
    for grad_out in (ones, swapped):
        (ours,) = torch.autograd.grad(temporal_shift(x, 3, 4), x, grad_out)
        (theirs,) = torch.autograd.grad(MMActionTemporalShift.shift(x.contiguous(), 3, 4), x, grad_out)
        assert torch.equal(ours, theirs)


def test_wrong_number_of_frames():
    with pytest.raises(ValueError, match='7 frames cannot be clips of num_segments=3'):
        temporal_shift(torch.zeros(7, 8, 1, 1), 3)


def test_module_wraps_a_net_under_the_names_of_mmaction():
    ours, theirs = TemporalShift(nn.Conv2d(8, 2, 1), 3, 4), MMActionTemporalShift(nn.Conv2d(8, 2, 1), 3, 4)
    theirs.load_state_dict(ours.state_dict())
    x = frames(dtype=torch.float32)
    torch.testing.assert_close(ours(x), theirs(x))
    assert torch.equal(ours(x), ours.net(temporal_shift(x, 3, 4)))
