"""Pictures put together from a ground and objects."""

from typing import Iterable

import numpy as np


def draw_over(picture: np.ndarray, layers: Iterable[np.ndarray]) -> np.ndarray:
    """Lay objects over a picture.

    Args:
        picture: float32 RGB (H, W, 3) in 0..255.
        layers: from ``drawing.place_sprite``, the last one on top.

    Returns:
        float32 RGB (H, W, 3) in 0..255.
    """
    for layer in layers:
        picture = picture * (1 - layer[..., 3:]) + layer[..., :3]
    return picture


def add_noise(picture: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Picture float32 RGB in 0..255 with grey-level noise, as uint8."""
    noisy = picture + level * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def to_mask(coverage: np.ndarray) -> np.ndarray:
    """Coverage in [0, 1] as a mask image: 255 where the object fills half of a pixel or more, else 0."""
    return np.where(coverage >= 0.5, 255, 0).astype(np.uint8)
