"""What happens to stored inputs on the device: normalisation, and frame differences (spec/mml.md 2.5, 3.3)."""

from typing import Sequence, Union

import torch
from torch import Tensor, nn

from mmmutual.registry import MODELS

Numbers = Union[float, Sequence[float]]


@MODELS.register_module()
class NormalizeFrames(nn.Module):
    """(v - mean) / std for each channel.

    Args:
        mean: one value, or one per channel of a single frame; repeated over the frames of a segment.
        std: likewise.

    Raises:
        ValueError: if a std is not positive, or the lengths differ.
    """

    def __init__(self, mean: Numbers = 0.0, std: Numbers = 255.0) -> None:
        super().__init__()
        mean, std = _row(mean), _row(std)
        if mean.numel() != std.numel() and 1 not in (mean.numel(), std.numel()):
            raise ValueError(f'mean has {mean.numel()} values, std has {std.numel()}')
        if (std <= 0).any():
            raise ValueError(f'std must be positive, got {std.tolist()}')
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('std', std, persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Normalise.

        Args:
            frames: (..., C, H, W) uint8 or float; C is a multiple of the number of channel values.

        Returns:
            (..., C, H, W) float.

        Raises:
            ValueError: if C does not fit.
        """
        frames = frames if frames.is_floating_point() else frames.to(self.mean.dtype)
        return (frames - _spread(self.mean, frames)) / _spread(self.std, frames)


@MODELS.register_module()
class FrameDifference(NormalizeFrames):
    """RGBDiff: d_j = f_j - f_(j-1) of the L normalised frames of each segment, difference-major (spec/mml.md 3.3).

    Args:
        num_frames: L, frames per segment.
        mean: as of :class:`NormalizeFrames`.
        std: by default 255, so that differences are in [-1, 1].

    Raises:
        ValueError: if L is below 2.
    """

    def __init__(self, num_frames: int = 6, mean: Numbers = 0.0, std: Numbers = 255.0) -> None:
        super().__init__(mean, std)
        if num_frames < 2:
            raise ValueError(f'num_frames must be at least 2 for a difference, got {num_frames}')
        self.num_frames = num_frames

    def forward(self, frames: Tensor) -> Tensor:
        """(..., L * 3, H, W) to (..., (L - 1) * 3, H, W)."""
        if frames.shape[-3] % self.num_frames:
            raise ValueError(f'{frames.shape[-3]} channels cannot be {self.num_frames} frames')
        frames = super().forward(frames)
        channels = frames.shape[-3] // self.num_frames
        return frames[..., channels:, :, :] - frames[..., :-channels, :, :]


def _row(values: Numbers) -> Tensor:
    return torch.as_tensor(values, dtype=torch.get_default_dtype()).reshape(-1)


def _spread(values: Tensor, frames: Tensor) -> Tensor:
    channels = frames.shape[-3]
    if channels % values.numel():
        raise ValueError(f'{channels} channels cannot be normalised with {values.numel()} values of mean or std')
    return values.repeat(channels // values.numel()).view(-1, 1, 1)
