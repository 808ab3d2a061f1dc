"""From a decoded frame to the picture that a player shows: RGB, turned as the file says."""

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter

# A data worker has one core. swscale, in PyAV since version 17, would start a pool of threads for each video.
_ONE_THREAD = dict(threads=1) if int(av.__version__.split('.')[0]) >= 17 else {}
_UNIT = 1 << 16  # the display matrix is in 16.16 fixed point


class RGBConverter:
    """Turns decoded frames into RGB arrays in display orientation; one for each video, as it keeps swscale's tables."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """RGB picture of a frame, uint8 (H, W, 3), H and W as displayed.

        Raises:
            ValueError: the file asks for a turn that isn't a multiple of 90 degrees.
        """
        picture = self._reformatter.reformat(frame, format='rgb24', **_ONE_THREAD).to_ndarray()
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)
        return picture if matrix is None else orient(picture, np.frombuffer(matrix, np.int32))


def orient(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turn and mirror a stored picture by a display matrix.

    Args:
        picture: (H, W, C).
        matrix: 9 numbers a b u c d v x y w, of which [a b; c d] maps stored (column, row) to shown (column, row) as
            ``column' = a * column + c * row``, ``row' = b * column + d * row`` in 16.16 fixed point.

    Raises:
        ValueError: not a multiple of a quarter turn, with or without mirroring.
    """
    a, b, c, d = (int(value) for value in matrix[[0, 1, 3, 4]])
    upright, lying = (abs(a), abs(d), b, c), (a, d, abs(b), abs(c))
    if upright == (_UNIT, _UNIT, 0, 0):
        turned, column_sign, row_sign = picture, a, d
    elif lying == (0, 0, _UNIT, _UNIT):
        turned, column_sign, row_sign = picture.transpose(1, 0, 2), c, b
    else:
        raise ValueError(f'display matrix [{a} {b}; {c} {d}] is not a multiple of a quarter turn')
    turned = turned[:: 1 if row_sign > 0 else -1, :: 1 if column_sign > 0 else -1]
    return np.ascontiguousarray(turned)
