"""Many independent items, over processes, with a progress bar."""

from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Callable, List, Tuple

import cv2
from tqdm import tqdm


def limit_threads() -> None:
    """One OpenCV thread per process: the processes share the cores."""
    cv2.setNumThreads(1)


def run_all(function: Callable[..., None], tasks: List[Tuple], workers: int, title: str) -> None:
    """Call ``function(*task)`` for every task; the first failure stops all.

    Args:
        function: importable by name, so that another process finds it.
        tasks: its arguments, one tuple per call.
        workers: processes; 1 does everything in this one.
        title: of the progress bar.
    """
    if workers == 1:
        limit_threads()
        for task in tqdm(tasks, desc=title):
            function(*task)
        return
    with ProcessPoolExecutor(workers, initializer=limit_threads) as executor:
        futures = [executor.submit(function, *task) for task in tasks]
        try:
            for future in tqdm(as_completed(futures), total=len(futures), desc=title):
                future.result()
        finally:
            executor.shutdown(cancel_futures=True)
