"""Which streams every decoder cuts into the same frames."""

from typing import Iterator, Optional, Sequence

import av

_CONTAINERS = ('mov', 'matroska')  # they say where each frame is; others are searched, and searches miss
_IDR, _PARAMETERS = 5, 7  # types of H.264's units: a picture that nothing refers across, a sequence parameter set


def why_not_plain(container_format: str, stream: av.VideoStream, packets: Sequence[av.Packet]) -> Optional[str]:
    """What makes a stream more than plain H.264, of one size, that can be entered at every keyframe; None if nothing.

    Seen with decord 0.6.0: a few frames beside the target in open groups of pictures, in intra refresh and in mpg, ts
    and avi, and pictures of a second size scaled to the first.

    Args:
        container_format: FFmpeg's name of it.
        stream: its video stream.
        packets: all packets of the stream.
    """
    context = stream.codec_context
    if not container_format.startswith(_CONTAINERS) or context.codec.canonical_name != 'h264':
        return 'it is not H.264 in mp4, mov or mkv'
    extradata = bytes(context.extradata or b'')
    if not extradata.startswith(b'\1'):
        return 'its H.264 is not packed as mp4, mov and mkv should'
    length_bytes = (extradata[4] & 3) + 1
    for packet in packets:
        if packet.is_keyframe:
            units = list(_units(bytes(packet), length_bytes))
            if not any(unit[0] & 31 == _IDR for unit in units):
                return 'frames after some of its keyframes refer to frames before them'
            if any(unit not in extradata for unit in units if unit[0] & 31 == _PARAMETERS):
                return 'the size of its pictures may change'
    return None


def _units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """Cut a packet, in which each unit follows its length, into its units."""
    start = length_bytes
    while start < len(data):
        stop = start + int.from_bytes(data[start - length_bytes : start], 'big')
        if stop > start:
            yield data[start:stop]
        start = stop + length_bytes
