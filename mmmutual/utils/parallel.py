"""Many independent jobs on many processes, for the data tools."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Callable, Dict, Hashable, Iterable, TypeVar

import cv2
from tqdm import tqdm

Item = TypeVar('Item', bound=Hashable)
Result = TypeVar('Result')


def run_jobs(
    function: Callable[[Item], Result], items: Iterable[Item], num_workers: int, description: str
) -> Dict[Item, Result]:
    """Apply a function to every item in worker processes, with a progress bar.

    Args:
        function: defined at the top level of a module (or a ``functools.partial`` of one); what it raises is raised
            here, after the jobs that run have ended.
        items: distinct.
        num_workers: processes, >= 1.
        description: text beside the progress bar.

    Returns:
        item -> result, in the order of the items.

    Raises:
        ValueError: num_workers < 1.
    """
    if num_workers < 1:
        raise ValueError(f'num_workers must be at least 1, got {num_workers}')
    items = list(items)
    with ProcessPoolExecutor(num_workers, initializer=_start_worker) as pool:
        futures = {pool.submit(function, item): item for item in items}
        try:
            done = {}
            for future in tqdm(as_completed(futures), total=len(items), desc=description, unit='item'):
                done[futures[future]] = future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return {item: done[item] for item in items}


def _start_worker() -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    # A worker whose parent is killed would wait for its next job for ever.
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
