"""Where the segments of a clip start: the rules of spec/mml.md 2.4 as pure functions of numbers of frames.

All offsets are counted from 0. N is the number of frames of a clip, L the consecutive frames that a segment takes, T
the number of segments, D the extent of a dense clip in frames.
"""

from typing import Dict, List

import numpy as np
from numpy import ndarray


def uniform_train_offsets(num_frames: int, length: int, num_segments: int) -> ndarray:
    """A random start in each of T equal parts; draws one vector.

    Args:
        num_frames: N >= 1.
        length: L.
        num_segments: T.

    Returns:
        Starts (T,) int64.
    """
    positions = num_frames - length + 1
    average = positions // num_segments
    if average > 0:
        return np.arange(num_segments) * average + np.random.randint(average, size=num_segments)
    if num_frames > num_segments:
        return np.sort(np.random.randint(max(positions, 1), size=num_segments))
    return np.zeros(num_segments, dtype=np.int64)


def dense_offsets(start: int, num_frames: int, num_segments: int, dense_length: int) -> ndarray:
    """Starts (T,) of a dense clip: every D // T frames from ``start`` on, wrapped around at N."""
    return (np.arange(num_segments) * (dense_length // num_segments) + start) % num_frames


def random_dense_start(num_frames: int, dense_length: int) -> int:
    """A random start of a dense clip; draws once if there is more than one. The last one is never drawn (6.12)."""
    positions = max(1, 1 + num_frames - dense_length)
    return 0 if positions == 1 else int(np.random.randint(0, positions - 1))


def dense_starts(num_frames: int, dense_length: int, dense_number: int) -> List[int]:
    """Starts of the ``dense_number`` dense clips of a test: evenly spread, or the middle one."""
    last = max(1, 1 + num_frames - dense_length) - 1
    if dense_number == 1:
        return [int(last / 2)]
    return np.linspace(0, last, dense_number).astype(np.int64).tolist()


def uniform_val_offsets(num_frames: int, length: int, num_segments: int) -> ndarray:
    """Middles of T equal parts (T,); all 0 when N <= T + L - 1."""
    if num_frames > num_segments + length - 1:
        return half_offsets(num_frames, length, num_segments)
    return np.zeros(num_segments, dtype=np.int64)


def half_offsets(num_frames: int, length: int, num_segments: int) -> ndarray:
    """Middles of T equal parts (T,), 0 at the least (6.28)."""
    tick = (num_frames - length + 1) / num_segments
    return np.maximum((tick / 2 + tick * np.arange(num_segments)).astype(np.int64), 0)


def zero_offsets(num_frames: int, length: int, num_segments: int) -> ndarray:
    """Beginnings of T equal parts (T,), 0 at the least: the second clip of ``twice_sample``."""
    tick = (num_frames - length + 1) / num_segments
    return np.maximum((tick * np.arange(num_segments)).astype(np.int64), 0)


def shortest(num_frames: Dict[str, int], lengths: Dict[str, int], range_length: str) -> Dict[str, int]:
    """N and L that bound the starts which all inputs of a sample share.

    Args:
        num_frames: input name -> N.
        lengths: input name -> L.
        range_length: ``'max'``: the largest L of the inputs that have the smallest N; ``'first'``: the L of the
            first of them, so that the others may repeat the last frame (the original's rule, 6.19).

    Returns:
        dict(num_frames=..., length=...)
    """
    fewest = min(num_frames.values())
    candidates = [lengths[name] for name, count in num_frames.items() if count == fewest]
    return dict(num_frames=fewest, length=max(candidates) if range_length == 'max' else candidates[0])


def jitter(num_frames: Dict[str, int]) -> Dict[str, int]:
    """A constant shift for each input, up to its surplus over the shortest; draws once per input, in order."""
    fewest = min(num_frames.values())
    return {name: int(np.random.randint(count - fewest + 1)) for name, count in num_frames.items()}


def frames_from(offsets: ndarray, length: int, num_frames: int) -> ndarray:
    """The L frames of each segment; past the end the last frame is repeated.

    Args:
        offsets: starts (S,).
        length: L.
        num_frames: N.

    Returns:
        Frame numbers (S, L) int64 in [0, N).
    """
    return np.minimum(offsets[:, None] + np.arange(length), num_frames - 1).astype(np.int64)
