"""Textured grounds, and the camera that looks at them."""

from typing import Collection, Tuple

import cv2
import numpy as np

from .drawing import Pose, make_sprite, place_sprite

# Texture beyond the frame on each side, for the camera to move over, in pixels.
MARGIN = 18
GRAIN = 9.0
DISTRACTOR_SHAPES = ('circle', 'square', 'triangle', 'star', 'cross')


def _coordinates(shape: Tuple[int, int], rng: np.random.Generator) -> Tuple[np.ndarray, np.ndarray]:
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _plain(shape: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    u, _ = _coordinates(shape, rng)
    return (u - u.min()) / (u.max() - u.min())


def _stripes(shape: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    u, _ = _coordinates(shape, rng)
    return 0.5 + 0.5 * np.tanh(3 * np.sin(2 * np.pi * u / rng.uniform(9, 18)))


def _checks(shape: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    u, v = _coordinates(shape, rng)
    period = rng.uniform(16, 28)
    return 0.5 + 0.5 * np.tanh(4 * np.sin(2 * np.pi * u / period) * np.sin(2 * np.pi * v / period))


def _dots(shape: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    u, v = _coordinates(shape, rng)
    period = rng.uniform(11, 20)
    return 0.5 + 0.5 * np.tanh(4 * (np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period) - 0.7))


def _clouds(shape: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    total = np.zeros(shape, np.float32)
    for cells, weight in ((4, 1.0), (9, 0.6), (20, 0.35)):
        noise = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
        total += weight * cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return 0.5 + 0.5 * np.tanh(1.5 * total)


_TEXTURES = {'plain': _plain, 'stripes': _stripes, 'checks': _checks, 'dots': _dots, 'clouds': _clouds}


def make_ground(
    pattern: str,
    size: Tuple[int, int],
    contrast: float,
    num_distractors: int,
    rng: np.random.Generator,
    avoid: Collection[str] = (),
) -> np.ndarray:
    """A ground in two dull colours with small still shapes lying on it.

    Args:
        pattern: one of ``vocabulary.PATTERNS``.
        size: frame width and height in pixels.
        contrast: how far the two colours are apart, 0 (one colour) to 1 and more.
        num_distractors: small shapes on the ground.
        rng: draws colours, texture and distractors.
        avoid: shapes that no distractor may have; not all of DISTRACTOR_SHAPES.

    Returns:
        float32 (H + 2 * MARGIN, W + 2 * MARGIN, 3), RGB in 0..255.
    """
    width, height = size[0] + 2 * MARGIN, size[1] + 2 * MARGIN
    texture = _TEXTURES[pattern]((height, width), rng).astype(np.float32)[..., None]
    middle = rng.uniform(70, 165, 3)
    half = contrast * rng.uniform(18, 38) * rng.choice([-1, 1], 3) * rng.uniform(0.4, 1, 3)
    ground = np.clip(middle - half, 0, 255) * (1 - texture) + np.clip(middle + half, 0, 255) * texture
    # Grain that lies on the ground, so that a moving camera is seen on a plain ground too.
    grain = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 1.2)
    ground = ground + GRAIN * contrast * (grain / grain.std())[..., None]
    shapes = [shape for shape in DISTRACTOR_SHAPES if shape not in avoid]
    for _ in range(num_distractors):
        colour = tuple(rng.uniform(40, 220, 3))
        sprite = make_sprite(str(rng.choice(shapes)), colour, rng)
        where = rng.uniform((MARGIN, MARGIN), (width - MARGIN, height - MARGIN))
        layer = place_sprite(sprite, Pose(*where, rng.uniform(3.5, 6.5), rng.uniform(0, 6.28)), (width, height))
        ground = ground * (1 - layer[..., 3:]) + layer[..., :3]
    return ground.astype(np.float32)


def camera_path(num_frames: int, drift: float, shake: float, rng: np.random.Generator) -> np.ndarray:
    """Displacement of the picture by a hand-held camera.

    Played backwards it is as likely as forwards, so that it says nothing about the direction of a motion.

    Args:
        num_frames: T.
        drift: largest steady displacement, in pixels per frame.
        shake: size of the tremble, in pixels.
        rng: draws direction and tremble.

    Returns:
        float64 (T, 2), x and y in pixels, within MARGIN - 2 of zero.
    """
    direction = rng.uniform(0, 2 * np.pi)
    speed = rng.uniform(0, drift)
    steady = speed * np.array([np.cos(direction), np.sin(direction)])
    path = (np.arange(num_frames) - (num_frames - 1) / 2)[:, None] * steady
    tremble = cv2.GaussianBlur(rng.standard_normal((num_frames, 2)), (1, 5), 0.9, borderType=cv2.BORDER_REFLECT)
    return np.clip(path + shake * tremble, 2 - MARGIN, MARGIN - 2)


def view_ground(ground: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The part of a ground that a displaced camera sees, float32 (H, W, 3)."""
    height, width = ground.shape[0] - 2 * MARGIN, ground.shape[1] - 2 * MARGIN
    matrix = np.array([[1, 0, offset[0] - MARGIN], [0, 1, offset[1] - MARGIN]], np.float64)
    return cv2.warpAffine(ground, matrix, (width, height), flags=cv2.INTER_LINEAR)
