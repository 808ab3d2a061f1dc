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


def _tvl1() -> FlowFunction:
    # OpenCV's settings, which are those of denseflow's TV-L1 as well: 5 scales and warps, at most 300 iterations each.
    estimator = cv2.optflow.DualTVL1OpticalFlow_create()
    return lambda previous, current: estimator.calc(previous, current, None)


ALGORITHMS: Dict[str, Callable[[], FlowFunction]] = {'dis': _dis, 'farneback': _farneback, 'tvl1': _tvl1}


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


def check_flow(algorithm: str, bound: float) -> None:
    """Refuse options that no flow can be computed with.

    Args:
        algorithm: see :func:`flow_estimator`.
        bound: see :func:`flow_estimator`.

    Raises:
        ValueError: unknown algorithm, a bound that is not positive.
        ImportError: ``'tvl1'`` with an OpenCV that lacks it.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f'algorithm must be one of {sorted(ALGORITHMS)}, got {algorithm!r}')
    if not bound > 0:
        raise ValueError(f'bound must be a positive number of pixels, got {bound!r}')
    if algorithm == 'tvl1' and not hasattr(cv2, 'optflow'):
        raise ImportError(
            "algorithm 'tvl1' needs OpenCV's extra modules. Run: "
            f"pip install 'opencv-contrib-python=={cv2.__version__}.*' (the version of the OpenCV that is installed)"
        )


def flow_estimator(algorithm: str = 'dis', bound: float = 20.0) -> Callable[[np.ndarray, np.ndarray], FlowPair]:
    """A function of two RGB frames, uint8 (H, W, 3), that gives the flow from the first to the second.

    Its results are quantised as :func:`quantize_flow` says: x and y image, uint8 (H, W) each. It raises ValueError for
    frames of different size, and frames smaller than 16 pixels a side for DIS.

    Args:
        algorithm: ``'dis'`` (Dense Inverse Search, the default), ``'farneback'`` or ``'tvl1'`` (of the module
            ``optflow`` of opencv-contrib-python; a second and more for a pair of 450 x 250, 100 times DIS).
        bound: largest displacement that is kept, in pixels, > 0.

    Raises:
        ValueError: unknown algorithm, a bound that is not positive.
        ImportError: ``'tvl1'`` with an OpenCV that lacks it.
    """
    check_flow(algorithm, bound)
    compute = ALGORITHMS[algorithm]()

    def estimate(previous: np.ndarray, current: np.ndarray) -> FlowPair:
        if previous.shape != current.shape:
            sizes = f'{previous.shape[:2]} and then {current.shape[:2]}'
            raise ValueError(f'frames must have one size, got (H, W) {sizes}')
        greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (previous, current)]
        return quantize_flow(compute(*greys), bound)

    return estimate


def iter_flow(frames: Iterable[np.ndarray], algorithm: str = 'dis', bound: float = 20.0) -> Iterator[FlowPair]:
    """Optical flow from each frame to the next.

    Args:
        frames: N RGB frames of one size, uint8 (H, W, 3) each; read one after the other, two are held at a time.
        algorithm: see :func:`flow_estimator`.
        bound: see :func:`flow_estimator`.

    Returns:
        Iterator over the N - 1 pairs of x and y images, uint8 (H, W) each.

    Raises:
        ValueError: what :func:`flow_estimator` refuses; while iterating: what its function refuses.
        ImportError: see :func:`flow_estimator`.
    """
    return _iter_flow(frames, flow_estimator(algorithm, bound))


def _iter_flow(
    frames: Iterable[np.ndarray], estimate: Callable[[np.ndarray, np.ndarray], FlowPair]
) -> Iterator[FlowPair]:
    previous = None
    for frame in frames:
        if previous is not None:
            yield estimate(previous, frame)
        previous = frame


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
        algorithm: see :func:`flow_estimator`.
        bound: see :func:`flow_estimator`.
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
