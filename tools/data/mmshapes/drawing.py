"""Shapes as textured sprites, placed with sub-pixel accuracy."""

from typing import Dict, NamedTuple, Tuple

import cv2
import numpy as np

SPRITE_SIDE = 96
SPRITE_RADIUS = 40.0
# Frames are drawn at twice their size and shrunk by area, so that edges are smooth and slow motion is continuous.
SUPERSAMPLING = 2


class Pose(NamedTuple):
    """Where an object is: centre and radius in pixels of the frame, angle in radians (clockwise as seen)."""

    x: float
    y: float
    radius: float
    angle: float


def regular_polygon(corners: int, start: float = -np.pi / 2) -> np.ndarray:
    """Corners of a regular polygon in the unit circle, (N, 2)."""
    angles = start + 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def star_polygon(points: int = 5, inner: float = 0.45) -> np.ndarray:
    """Corners of a star in the unit circle, (N, 2)."""
    corners = regular_polygon(2 * points)
    corners[1::2] *= inner
    return corners


def cross_polygon(arm: float = 0.36) -> np.ndarray:
    """Corners of a plus sign in the unit circle, (12, 2)."""
    quarter = np.array([[arm, -arm], [arm, -0.93], [-arm, -0.93]])
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in -np.pi / 2 * np.arange(4)]
    return np.concatenate([quarter @ turn.T for turn in turns])


def heart_polygon(samples: int = 40) -> np.ndarray:
    """Outline of a heart in the unit circle, (N, 2)."""
    t = 2 * np.pi * np.arange(samples) / samples
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x, y - 2.5], axis=1) / 17.0


POLYGONS: Dict[str, np.ndarray] = {
    'circle': regular_polygon(64) * 0.92,
    'square': regular_polygon(4, start=np.pi / 4),
    'triangle': regular_polygon(3),
    'star': star_polygon(),
    'ring': regular_polygon(64) * 0.95,
    'cross': cross_polygon(),
    'diamond': regular_polygon(4) * np.array([0.62, 1.0]),
    'heart': heart_polygon(),
}
HOLES: Dict[str, np.ndarray] = {'ring': regular_polygon(64) * 0.52}


def fill_polygon(image: np.ndarray, corners: np.ndarray, value: float) -> None:
    """Fill a polygon given in sprite units (unit circle) with sub-pixel corners, in place."""
    points = np.round((corners * SPRITE_RADIUS + SPRITE_SIDE / 2 - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(image, [points], value, lineType=cv2.LINE_AA, shift=4)


def shape_mask(shape: str) -> np.ndarray:
    """Coverage of a shape, float32 (SPRITE_SIDE, SPRITE_SIDE) in [0, 1]."""
    mask = np.zeros((SPRITE_SIDE, SPRITE_SIDE), np.uint8)
    fill_polygon(mask, POLYGONS[shape], 255)
    if shape in HOLES:
        fill_polygon(mask, HOLES[shape], 0)
    return mask.astype(np.float32) / 255.0


def make_sprite(shape: str, colour: Tuple[float, float, float], rng: np.random.Generator) -> np.ndarray:
    """A shape in a colour, with blotches that move with it (without them only its outline would have flow).

    Args:
        shape: name in :data:`POLYGONS`.
        colour: RGB in 0..255.
        rng: draws the blotches.

    Returns:
        Colour times coverage, and coverage: float32 (SPRITE_SIDE, SPRITE_SIDE, 4), RGB in 0..255.
    """
    blotches = cv2.resize(rng.uniform(-1, 1, (12, 12)).astype(np.float32), (SPRITE_SIDE,) * 2, cv2.INTER_CUBIC)
    mask = shape_mask(shape)
    # A dark rim keeps a shape visible on a ground of its own colour.
    rim = mask - cv2.erode(mask, np.ones((7, 7), np.uint8))
    brightness = (1.0 + 0.4 * np.clip(blotches, -1, 1)) * (1.0 - 0.55 * rim)
    rgb = np.clip(brightness[..., None] * np.asarray(colour, np.float32), 0, 255)
    return np.dstack([rgb * mask[..., None], mask]).astype(np.float32)


def place_sprite(sprite: np.ndarray, pose: Pose, size: Tuple[int, int]) -> np.ndarray:
    """A sprite on an empty frame.

    Args:
        sprite: from :func:`make_sprite`.
        pose: where.
        size: frame width and height in pixels.

    Returns:
        float32 (H, W, 4) as the sprite, coverage in [0, 1].
    """
    width, height = size
    scale = pose.radius * SUPERSAMPLING / SPRITE_RADIUS
    cos, sin = scale * np.cos(pose.angle), scale * np.sin(pose.angle)
    # Pixel centres: frame coordinate u is (u + 0.5) * SUPERSAMPLING - 0.5 in the enlarged frame.
    centre = (np.array([pose.x, pose.y]) + 0.5) * SUPERSAMPLING - 0.5
    middle = SPRITE_SIDE / 2 - 0.5
    linear = np.array([[cos, -sin], [sin, cos]])
    matrix = np.hstack([linear, (centre - linear @ [middle, middle])[:, None]])
    large = cv2.warpAffine(sprite, matrix, (width * SUPERSAMPLING, height * SUPERSAMPLING), flags=cv2.INTER_LINEAR)
    return cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
