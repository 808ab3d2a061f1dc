"""Many independent jobs on many processes, for the data tools."""

import multiprocessing
import os
import threading
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Dict, Hashable, Iterable, Optional, Sequence, TypeVar

import cv2
from tqdm import tqdm

Item = TypeVar('Item', bound=Hashable)
Result = TypeVar('Result')


def run_jobs(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    num_workers: int,
    description: str,
    crashed: Optional[Callable[[Item], Result]] = None,
) -> Dict[Item, Result]:
    """Apply a function to every item in worker processes, with a progress bar.

    Args:
        function: defined at the top level of a module (or a ``functools.partial`` of one); what it raises is raised
            here, after the jobs that run have ended.
        items: distinct.
        num_workers: processes, >= 1.
        description: text beside the progress bar.
        crashed: gives, in this process, the result of an item whose process dies, twice, the second time alone.

    Returns:
        item -> result, in the order of the items.

    Raises:
        ValueError: num_workers < 1.
        BrokenProcessPool: a process dies, and ``crashed`` is not given.
    """
    if num_workers < 1:
        raise ValueError(f'num_workers must be at least 1, got {num_workers}')
    items = list(items)
    done: Dict[Item, Result] = {}
    bar = dict(total=len(items), desc=description, unit='item')
    while left := [item for item in items if item not in done]:
        try:
            _run(function, left, num_workers, done, bar)
        except BrokenProcessPool:
            if crashed is None:
                raise
            # Workers take items in their order: what killed one is among the first that are not done.
            for item in [item for item in left if item not in done][:num_workers]:
                try:
                    _run(function, [item], 1, done, bar)
                except BrokenProcessPool:
                    done[item] = crashed(item)
    return {item: done[item] for item in items}


def _run(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    num_workers: int,
    done: Dict[Item, Result],
    bar: Dict[str, Any],
) -> None:
    """Add the results to ``done``; before BrokenProcessPool those of the items that have ended."""
    futures: Dict[Future, Item] = {}
    with ProcessPoolExecutor(num_workers, initializer=_start_worker) as pool:
        try:
            for item in items:
                futures[pool.submit(function, item)] = item
            for future in tqdm(as_completed(futures), initial=len(done), **bar):
                done[futures[future]] = future.result()
        except BrokenProcessPool:
            done.update({item: future.result() for future, item in futures.items() if _has_result(future)})
            raise
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _has_result(future: Future) -> bool:
    return future.done() and future.exception() is None


def _start_worker() -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    # A worker whose parent is killed would wait for its next job for ever.
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
