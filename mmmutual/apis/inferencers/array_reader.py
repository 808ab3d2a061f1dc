"""Frames that are in memory already, read like a video."""

from typing import Iterator, Sequence

import numpy as np


class ArrayReader:
    """A :class:`~mmmutual.datasets.readers.VideoReader` of an array.

    Args:
        frames: RGB, uint8 (N, H, W, 3).
        path: what the clip is called in messages.
        fps: frames per second, which an array doesn't tell.
    """

    def __init__(self, frames: np.ndarray, path: str, fps: float = 25.0) -> None:
        self._frames = frames
        self.path = path
        self.fps = fps

    def __len__(self) -> int:
        return len(self._frames)

    def get_frames(self, indices: Sequence[int]) -> np.ndarray:
        """See :meth:`VideoReader.get_frames`; a copy."""
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size == 0 or wanted.min() < 0 or wanted.max() >= len(self):
            raise IndexError(f'{self.path}: frame numbers must be in [0, {len(self)}) and at least one, got {indices}')
        return self._frames[wanted]

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self._frames)

    def close(self) -> None:
        """Nothing to release: the array is the caller's."""

    def __enter__(self) -> 'ArrayReader':
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
