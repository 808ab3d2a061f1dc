"""Paths of an object through a 2 s clip. Opposite motions are each other played backwards."""

from typing import List, Tuple

import numpy as np

from .drawing import Pose

# +1: forwards in time, -1: the same path backwards. So the frames of two opposite motions have one distribution, and
# only their order tells which it is.
_DIRECTIONS = {
    'right': ('x', 1),
    'left': ('x', -1),
    'down': ('y', 1),
    'up': ('y', -1),
    'clockwise': ('angle', 1),
    'counterclockwise': ('angle', -1),
    'growing': ('radius', 1),
    'shrinking': ('radius', -1),
}
# Range of the mean radius, and of the speed of the edge, in pixels and pixels per frame.
_RADII = {'x': (13.0, 16.0), 'y': (13.0, 16.0), 'angle': (19.0, 23.0), 'radius': (20.0, 22.0)}
_SPEEDS = {'x': (1.7, 2.4), 'y': (1.5, 2.0), 'angle': (2.0, 2.8), 'radius': (1.3, 1.5)}


def make_path(
    motion: str, num_frames: int, size: Tuple[int, int], jitter: float, rng: np.random.Generator
) -> List[Pose]:
    """Where the object is in each frame, before the camera moves.

    Args:
        motion: a key of ``vocabulary.MOTION_PHRASES``.
        num_frames: T.
        size: frame width and height in pixels.
        jitter: scales how far place, size and speed are from their middle; 1 is the ranges above.
        rng: draws place, size, speed and the angle at the middle of the clip.

    Returns:
        T poses.
    """
    what, direction = _DIRECTIONS[motion]
    spread = min(jitter, 1.5)

    def draw(low: float, high: float) -> float:
        return (low + high) / 2 + spread * rng.uniform(low - high, high - low) / 2

    x, y = size[0] / 2 + draw(-7, 7), size[1] / 2 + draw(-5, 5)
    radius, speed, angle = draw(*_RADII[what]), draw(*_SPEEDS[what]), rng.uniform(0, 2 * np.pi)
    steps = direction * speed * (np.arange(num_frames) - (num_frames - 1) / 2)
    still = Pose(x, y, radius, angle)
    if what == 'angle':
        steps = steps / radius
    return [still._replace(**{what: getattr(still, what) + step}) for step in steps]
