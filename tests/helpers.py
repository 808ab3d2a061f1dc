"""Run functions in processes of their own: several that reduce over gloo, or a single one that may be killed."""

import os
import pickle
import signal
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Callable, List

import numpy as np
import torch
import torch.distributed as dist
from torch import multiprocessing

TIMEOUT = timedelta(seconds=60)
# Imported once, by the server process that every child is forked from: a child then starts in a fraction of a second.
PRELOAD = [f'mmmutual.{name}' for name in ('models', 'datasets', 'evaluation', 'visualization', 'apis')]
PRELOAD += ['mmengine.runner', 'torch._dynamo', 'matplotlib.pyplot', 'matplotlib.backends.backend_agg', 'numpy.random']


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that another process does."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def kill_when(command: List[str], condition: Callable[[], bool]) -> None:
    """Start a program and kill it, not its workers, as soon as the condition holds; it must not have ended before."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def holds() -> bool:
        met = condition()
        assert met or process.poll() is None
        return met

    wait_until(holds)
    process.send_signal(signal.SIGKILL)
    process.wait()


def run_distributed(fn: Callable, world_size: int, *args: Any) -> List[Any]:
    """Call ``fn(*args)`` in ``world_size`` processes that are joined by a gloo process group.

    The environment is as torchrun's (RANK, LOCAL_RANK, WORLD_SIZE), so that a Runner with ``launcher='pytorch'`` works.

    Args:
        fn: a function at the top level of a module; called in every process.
        world_size: number of processes.
        args: of ``fn``; anything that pickles.

    Returns:
        What ``fn`` returned, by rank.

    Raises:
        torch.multiprocessing.ProcessRaisedException: with the traceback of the process that failed first.
        torch.multiprocessing.ProcessExitedException: if one was killed.
    """
    return _start(_in_group, world_size, fn, args)


def run_alone(fn: Callable, *args: Any) -> Any:
    """Call ``fn(*args)`` in a process of its own, without a process group; raises as :func:`run_distributed`."""
    return _start(_without_group, 1, fn, args)[0]


def _start(child: Callable, world_size: int, fn: Callable, args: tuple) -> List[Any]:
    multiprocessing.get_context('forkserver').set_forkserver_preload(PRELOAD)
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.start_processes(
            child, args=(world_size, folder, fn, args), nprocs=world_size, start_method='forkserver'
        )
        return [pickle.loads(Path(folder, str(rank)).read_bytes()) for rank in range(world_size)]


def _in_group(rank: int, world_size: int, folder: str, fn: Callable, args: tuple) -> None:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world_size))
    dist.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=world_size, timeout=TIMEOUT
    )
    _without_group(rank, world_size, folder, fn, args)
    dist.destroy_process_group()


def _without_group(rank: int, world_size: int, folder: str, fn: Callable, args: tuple) -> None:
    os.environ['OMP_NUM_THREADS'] = '1'
    torch.set_num_threads(1)
    np.random.seed()  # else every child would have the server's state, and draw the same "random" seeds
    torch.seed()
    # plain pickle: tensors that travel by torch's shared memory would be gone with this process
    Path(folder, str(rank)).write_bytes(pickle.dumps(fn(*args)))
