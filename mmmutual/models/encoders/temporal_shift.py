"""Temporal shift (TSM, ICCV 2019; spec/mml.md 3.2) by copies, with its own backward."""

from typing import Any, Tuple

import torch
from torch import Tensor, nn


class _Shift(torch.autograd.Function):
    """mmaction2 concatenates five pieces twice and loses channels_last; this writes each value once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, num_segments: int, fold: int, backwards: bool) -> Tensor:
        ctx.setting = (num_segments, fold, not backwards)
        out = torch.empty_like(x)  # keeps the memory format
        shape = (-1, num_segments, *x.shape[1:])
        source, target = x.view(shape), out.view(shape)
        first, second = slice(0, fold), slice(fold, 2 * fold)
        to_past, to_future = (second, first) if backwards else (first, second)
        target[:, :-1, to_past] = source[:, 1:, to_past]
        target[:, -1, to_past] = 0
        target[:, 1:, to_future] = source[:, :-1, to_future]
        target[:, 0, to_future] = 0
        target[:, :, 2 * fold :] = source[:, :, 2 * fold :]
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, None, None, None]:
        num_segments, fold, backwards = ctx.setting
        if not (grad.is_contiguous() or grad.is_contiguous(memory_format=torch.channels_last)):
            grad = grad.contiguous()
        return _Shift.apply(grad, num_segments, fold, backwards), None, None, None


def temporal_shift(x: Tensor, num_segments: int, shift_div: int = 8) -> Tensor:
    """Shift channels [0, fold) one segment to the past and [fold, 2 fold) one to the future; zeros fill the ends.

    Args:
        x: (B * T, C, H, W), contiguous or channels_last.
        num_segments: T.
        shift_div: fold = C // shift_div.

    Returns:
        (B * T, C, H, W), in the memory format of ``x``.

    Raises:
        ValueError: if the first dimension is no multiple of T.
    """
    if x.shape[0] % num_segments:
        raise ValueError(f'{x.shape[0]} frames cannot be clips of num_segments={num_segments}')
    if not (x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)):
        x = x.contiguous()
    return _Shift.apply(x, num_segments, x.shape[1] // shift_div, False)


class TemporalShift(nn.Module):
    """Shift, then ``net``. Parameter names are those of mmaction2's TemporalShift.

    Args:
        net (nn.Module): sees the shifted frames (B * T, C, H, W).
        num_segments (int): T.
        shift_div (int): 1 / shift_div of the channels go each way.
    """

    def __init__(self, net: nn.Module, num_segments: int, shift_div: int = 8) -> None:
        super().__init__()
        self.net = net
        self.num_segments = num_segments
        self.shift_div = shift_div

    def forward(self, x: Tensor) -> Tensor:
        """(B * T, C, H, W) to whatever ``net`` makes of it."""
        return self.net(temporal_shift(x, self.num_segments, self.shift_div))
