"""Real files: mp4 with a sound track, wav, png, text. Each appears whole or not at all."""

import json
import wave
from pathlib import Path
from typing import Iterable, List

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from mmmutual.utils.whole_output import whole_file, write_text

from .sounds import SAMPLE_RATE

KEYFRAME_INTERVAL = 12
# Without mbtree=0 x264 gives now and then another file for the same frames (seen with 2 of 120 at a width of 104).
X264_OPTIONS = {'crf': '18', 'preset': 'veryfast', 'x264-params': 'mbtree=0'}


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write one line per string."""
    write_text(path, ''.join(f'{line}\n' for line in lines))


def write_json_lines(path: Path, records: Iterable[dict]) -> None:
    """Write one json object per line."""
    write_lines(path, (json.dumps(record) for record in records))


def write_png(path: Path, image: np.ndarray) -> None:
    """Write a grey (H, W) or RGB (H, W, 3) uint8 image."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode('.png', image)[1]
    with whole_file(path) as partial:
        partial.write_bytes(encoded.tobytes())


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Waveform in [-1, 1] as 16-bit integers."""
    return np.round(np.clip(samples, -1, 1) * 32767).astype('<i2')


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Write a mono waveform in [-1, 1], (num_samples,), as 16-bit PCM at SAMPLE_RATE."""
    with whole_file(path) as partial, wave.open(str(partial), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_int16(samples).tobytes())


def write_video(path: Path, frames: List[np.ndarray], fps: int, samples: np.ndarray) -> None:
    """Write an mp4: h264 (yuv420p) and AAC.

    One encoder thread and no time stamps of the wall clock: the same frames give the same file.

    Args:
        path: file to write.
        frames: uint8 RGB (H, W, 3) each, H and W even.
        fps: frames per second.
        samples: mono waveform in [-1, 1], (num_samples,), at SAMPLE_RATE.
    """
    height, width = frames[0].shape[:2]
    with whole_file(path) as partial, av.open(str(partial), 'w', format='mp4', options={'fflags': 'bitexact'}) as file:
        video = file.add_stream('libx264', rate=fps, options=X264_OPTIONS)
        video.width, video.height, video.pix_fmt = width, height, 'yuv420p'
        video.gop_size = KEYFRAME_INTERVAL
        video.thread_count = 1
        audio = file.add_stream('aac', rate=SAMPLE_RATE, layout='mono', bit_rate=48000, options={'aac_coder': 'fast'})
        for frame in frames:
            file.mux(video.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        file.mux(video.encode())
        sound = av.AudioFrame.from_ndarray(to_int16(samples)[None], format='s16', layout='mono')
        sound.sample_rate = SAMPLE_RATE
        file.mux(audio.encode(sound))
        file.mux(audio.encode())


def read_video(path: Path) -> List[np.ndarray]:
    """All frames of a video, uint8 RGB (H, W, 3) each."""
    with av.open(str(path)) as file:
        file.streams.video[0].thread_count = 1
        # One converter for all frames: making one costs more than using it.
        converter = VideoReformatter()
        return [converter.reformat(frame, format='rgb24').to_ndarray() for frame in file.decode(video=0)]
