"""Sparse video reading with PyAV (FFmpeg's decoders, bundled in its wheel)."""

import itertools
from typing import Container, Dict, Iterable, Iterator, List, Optional, Sequence

import av
import numpy as np
from av.stream import Disposition

from mmmutual.utils.errors import UnreadableMediaError

from .display import RGBConverter
from .packet_index import PacketIndex, build_index

# Here one packet is one displayed frame by the container's and the codec's rules, so packets can be counted instead of
# frames. Not so for VP8 (hidden frames), MPEG-4 part 2 (packed and empty frames) and MPEG streams (two fields).
_ONE_FRAME_CONTAINERS = ('mov', 'matroska')
_ONE_FRAME_CODECS = ('h264', 'hevc', 'vp9', 'av1')


class PyAVReader:
    """A :class:`~mmmutual.datasets.readers.VideoReader` on PyAV.

    The compressed packets are read once and held (about 1 MB for 10 s of 340 x 256), so that a jump to a keyframe is a
    list index: exact in every container, also where seeking in the file is not. Frames are then decoded from the last
    keyframe before each target up to the target, leaving out frames that no other refers to.

    The length comes from the packets where they can be trusted to hold one frame each; else, and as soon as decoding
    contradicts them (damaged files), everything is decoded once and counted.

    Args:
        path: the file.

    Raises:
        UnreadableMediaError: the file can't be opened or no decoder is at hand (``unreadable``); ``no video stream``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._container = _open(path)
        try:
            self._stream = _video_stream(self._container, path)
        except UnreadableMediaError:
            self._container.close()
            raise
        self._to_rgb = RGBConverter()
        self._packets: Optional[List[av.Packet]] = None
        self._index: Optional[PacketIndex] = None
        self._count = 0

    def __len__(self) -> int:
        self._read_packets()
        return self._count

    @property
    def fps(self) -> float:
        """Mean frame rate: from the frames' own times where they have them, else what the file states."""
        self._read_packets()
        if self._index is not None and self._count > 1:
            seconds = float(self._index.pts[-1] - self._index.pts[0]) * float(self._stream.time_base)
            return (self._count - 1) / seconds
        return float(self._stream.average_rate or self._stream.guessed_rate)

    def get_frames(self, indices: Sequence[int]) -> np.ndarray:
        """See :meth:`VideoReader.get_frames`."""
        wanted = np.asarray(indices, dtype=np.int64)
        promised = len(self)
        if wanted.size == 0 or wanted.min() < 0 or wanted.max() >= promised:
            raise IndexError(f'{self.path}: frame numbers must be in [0, {promised}) and at least one, got {indices}')
        distinct = np.unique(wanted)
        pictures = self._jump(distinct)
        if pictures is None:
            pictures = self._play(distinct)
        try:
            return np.stack([pictures[index] for index in wanted.tolist()])
        except ValueError:
            sizes = sorted({picture.shape[1::-1] for picture in pictures.values()})
            raise UnreadableMediaError(self.path, f'unreadable: frames of several sizes {sizes}') from None

    def __iter__(self) -> Iterator[np.ndarray]:
        with _open(self.path) as container:
            stream = _video_stream(container, self.path)
            empty = True
            for frame in _decode(stream, _demux(container, stream, self.path)):
                empty = False
                yield self._picture(frame)
        if empty:
            raise UnreadableMediaError(self.path, 'unreadable: no frame decodes')

    def close(self) -> None:
        """Release the file and the packets."""
        self._packets = None
        self._container.close()

    def __enter__(self) -> 'PyAVReader':
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _read_packets(self) -> None:
        if self._packets is None:
            self._packets = list(_demux(self._container, self._stream, self.path))
            self._index = build_index(self._packets)
            one_frame_each = (
                self._container.format.name.startswith(_ONE_FRAME_CONTAINERS)
                and self._stream.codec_context.codec.canonical_name in _ONE_FRAME_CODECS
            )
            if self._index is not None and one_frame_each:
                self._count = len(self._index.pts)
            else:
                self._count_by_decoding()
        if not self._count:
            raise UnreadableMediaError(self.path, 'unreadable: no frame decodes')

    def _count_by_decoding(self) -> None:
        times = [frame.pts for frame in _decode(self._stream, self._packets)]
        self._count = len(times)
        if self._index is not None and times != self._index.pts.tolist():
            self._index = None

    def _jump(self, frames: np.ndarray) -> Optional[Dict[int, np.ndarray]]:
        """Pictures of these frames (increasing) by keyframe; None where that doesn't give every one of them."""
        if self._index is None:
            return None
        pictures = {}
        starts = self._index.key_before(frames)
        for start in np.unique(starts):
            run = frames[starts == start]
            stop = self._index.positions[run].max() + 1
            numbers = dict(zip(self._index.pts[run].tolist(), run.tolist()))
            for frame in _decode_only(self._stream, self._packets[start:stop], numbers):
                pictures[numbers[frame.pts]] = self._picture(frame)
        return pictures if len(pictures) == len(frames) else None

    def _play(self, frames: np.ndarray) -> Dict[int, np.ndarray]:
        """Pictures of these frames (increasing) by decoding everything before them."""
        if self._index is not None:
            promised = self._count
            self._index = None
            self._count_by_decoding()
            if frames[-1] >= self._count:
                raise UnreadableMediaError(self.path, f'unreadable: {self._count} of {promised} frames decode')
        wanted = set(frames.tolist())
        decoded = itertools.islice(_decode(self._stream, self._packets), int(frames[-1]) + 1)
        return {number: self._picture(frame) for number, frame in enumerate(decoded) if number in wanted}

    def _picture(self, frame: av.VideoFrame) -> np.ndarray:
        try:
            return self._to_rgb(frame)
        except ValueError as error:
            raise UnreadableMediaError(self.path, f'unreadable: {error}') from error


def _open(path: str) -> av.container.InputContainer:
    try:
        return av.open(path, metadata_errors='ignore')
    except av.error.FFmpegError as error:
        raise UnreadableMediaError(path, f'unreadable: {error.strerror}') from error


def _video_stream(container: av.container.InputContainer, path: str) -> av.VideoStream:
    stream = container.streams.best('video')
    if stream is None or Disposition.attached_pic in stream.disposition:
        raise UnreadableMediaError(path, 'no video stream')
    if stream.codec_context is None:
        raise UnreadableMediaError(path, 'unreadable: no decoder for its video stream')
    # One thread: workers are many, and for sparse targets the delay of frame threads costs more than they give.
    stream.codec_context.thread_type = 'NONE'
    stream.codec_context.thread_count = 1
    try:
        # Now, and not at the first packet: dav1d keeps for good the skip_frame that it is opened with.
        stream.codec_context.open(strict=False)
    except av.error.FFmpegError as error:
        raise UnreadableMediaError(path, f'unreadable: {error.strerror}') from error
    return stream


def _demux(container: av.container.InputContainer, stream: av.VideoStream, path: str) -> Iterator[av.Packet]:
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except av.error.InvalidDataError:
        return  # cut off: what came before it may decode
    except av.error.FFmpegError as error:
        raise UnreadableMediaError(path, f'unreadable: {error.strerror}') from error


def _decode(stream: av.VideoStream, packets: Iterable[av.Packet]) -> Iterator[av.VideoFrame]:
    """Every frame that decodes, in display order."""
    context = stream.codec_context
    context.skip_frame = 'DEFAULT'
    try:
        for packet in itertools.chain(packets, [None]):
            try:
                frames = context.decode(packet)
            except av.error.FFmpegError:
                continue  # a damaged packet gives no frame, those after it may
            yield from frames
    finally:
        context.flush_buffers()


def _decode_only(
    stream: av.VideoStream, packets: Sequence[av.Packet], times: Container[int]
) -> Iterator[av.VideoFrame]:
    """The frames at these times, as far as these packets (from a keyframe to the last target) give them."""
    context = stream.codec_context
    try:
        for packet in itertools.chain(packets, [None]):  # None: give up the frames that wait for their turn in display
            # What no other frame refers to needs no decoding, unless it is a target.
            context.skip_frame = 'DEFAULT' if packet is None or packet.pts in times else 'NONREF'
            for frame in context.decode(packet):
                if frame.pts in times:
                    yield frame
    except av.error.FFmpegError:
        return
    finally:
        context.flush_buffers()
