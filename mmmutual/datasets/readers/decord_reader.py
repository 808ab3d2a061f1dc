"""Sparse video reading with decord, where that is exact."""

import importlib
import types

import numpy as np

from .checked_reader import CheckedReader, Disagreement


class DecordReader(CheckedReader):
    """A :class:`~mmmutual.datasets.readers.VideoReader` on decord, for plain H.264 in mp4, mov and mkv.

    Everything else goes to PyAV, see :class:`~mmmutual.datasets.readers.checked_reader.CheckedReader`: decord's last
    release (0.6.0, of 2021) returns other frames, or none, of AV1, mpg, avi and open groups of pictures.

    Args:
        path: the file.

    Raises:
        ImportError: decord is not installed.
        UnreadableMediaError: as :class:`~mmmutual.datasets.readers.PyAVReader`.
    """

    backend = 'decord'

    def __init__(self, path: str) -> None:
        self._decord = _import_decord()
        self._reader = None
        super().__init__(path)

    def _open_decoder(self, first: np.ndarray) -> None:
        errors = (self._decord.DECORDError, RuntimeError, AssertionError)  # as its constructor raises them
        try:
            self._reader = self._decord.VideoReader(self.path, num_threads=1)
        except errors as error:
            raise Disagreement('it does not open the file') from error
        # A keyframe is where it starts from. In an open group of pictures and behind an edit list it miscounts them.
        keys = np.searchsorted(self._index.pts, self._index.key_pts)
        if len(self._reader) != len(self) or not np.array_equal(self._reader.get_key_indices(), keys):
            raise Disagreement('it counts other frames or keyframes')
        self._require_same(self._decode_frames(np.array([0]))[0], first)

    def _decode_frames(self, numbers: np.ndarray) -> np.ndarray:
        try:
            return self._reader.get_batch(numbers.tolist()).asnumpy()
        except self._decord.DECORDError as error:
            raise Disagreement('it fails on a part of the file') from error

    def _close_decoder(self) -> None:
        self._reader = None


def _import_decord() -> types.ModuleType:
    # Only now, after PyAV: loaded before it, decord's older libraries take the place of PyAV's.
    try:
        decord = importlib.import_module('decord')
    except ImportError as error:
        raise ImportError(
            f"video reader 'decord' needs the package decord ({error}). Run: pip install decord"
        ) from error
    decord.logging.set_level(decord.logging.QUIET)  # what fails is said by us
    return decord
