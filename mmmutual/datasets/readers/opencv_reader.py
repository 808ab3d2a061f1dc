"""Video reading with OpenCV, from the start to the last frame asked for."""

from typing import Optional

import cv2
import numpy as np

from .checked_reader import CheckedReader, Disagreement

_TOLERANCE = 0.5  # ms
_FAILURE = 'it does not open the file, or fails on a part of it'


class OpenCVReader(CheckedReader):
    """A :class:`~mmmutual.datasets.readers.VideoReader` on OpenCV, for plain H.264 in mp4, mov and mkv.

    OpenCV's seeking isn't exact, so the film is played up to each frame asked for: slow for few frames of a long
    video. The time of each frame must be that of its packet. Everything else goes to PyAV, see
    :class:`~mmmutual.datasets.readers.checked_reader.CheckedReader`.

    Args:
        path: the file.

    Raises:
        UnreadableMediaError: as :class:`~mmmutual.datasets.readers.PyAVReader`.
    """

    backend = 'opencv'

    def __init__(self, path: str) -> None:
        self._capture: Optional[cv2.VideoCapture] = None
        super().__init__(path)

    def _open_decoder(self, first: np.ndarray) -> None:
        # ms after the first frame
        self._times = (self._index.pts - self._index.pts[0]) * float(self._stream.time_base * 1000)
        self._first = first
        self._rewind()

    def _decode_frames(self, numbers: np.ndarray) -> np.ndarray:
        return np.stack([self._read(number) for number in numbers.tolist()])

    def _close_decoder(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _rewind(self) -> None:
        self._close_decoder()
        self._capture = cv2.VideoCapture(self.path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        self._number = -1
        self._grab()
        self._latest = self._retrieve()
        self._require_same(self._latest, self._first)

    def _read(self, number: int) -> np.ndarray:
        if number < self._number:
            self._rewind()
        if number == self._number:
            return self._latest
        while self._number < number:
            self._grab()
        picture = self._retrieve()
        if np.array_equal(picture, self._latest):
            # OpenCV 4.14 leaves the picture before in place, and calls it a success, when it can't convert a frame.
            raise Disagreement('two pictures in a row are equal, and it does not say if the second one failed')
        self._latest = picture
        return picture

    def _grab(self) -> None:
        if not self._capture.grab():
            raise Disagreement(_FAILURE)
        self._number += 1
        if abs(self._capture.get(cv2.CAP_PROP_POS_MSEC) - self._times[self._number]) > _TOLERANCE:
            raise Disagreement('it leaves out frames')

    def _retrieve(self) -> np.ndarray:
        done, picture = self._capture.retrieve()
        if not done or picture.ndim != 3:
            raise Disagreement(_FAILURE)
        return np.ascontiguousarray(picture[..., ::-1])
