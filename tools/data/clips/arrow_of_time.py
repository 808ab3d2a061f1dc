"""Clips whose class is the direction in which time runs."""

from collections import deque
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional

import numpy as np

from mmmutual.utils.frame_folders import resize_short_side

CLASSES = ('forward', 'reversed', 'still')


class Window(NamedTuple):
    """Consecutive frames of a video: the number of the first, from 0, and the frames, uint8 (H, W, 3) each."""

    start: int
    frames: List[np.ndarray]


def cut_windows(frames: Iterable[np.ndarray], length: int, stride: int, short_side: int) -> Iterator[Window]:
    """Windows of a video that start every ``stride`` frames; what is left at the end is shorter and is dropped.

    Args:
        frames: uint8 (H, W, 3) each; ``length`` of them are held at a time.
        length: frames per window.
        stride: frames from one start to the next.
        short_side: to which the frames are resized, pixels.
    """
    held = deque(maxlen=length)
    for number, frame in enumerate(frames, start=1):
        held.append(resize_short_side(frame, short_side))
        start = number - length
        if start >= 0 and start % stride == 0:
            yield Window(start, list(held))


def variants(frames: List[np.ndarray]) -> Optional[Dict[str, List[np.ndarray]]]:
    """The three clips of a window by class; None where nothing changes, as then they are the same clip.

    The still one repeats the middle frame.
    """
    if all(np.array_equal(frame, frames[0]) for frame in frames):
        return None
    return dict(zip(CLASSES, (frames, frames[::-1], [frames[len(frames) // 2]] * len(frames))))
