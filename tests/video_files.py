"""Tiny videos for tests, written as they are needed."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np


def moving_frames(count, width=64, height=48, step=1.5, seed=0):
    """A smooth random texture that moves ``step`` pixels to the right per frame; RGB uint8 (height, width, 3) each."""
    wide = width + int(abs(step) * count) + 8
    noise = np.random.RandomState(seed).randint(0, 256, (height, wide, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    smooth = (smooth - smooth.min()) / np.ptp(smooth) * 255
    frames = []
    for index in range(count):
        x = wide - width - 4 - step * index
        moved = cv2.warpAffine(smooth, np.float32([[1, 0, -x], [0, 1, 0]]), (width, height), flags=cv2.INTER_LINEAR)
        frames.append(moved.round().astype(np.uint8))
    return frames


def write_video(path, frames, codec='libx264', gop=12, rate=25, pix_fmt='yuv420p', times=None, muxer=None, **options):
    """Encode frames; the container follows from the suffix.

    Args:
        path: file to write.
        frames: RGB frames, uint8 (H, W, 3), H and W even; a frame of another size than the first is scaled.
        codec: name of an encoder of FFmpeg.
        gop: keyframe interval in frames.
        rate: frames per second.
        pix_fmt: pixel format.
        times: display time of each frame in milliseconds (variable rate); None: by ``rate``.
        muxer: options of the container.
        options: options of the encoder.
    """
    height, width = frames[0].shape[:2]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    options = {name.replace('_', '-'): str(value) for name, value in options.items()}
    with av.open(str(path), 'w', options=muxer or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.gop_size = gop
        stream.codec_context.thread_count = 1
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def decode_all(path):
    """All frames by plain sequential decoding, as stored (no rotation), RGB uint8 (H, W, 3) each."""
    with av.open(str(path)) as file:
        stream = file.streams.best('video')
        stream.thread_count = 1
        return [frame.to_ndarray(format='rgb24') for frame in file.decode(stream)]
