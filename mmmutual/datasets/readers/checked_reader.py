"""Other decoders than PyAV's, used where they are known to give its frames."""

import itertools
import logging
from abc import ABC, abstractmethod
from contextlib import closing
from typing import Iterator, Optional, Sequence, Set, Tuple

import numpy as np
from av.sidedata.sidedata import Type
from mmengine.logging import print_log

from .plain_h264 import why_not_plain
from .pyav_reader import PyAVReader, _decode

# Mean absolute difference, in levels of 255: 10-bit pictures are rounded by up to 2, wrong ones are off by tens.
_ROUNDING = 3.0
_told: Set[Tuple[str, str]] = set()


class Disagreement(Exception):
    """The decoder can't give the frames that PyAV gives; the text says why, in general terms."""


class CheckedReader(PyAVReader, ABC):
    """A :class:`PyAVReader` whose pictures another decoder makes, as long as the two agree.

    PyAV reads the packets and says how many frames there are. The decoder makes the pictures of plain H.264 (see
    :mod:`~mmmutual.datasets.readers.plain_h264`) that is neither turned nor mirrored, if its first picture is PyAV's.
    Everything else, and every file from the moment that the decoder fails on it, is left to PyAV: a warning says so,
    once per process and reason.

    A subclass names itself in ``backend`` and implements :meth:`_open_decoder`, :meth:`_decode_frames` and
    :meth:`_close_decoder`; the first two raise :class:`Disagreement`.
    """

    backend: str

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._in_use: Optional[bool] = None  # not known before the first frame

    @abstractmethod
    def _open_decoder(self, first: np.ndarray) -> None:
        """Open the file; ``first``: its first picture by PyAV, see :meth:`_require_same`."""

    @abstractmethod
    def _decode_frames(self, numbers: np.ndarray) -> np.ndarray:
        """Pictures of these frames (int64 (n,), increasing), uint8 (n, H, W, 3)."""

    @abstractmethod
    def _close_decoder(self) -> None:
        """Release the file; also when it was not opened or is closed."""

    def get_frames(self, indices: Sequence[int]) -> np.ndarray:
        """See :meth:`VideoReader.get_frames`."""
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and wanted.min() >= 0 and wanted.max() < len(self):
            distinct, places = np.unique(wanted, return_inverse=True)
            pictures = self._try(distinct)
            if pictures is not None:
                return pictures[places]
        return super().get_frames(indices)

    def __iter__(self) -> Iterator[np.ndarray]:
        for number in range(len(self)):
            pictures = self._try(np.array([number]))
            if pictures is None:
                yield from itertools.islice(super().__iter__(), number, None)
                return
            yield pictures[0]

    def close(self) -> None:
        """Release the file and the packets."""
        self._in_use = False
        self._close_decoder()
        super().close()

    def _try(self, numbers: np.ndarray) -> Optional[np.ndarray]:
        """Pictures by the decoder, or None where it is left out."""
        try:
            if self._in_use is None:
                self._start()
                self._in_use = True
            return self._decode_frames(numbers) if self._in_use else None
        except Disagreement as error:
            self._in_use = False
            self._close_decoder()
            if (self.backend, str(error)) not in _told:
                _told.add((self.backend, str(error)))
                print_log(
                    f'{self.path} is read by PyAV, not by {self.backend}: {error}. '
                    'So are others like it, without further notice',
                    logger='current',
                    level=logging.WARNING,
                )
            return None

    def _start(self) -> None:
        reason = why_not_plain(self._container.format.name, self._stream, self._packets)
        if reason is None and self._index is None:
            reason = 'the order of its frames is not known before they are decoded'
        if reason is not None:
            raise Disagreement(reason)
        with closing(_decode(self._stream, self._packets)) as frames:
            frame = next(frames, None)
        if frame is None:
            raise Disagreement('no frame decodes')
        if frame.side_data.get(Type.DISPLAYMATRIX) is not None:
            raise Disagreement('its pictures are to be turned or mirrored')
        self._open_decoder(self._picture(frame))

    @staticmethod
    def _require_same(picture: np.ndarray, by_pyav: np.ndarray) -> None:
        """Both uint8 (H, W, 3)."""
        if picture.shape != by_pyav.shape or np.abs(picture.astype(np.int16) - by_pyav).mean() > _ROUNDING:
            raise Disagreement('the two make different pictures of it')
