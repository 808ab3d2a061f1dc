"""Timing two ways of the same work against each other."""

import statistics
import time
from typing import Any, Callable, Dict, List, NamedTuple


class Comparison(NamedTuple):
    """Ours and what it is measured against, as functions of a repetition's number, which seeds what is random."""

    title: str
    wanted: float  # largest ratio of the times that is good enough
    ours: Callable[[int], Any]
    theirs: Callable[[int], Any]


def compare(comparison: Comparison, repeats: int) -> Dict[str, Any]:
    """Run both once without timing, then in turns, so that a change of the machine's load meets both.

    Returns:
        ``ours_ms`` and ``theirs_ms`` (medians), their ``ratio``, ``wanted``, and all ``times_ms``.
    """
    comparison.ours(0)
    comparison.theirs(0)
    times: Dict[str, List[float]] = dict(ours=[], theirs=[])
    for repetition in range(1, repeats + 1):
        for name, all_times in times.items():
            start = time.perf_counter()
            getattr(comparison, name)(repetition)
            all_times.append(1000 * (time.perf_counter() - start))
    ours, theirs = statistics.median(times['ours']), statistics.median(times['theirs'])
    return dict(ours_ms=ours, theirs_ms=theirs, ratio=ours / theirs, wanted=comparison.wanted, times_ms=times)
