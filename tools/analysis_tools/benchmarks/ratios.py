"""Our parts against those that they replace, each pair on the same work, in one thread."""

import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import cv2
import torch

from .comparison import Comparison, compare
from .ratio_data import frames_case, video_case
from .ratio_models import shift_case, step_case

# Each makes its inputs, in a temporary folder where they are files.
CASES: Dict[str, Callable[[Path], List[Comparison]]] = {
    'shift': lambda folder: shift_case(),
    'step': lambda folder: step_case(),
    'video': video_case,
    'frames': frames_case,
}


def benchmark_ratios(names: Sequence[str], repeats: int) -> Dict[str, Dict[str, Any]]:
    """Compare; what runs alternates, and the numbers are medians.

    Args:
        names: of ``CASES``.
        repeats: of both sides of each comparison.

    Returns:
        Title of the comparison -> what :func:`~benchmarks.comparison.compare` gives.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    results = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            for comparison in CASES[name](Path(folder)):
                results[comparison.title] = compare(comparison, repeats)
    return results
