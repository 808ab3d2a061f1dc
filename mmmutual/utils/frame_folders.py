"""Folders of numbered images: the form in which clips and their flow lie on disk."""

import re
from pathlib import Path
from typing import Iterable, Iterator, List, Sequence, Union

import cv2
import numpy as np

from .errors import UnreadableMediaError
from .media_files import IMAGE_SUFFIXES
from .whole_output import whole_folder

JPEG_QUALITY = 95


def write_image(file: Path, image: np.ndarray, quality: int = JPEG_QUALITY) -> None:
    """Write a grey (H, W) or RGB (H, W, 3) uint8 image in the format of the file's suffix; JPEG quality 1 to 100."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(file.suffix, image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    # not cv2.imwrite, which only returns False when the disk is full
    file.write_bytes(data.tobytes())


def save_frames(
    folder: Union[str, Path],
    frames: Iterable[np.ndarray],
    filename_tmpl: str = 'img_{:06d}.jpg',
    quality: int = JPEG_QUALITY,
) -> int:
    """Write frames as images numbered from 1; the folder appears whole or not at all.

    Args:
        folder: folder to make; its parents are made as well.
        frames: RGB frames, uint8 (H, W, 3) each.
        filename_tmpl: file name with a field for the number; its suffix is the format.
        quality: of JPEG, 1 to 100.

    Returns:
        Number of frames written.

    Raises:
        ValueError: no frame.
        FileExistsError: the folder is there already.
    """
    count = 0
    with whole_folder(folder) as partial:
        for count, frame in enumerate(frames, start=1):
            write_image(partial / filename_tmpl.format(count), frame, quality)
        if count == 0:
            raise ValueError(f'{folder}: no frame to write')
    return count


def list_images(folder: Union[str, Path], suffixes: Sequence[str] = IMAGE_SUFFIXES) -> List[Path]:
    """Images directly in a folder, by the numbers in their names (``2.jpg`` before ``10.jpg``).

    Args:
        folder: the folder.
        suffixes: lower-case suffixes with their dot.
    """
    images = [path for path in Path(folder).iterdir() if path.suffix.lower() in suffixes]
    return sorted(images, key=lambda path: [int(part) if part.isdigit() else part for part in _parts(path.name)])


def _parts(name: str) -> List[str]:
    return re.split(r'(\d+)', name)


def read_frames(files: Iterable[Path]) -> Iterator[np.ndarray]:
    """Images one after the other, RGB uint8 (H, W, 3) each.

    Raises:
        UnreadableMediaError: while iterating, a file that is no image.
    """
    for file in files:
        data = np.fromfile(file, dtype=np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if image is None:
            raise UnreadableMediaError(str(file), 'unreadable')
        yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def resize_short_side(frame: np.ndarray, short_side: int) -> np.ndarray:
    """Resize to a given short side, keeping the aspect ratio (the long side is rounded).

    Args:
        frame: uint8 (H, W, 3).
        short_side: in pixels, >= 1.

    Returns:
        uint8 (H', W', 3), min(H', W') = short_side.
    """
    height, width = frame.shape[:2]
    scale = short_side / min(height, width)
    return _resize(frame, max(round(width * scale), short_side), max(round(height * scale), short_side))


def resize_height(frame: np.ndarray, height: int) -> np.ndarray:
    """Resize to a given height, keeping the aspect ratio: the size that ffmpeg's ``scale=-1:height`` gives.

    Args:
        frame: uint8 (H, W, 3).
        height: in pixels, >= 1.

    Returns:
        uint8 (height, W', 3).
    """
    width = int(frame.shape[1] * height / frame.shape[0] + 0.5)
    return _resize(frame, max(width, 1), height)


def _resize(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    if frame.shape[:2] == (height, width):
        return frame
    # averaging over areas when shrinking: without it fine texture flickers, and flow sees motion in it
    shrinks = height * width < frame.shape[0] * frame.shape[1]
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
