"""Sound as samples: of sound files, and of the sound tracks of videos."""

from math import gcd
from pathlib import Path
from typing import List, Optional, Tuple, Union

import av
import numpy as np
import soundfile
from scipy.signal import resample_poly

from mmmutual.utils.errors import UnreadableMediaError

_SOUNDFILE_SUFFIXES = ('.wav', '.flac', '.ogg')  # the rest, and what libsndfile refuses, is for FFmpeg


def read_audio(path: Union[str, Path], sample_rate: Optional[int] = None, mono: bool = True) -> Tuple[np.ndarray, int]:
    """Read the whole sound of a sound file or video.

    Args:
        path: the file.
        sample_rate: samples per second to resample to (polyphase filter); None: as stored.
        mono: average the channels into one.

    Returns:
        The waveform, float32 (C, N) with full scale at -1 and 1, and its sample rate in Hz. Where parts of a file are
        damaged, the samples that decode.

    Raises:
        ValueError: sample_rate below 1.
        UnreadableMediaError: ``no audio stream``; ``empty audio``, a stream of 0 samples; ``unreadable``.
    """
    if sample_rate is not None and sample_rate < 1:
        raise ValueError(f'sample_rate must be at least 1, got {sample_rate}')
    path = str(path)
    waveform, rate = _read(path)
    if not waveform.shape[1]:
        raise UnreadableMediaError(path, 'empty audio')
    if mono:
        waveform = waveform.mean(axis=0, keepdims=True)
    if sample_rate is not None and sample_rate != rate:
        divisor = gcd(sample_rate, rate)
        waveform = resample_poly(waveform, sample_rate // divisor, rate // divisor, axis=1)
        rate = sample_rate
    return np.ascontiguousarray(waveform, dtype=np.float32), rate


def _read(path: str) -> Tuple[np.ndarray, int]:
    """All channels as stored, float32 (C, N), and the rate."""
    if path.lower().endswith(_SOUNDFILE_SUFFIXES):
        try:
            samples, rate = soundfile.read(path, dtype='float32', always_2d=True)
        except (soundfile.LibsndfileError, UnicodeEncodeError):
            pass  # damaged, another format than the suffix says, or a name that is no text
        else:
            return samples.T, rate
    try:
        with av.open(path, metadata_errors='ignore') as container:
            return _decode(container, path)
    except av.error.FFmpegError as error:
        raise UnreadableMediaError(path, f'unreadable: {error.strerror}') from error


def _decode(container: av.container.InputContainer, path: str) -> Tuple[np.ndarray, int]:
    stream = container.streams.best('audio')
    if stream is None:
        raise UnreadableMediaError(path, 'no audio stream')
    if stream.codec_context is None:
        raise UnreadableMediaError(path, 'unreadable: no decoder for its sound')
    to_float = av.AudioResampler(format='fltp')  # of the frames' own rate and channels
    pieces: List[np.ndarray] = []
    promised = bool(stream.duration)
    for packet in container.demux(stream):
        promised = promised or packet.size > 0
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue  # a damaged packet gives no sound, those after it may
        try:
            pieces += [piece.to_ndarray() for frame in frames for piece in to_float.resample(frame)]
        except ValueError as error:
            raise UnreadableMediaError(path, 'unreadable: its sound changes rate or channels on the way') from error
    if promised and not pieces:
        raise UnreadableMediaError(path, 'unreadable: no sound decodes')
    waveform = np.concatenate(pieces, axis=1) if pieces else np.zeros((1, 0), np.float32)
    return waveform, stream.codec_context.sample_rate
