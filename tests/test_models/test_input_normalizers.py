"""Normalisation and frame differences by hand."""

import pytest
import torch

from mmmutual.models import FrameDifference, NormalizeFrames


def pixels(*values, height=1, width=2):
    """(C, H, W) uint8 with one value per channel."""
    return torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1).expand(-1, height, width).contiguous()


def values(frames):
    """One value per channel, after checking that a channel has only one."""
    assert torch.equal(frames, frames[..., :1, :1].expand_as(frames))
    return frames[..., 0, 0].tolist()


def test_one_value_per_channel_of_a_frame_is_repeated_over_frames():
    normalize = NormalizeFrames(mean=[10.0, 20.0, 30.0], std=[1.0, 2.0, 4.0])
    out = normalize(pixels(11, 26, 0, 0, 20, 34))
    assert values(out) == [1.0, 3.0, -7.5, -10.0, 0.0, 1.0]
    assert out.dtype == torch.float32


def test_one_value_for_all_channels():
    assert values(NormalizeFrames(127.5, 57.63)(pixels(0, 255))) == pytest.approx([-127.5 / 57.63, 127.5 / 57.63])
    assert values(NormalizeFrames([100.0, 50.0], 2.0)(pixels(0, 0, 2, 2))) == [-50.0, -25.0, -49.0, -24.0]


def test_uint8_does_not_wrap_around():
    assert values(NormalizeFrames(mean=200.0, std=1.0)(pixels(0, 255))) == [-200.0, 55.0]


def test_default_is_the_unit_interval():
    assert values(NormalizeFrames()(pixels(0, 51, 255))) == pytest.approx([0.0, 0.2, 1.0])


def test_float_frames_keep_their_type():
    frames = torch.full((2, 4, 3, 5, 5), 3.0, dtype=torch.float64)
    out = NormalizeFrames(1.0, 4.0).double()(frames)
    assert out.dtype == torch.float64
    assert torch.equal(out, torch.full_like(frames, 0.5))


def test_differences_are_difference_major_with_rgb_inside():
    """d_j = f_j - f_(j-1), j = 1 .. L - 1 (spec/mml.md 3.3)."""
    f0, f1, f2 = (10, 20, 30), (15, 18, 30), (0, 255, 31)
    out = FrameDifference(num_frames=3, std=1.0)(pixels(*f0, *f1, *f2))
    assert values(out) == [5.0, -2.0, 0.0, -15.0, 237.0, 1.0]


def test_differences_of_a_batch_are_in_minus_one_to_one():
    frames = torch.randint(0, 256, (2, 4, 18, 3, 3), dtype=torch.uint8)
    out = FrameDifference()(frames)
    assert out.shape == (2, 4, 15, 3, 3)
    x = frames.float() / 255
    for j in range(5):
        for c in range(3):
            expected = x[:, :, 3 * (j + 1) + c] - x[:, :, 3 * j + c]
            torch.testing.assert_close(out[:, :, 3 * j + c], expected)
    assert out.abs().max() <= 1


def test_normalisation_comes_before_the_differences():
    out = FrameDifference(num_frames=2, mean=[1.0, 2.0], std=[1.0, 10.0])(pixels(5, 50, 7, 70))
    assert values(out) == [2.0, 2.0]


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: NormalizeFrames([1, 2], [1, 2, 3]), 'mean has 2 values, std has 3'),
        (lambda: NormalizeFrames(0, [1.0, 0.0]), r'std must be positive, got \[1.0, 0.0\]'),
        (lambda: NormalizeFrames([1, 2, 3], 1)(pixels(1, 2, 3, 4)), '4 channels cannot be normalised with 3 values'),
        (lambda: FrameDifference()(pixels(*range(10))), '10 channels cannot be 6 frames'),
        (lambda: FrameDifference(num_frames=1), 'num_frames must be at least 2 for a difference, got 1'),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_constants_are_not_in_checkpoints():
    assert not NormalizeFrames().state_dict()
    assert NormalizeFrames(2.0).half().mean.dtype == torch.float16  # but move with the model
