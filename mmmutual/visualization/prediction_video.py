"""A video with the scores of its classes beside the picture."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Iterable, Union

import av
import cv2
import numpy as np
from numpy import ndarray

from mmmutual.utils.whole_output import whole_file

from .score_panel import PAPER

ENCODERS = ('libx264', 'mpeg4')  # the first is not in every build of FFmpeg
MAX_WIDTH = 1280  # to which a small picture is enlarged at most


def beside_panel(frame: ndarray, panel: ndarray) -> ndarray:
    """Put a panel to the right of a frame.

    A frame that is lower than the panel is enlarged by an integer, so that small clips can be watched.

    Args:
        frame: RGB, uint8 (H, W, 3).
        panel: RGB, uint8 (H', W', 3).

    Returns:
        RGB, uint8, both sides even as encoders want them.
    """
    height, width = frame.shape[:2]
    factor = max(1, min(math.ceil(panel.shape[0] / height), MAX_WIDTH // width))
    if factor > 1:
        frame = cv2.resize(frame, (width * factor, height * factor), interpolation=cv2.INTER_CUBIC)
    both = max(frame.shape[0], panel.shape[0]), frame.shape[1] + panel.shape[1]
    canvas = np.full((both[0] + both[0] % 2, both[1] + both[1] % 2, 3), PAPER, dtype=np.uint8)
    canvas[: frame.shape[0], : frame.shape[1]] = frame
    canvas[: panel.shape[0], frame.shape[1] : both[1]] = panel
    return canvas


def save_prediction_video(file: Union[str, Path], frames: Iterable[ndarray], fps: float, panel: ndarray) -> None:
    """Write an mp4 of frames, each :func:`beside_panel`; it appears whole or not at all.

    h264 where FFmpeg can encode it, else MPEG-4.

    Args:
        file: file to write.
        frames: RGB, uint8 (H, W, 3) each, all of one size.
        fps: frames per second.
        panel: RGB, uint8 (H', W', 3), e.g. of :func:`~mmmutual.visualization.score_panel`.

    Raises:
        ValueError: there is no frame.
    """
    encoder = next(name for name in ENCODERS if name in av.codecs_available)
    stream = None
    with whole_file(file) as unfinished, av.open(str(unfinished), 'w', format='mp4') as container:
        for frame in frames:
            picture = beside_panel(frame, panel)
            if stream is None:
                # MPEG-4 takes no numerator above 65535
                stream = container.add_stream(encoder, rate=Fraction(fps).limit_denominator(100))
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = 'yuv420p'
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        if stream is None:
            raise ValueError(f'{file}: no frame to write')
        container.mux(stream.encode())
