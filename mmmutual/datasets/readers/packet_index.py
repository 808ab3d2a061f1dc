"""Where each displayed frame lies among the compressed packets, found without decoding."""

from typing import NamedTuple, Optional, Sequence

import av
import numpy as np


class PacketIndex(NamedTuple):
    """Display order of a stream whose packets each hold one frame.

    Attributes:
        pts: presentation times of the N displayed frames, int64 (N,), increasing, in units of the stream's time base.
        positions: position of each displayed frame's packet in the file (decoding order), int64 (N,).
        key_pts: presentation times of the keyframes, int64 (K,), increasing.
        key_positions: their positions in the file, int64 (K,), increasing.
    """

    pts: np.ndarray
    positions: np.ndarray
    key_pts: np.ndarray
    key_positions: np.ndarray

    def key_before(self, frames: np.ndarray) -> np.ndarray:
        """Position of the packet from which decoding must start to get each of these frames.

        That is the last keyframe shown at or before the frame. In an open GOP some frames that follow a keyframe in the
        file are shown before it and refer across it, so the order of display decides, not that of the file.

        Args:
            frames: frame numbers in display order, int64 (n,).

        Returns:
            int64 (n,).
        """
        return self.key_positions[np.searchsorted(self.key_pts, self.pts[frames], side='right') - 1]


def build_index(packets: Sequence[av.Packet]) -> Optional[PacketIndex]:
    """Index of a stream, or None where the packets don't tell the order of display or where decoding can start.

    None: no packet, a packet without a time or with that of another, a damaged (cut off) one, frames before the first
    keyframe. Packets that an edit list hides are decoded but not shown.

    Args:
        packets: all packets of one video stream, in file order.
    """
    times = [packet.pts for packet in packets]
    if not packets or None in times or len(set(times)) < len(times) or any(packet.is_corrupt for packet in packets):
        return None
    pts = np.array(times, dtype=np.int64)
    shown = np.flatnonzero([not packet.is_discard for packet in packets])
    shown = shown[np.argsort(pts[shown])]
    keys = np.flatnonzero([packet.is_keyframe for packet in packets])
    index = PacketIndex(pts[shown], shown, pts[keys], keys)
    if not len(shown) or not len(keys) or (np.diff(index.key_pts) < 0).any() or index.pts[0] < index.key_pts[0]:
        return None
    return index
