"""What every video reader of the toolbox does, whatever decodes for it."""

from typing import Iterator, Protocol, Sequence

import numpy as np


class VideoReader(Protocol):
    """Frames of one video, by their number in display order.

    Whatever the decoder, the same file gives the same answers: RGB in *display* orientation (a rotation flag is
    applied), and as many frames as decode, never as many as a header claims. A reader that can't give that for a file
    raises; it never returns another picture. What can't be read raises
    :class:`~mmmutual.utils.errors.UnreadableMediaError`, with reason ``unreadable`` or ``no video stream``, when the
    file is opened or at the latest when it is asked for its length or frames.

    Readers hold a file open: use them in a ``with`` block or call :meth:`close`. They don't travel between processes.

    Attributes:
        path: the file.
    """

    path: str

    def __len__(self) -> int:
        """Number N of frames that decode."""

    @property
    def fps(self) -> float:
        """Mean frame rate in frames per second."""

    def get_frames(self, indices: Sequence[int]) -> np.ndarray:
        """Frames by number, 0 <= index < N, in the order asked for and as often as asked for.

        Args:
            indices: n frame numbers, in any order, repetitions allowed.

        Returns:
            uint8 (n, H, W, 3), RGB.

        Raises:
            IndexError: a number outside [0, N).
            UnreadableMediaError: nothing decodes, or less than the length first promised.
        """

    def __iter__(self) -> Iterator[np.ndarray]:
        """All N frames in order, uint8 (H, W, 3) each, one at a time: for whole videos that don't fit in memory."""

    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> 'VideoReader':
        """The reader itself."""

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
