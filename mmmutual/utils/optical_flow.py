"""Dense optical flow of consecutive frames, stored as 8-bit images as TSN and denseflow do."""

from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, Tuple, Union

import cv2
import numpy as np

from .frame_folders import write_image
from .whole_output import whole_folder

FlowPair = Tuple[np.ndarray, np.ndarray]
FlowFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Below this OpenCV's DIS writes out of its buffers: non-finite vectors or a crash (seen at 8 x 8, 11 x 200, 12 x 100).
DIS_MIN_SIDE = 16


def _dis() -> FlowFunction:
    # Preset medium: over two times the gain of preset fast on real clips (brightness error after warping -28 % against
    # -11 %) at five times the cost, still under half of Farneback's.
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def compute(previous: np.ndarray, current: np.ndarray) -> np.ndarray:
        if min(current.shape) < DIS_MIN_SIDE:
            size = f'{current.shape[1]} x {current.shape[0]}'
            raise ValueError(f"algorithm 'dis' needs frames of at least {DIS_MIN_SIDE} pixels a side, got {size}")
        return estimator.calc(previous, current, None)

    return compute


def _farneback() -> FlowFunction:
    def compute(previous: np.ndarray, current: np.ndarray) -> np.ndarray:
        return cv2.calcOpticalFlowFarneback(
            previous,
            current,
            None,
            pyr_scale=0.5,
            levels=3,
            winsize=15,
            iterations=3,
            poly_n=5,
            poly_sigma=1.2,
            flags=0,
        )

    return compute


ALGORITHMS: Dict[str, Callable[[], FlowFunction]] = {'dis': _dis, 'farneback': _farneback}


def quantize_flow(flow: np.ndarray, bound: float = 20.0) -> FlowPair:
    """Store displacements as two 8-bit images: ``-bound`` is 0, ``+bound`` 255, anything further is clipped.

    ``floor(clip(v, -bound, bound) * 127.5 / bound + 128)``: denseflow's line, halves rounded up. So zero motion is 128
    for every bound, which after ``v / 255 - 0.5`` (the networks' constant) is 0.002 and not 0, and one grey level is
    ``2 * bound / 255`` pixels, 0.157 for the usual 20.

    Args:
        flow: displacements in pixels, float (H, W, 2), x then y.
        bound: largest displacement that is kept, in pixels, > 0.

    Returns:
        x and y image, uint8 (H, W) each.
    """
    levels = np.clip(flow, -bound, bound) * (127.5 / bound) + 128.0
    levels = np.clip(levels, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(levels[..., 0]), np.ascontiguousarray(levels[..., 1])


def iter_flow(frames: Iterable[np.ndarray], algorithm: str = 'dis', bound: float = 20.0) -> Iterator[FlowPair]:
    """Optical flow from each frame to the next, quantised as :func:`quantize_flow` says.

    Args:
        frames: N RGB frames of one size, uint8 (H, W, 3) each; read one after the other, two are held at a time.
        algorithm: ``'dis'`` (Dense Inverse Search, the default) or ``'farneback'``.
        bound: largest displacement that is kept, in pixels, > 0.

    Returns:
        Iterator over the N - 1 pairs of x and y images, uint8 (H, W) each.

    Raises:
        ValueError: unknown algorithm, a bound that is not positive; while iterating: frames of different size, frames
            smaller than 16 pixels a side for DIS.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f'algorithm must be one of {sorted(ALGORITHMS)}, got {algorithm!r}')
    if not bound > 0:
        raise ValueError(f'bound must be a positive number of pixels, got {bound!r}')
    return _iter_flow(frames, ALGORITHMS[algorithm](), bound)


def _iter_flow(frames: Iterable[np.ndarray], compute: FlowFunction, bound: float) -> Iterator[FlowPair]:
    previous = None
    for frame in frames:
        current = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        if previous is not None:
            if previous.shape != current.shape:
                raise ValueError(f'frames must have one size, got (H, W) {previous.shape} and then {current.shape}')
            yield quantize_flow(compute(previous, current), bound)
        previous = current


def save_flow(
    folder: Union[str, Path],
    frames: Iterable[np.ndarray],
    algorithm: str = 'dis',
    bound: float = 20.0,
    filename_tmpl: str = 'flow_{axis}_{:05d}.jpg',
) -> int:
    """Write the flow of a clip as grey images numbered from 1; the folder appears whole or not at all.

    Args:
        folder: folder to make; its parents are made as well.
        frames: N >= 2 RGB frames of one size, uint8 (H, W, 3) each.
        algorithm: see :func:`iter_flow`.
        bound: see :func:`iter_flow`.
        filename_tmpl: file name with ``{axis}`` (x or y) and a field for the number; its suffix is the format.

    Returns:
        Number of pairs written, N - 1.

    Raises:
        ValueError: fewer than 2 frames; what :func:`iter_flow` refuses.
        FileExistsError: the folder is there already.
    """
    pairs = iter_flow(frames, algorithm, bound)
    count = 0
    with whole_folder(folder) as partial:
        for count, pair in enumerate(pairs, start=1):
            for axis, image in zip('xy', pair):
                write_image(partial / filename_tmpl.format(count, axis=axis), image)
        if count == 0:
            raise ValueError(f'{folder}: flow needs at least 2 frames')
    return count
