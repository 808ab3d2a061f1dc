"""Video readers: one interface, several decoders."""

from pathlib import Path
from typing import Callable, Dict, Union

from .decord_reader import DecordReader
from .opencv_reader import OpenCVReader
from .pyav_reader import PyAVReader
from .video_reader import VideoReader

# One entry per decoder; a plugin adds its own by assignment.
READERS: Dict[str, Callable[[str], VideoReader]] = {'pyav': PyAVReader, 'decord': DecordReader, 'opencv': OpenCVReader}


def open_video(path: Union[str, Path], backend: str = 'pyav') -> VideoReader:
    """Open a video for sparse reading.

    Args:
        path: the file.
        backend: the decoder, a key of ``READERS``: ``'pyav'``, or ``'decord'`` and ``'opencv'``, which leave to PyAV
            what they don't read exactly.

    Returns:
        A :class:`VideoReader`, which is also a context manager.

    Raises:
        ImportError: the backend is not installed (decord).
        ValueError: unknown backend.
        UnreadableMediaError: the file can't be opened, or has no video stream.
    """
    if backend not in READERS:
        raise ValueError(f'backend must be one of {sorted(READERS)}, got {backend!r}')
    return READERS[backend](str(path))


__all__ = ['READERS', 'DecordReader', 'OpenCVReader', 'PyAVReader', 'VideoReader', 'open_video']
