"""Resizing 8-bit frames as Pillow's bilinear filter does, which is anti-aliased when it shrinks."""

import math
from typing import Any, Dict, Tuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from mmmutual.registry import TRANSFORMS

from .frame_transform import FrameTransform, frame_size


def resize_frames(frames: Tensor, size: Tuple[int, int]) -> Tensor:
    """Resize frames bilinearly; every grey level agrees with Pillow's within 1.

    What is enlarged, as most random crops are, goes through OpenCV: its filter is the same then, and five times
    faster. What shrinks is resized along its rows by Pillow, all of them as one tall image, then along its columns
    by torch, whose 8-bit ``interpolate(antialias=True)`` takes no time and differs from Pillow only where a value
    lies half way between two levels; along both, such differences would add up to 2 levels.

    Args:
        frames: uint8 (F, C, H, W), planes or channels-last views of interleaved pixels.
        size: height and width of the result.

    Returns:
        uint8 (F, C, height, width), its memory laid out as that of ``frames``; ``frames`` itself if it has the size.
    """
    if tuple(frames.shape[2:]) == tuple(size):
        return frames
    interleaved = frames.shape[1] == 3 and frames.stride(1) == 1
    # Else each plane by itself: Pillow would take two channels of flow for grey and alpha (spec/mml.md 5.1).
    images = frames.permute(0, 2, 3, 1) if interleaved else frames.flatten(0, 1)
    if size[0] >= frames.shape[2] and size[1] >= frames.shape[3]:
        images = _enlarge(images, size)
    else:
        images = _resize_columns(_resize_rows(images, size[1]), size[0])
    return images.permute(0, 3, 1, 2) if interleaved else images.unflatten(0, frames.shape[:2])


def _enlarge(images: Tensor, size: Tuple[int, int]) -> Tensor:
    """Images (N, *size, ...) from (N, H, W) or (N, H, W, 3)."""
    out = torch.empty((len(images), *size, *images.shape[3:]), dtype=torch.uint8)
    for image, target in zip(images.numpy(), out.numpy()):
        cv2.resize(image, size[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
    return out


def _resize_rows(images: Tensor, width: int) -> Tensor:
    """Images (N, H, width, ...) from (N, H, W) or (N, H, W, 3)."""
    rows = images.contiguous().flatten(0, 1).numpy()
    rows = np.array(Image.fromarray(rows).resize((width, len(rows)), Image.BILINEAR))
    return torch.from_numpy(rows).unflatten(0, images.shape[:2])


def _resize_columns(images: Tensor, height: int) -> Tensor:
    """Images (N, height, W, ...) from (N, H, W) or (N, H, W, 3)."""
    rows = images.flatten(2)
    # Pixels beside each other don't meet here: four of them pass as channels, for which torch has a fast path.
    group = math.gcd(rows.shape[2], 4)
    pixels = rows.unflatten(2, (-1, group)).permute(0, 3, 1, 2)
    pixels = interpolate(pixels, (height, pixels.shape[3]), mode='bilinear', align_corners=False, antialias=True)
    return pixels.permute(0, 2, 3, 1).reshape(len(images), height, *images.shape[2:])


@TRANSFORMS.register_module()
class ResizeShortSide(FrameTransform):
    """Resize frames so that their short side has ``size`` pixels; the long side is rounded down.

    Args:
        size: short side in pixels.
    """

    def __init__(self, size: int = 256) -> None:
        super().__init__(size)

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Resize all frames alike."""
        height, width = frame_size(results)
        short = min(height, width)
        target = int(self.size * height / short), int(self.size * width / short)
        return self.apply(results, lambda frames: resize_frames(frames, target))
