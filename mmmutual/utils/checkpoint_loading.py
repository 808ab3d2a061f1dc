"""Checkpoints are data: no file that a user downloads may run code.

mmengine's loaders call ``torch.load`` and :func:`torch.utils.model_zoo.load_url`; the latter unpickles anything, and
forks of mmengine fall back to that for local files. Here both go through :func:`load_checkpoint_file`.
"""

import os
import pickle
import re
import struct
from typing import Any, Callable, List, Optional, Tuple, Union

import torch
from mmengine.logging import print_log
from mmengine.runner import checkpoint as mmengine_checkpoint

MapLocation = Union[str, torch.device, Callable, None]

# What torch.load raises for files that are cut off, altered or no checkpoints at all, besides UnpicklingError.
DAMAGED = (RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError, AssertionError, struct.error)


class _Inert:
    """Stands for an object of mmengine's message hub: takes any state, keeps nothing, runs nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _inert_getattr(*args: Any) -> None:
    """Stands for ``getattr``, by which mmengine's HistoryBuffer pickles its methods."""


# What a stock mmengine checkpoint holds besides tensors and plain containers; none of it is needed for the weights.
_STOCK_MMENGINE: List[Tuple[Any, str]] = [
    (_Inert, 'mmengine.logging.history_buffer.HistoryBuffer'),
    (_Inert, 'mmengine.logging.message_hub.MessageHub'),
    (_inert_getattr, 'builtins.getattr'),
    (_inert_getattr, '__builtin__.getattr'),
    (_Inert, 'numpy.ndarray'),
    (_Inert, 'numpy.dtype'),
    (_Inert, 'numpy._core.multiarray._reconstruct'),
    (_Inert, 'numpy.core.multiarray._reconstruct'),
    (_Inert, 'numpy._core.multiarray.scalar'),
    (_Inert, 'numpy.core.multiarray.scalar'),
]


def load_checkpoint_file(filename: str, map_location: MapLocation = None) -> dict:
    """Read a checkpoint file without running any code from it.

    A file written by stock mmengine holds pickled objects of its message hub: of such a file only weights, optimiser
    and plain meta information are read, and a warning says what is left out.

    Args:
        filename (str): a local path.
        map_location: as of :func:`torch.load`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is no checkpoint, or holds foreign pickled code; nothing of it has run.
    """
    filename = os.path.expanduser(filename)
    if not os.path.isfile(filename):
        raise FileNotFoundError(f'checkpoint {filename!r} does not exist')
    try:
        return torch.load(filename, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        reason = error
    except DAMAGED as error:
        raise ValueError(f'{filename!r} is not a readable checkpoint of torch: {error!r}') from error
    try:
        with torch.serialization.safe_globals(_STOCK_MMENGINE):
            checkpoint = torch.load(filename, map_location=map_location, weights_only=True)
    except (pickle.UnpicklingError, *DAMAGED) as error:
        raise ValueError(_refusal(filename, error if isinstance(error, pickle.UnpicklingError) else reason)) from reason
    if not isinstance(checkpoint, dict) or 'message_hub' not in checkpoint:
        raise ValueError(_refusal(filename, reason))
    del checkpoint['message_hub']
    left_out = ['its message hub (log history)', *_drop_inert(filename, checkpoint)]
    print_log(
        f'{filename} was written by stock mmengine. Left out, because made of pickled objects: {", ".join(left_out)}. '
        'Weights, optimiser and schedulers are read.',
        logger='current',
        level=30,
    )
    return checkpoint


def _refusal(filename: str, error: pickle.UnpicklingError) -> str:
    """Say what torch found; its own advice is to switch the check off."""
    name = re.search(r'GLOBAL (\S+)', str(error))
    if name is None:
        detail = str(error).partition('WeightsUnpickler error:')[2].strip().partition('\n')[0]
        return f'{filename!r} is not a checkpoint as torch.save writes it: {detail}'
    return (
        f'checkpoint {filename!r} is refused: it holds pickled code or objects besides tensors and plain values '
        f'({name.group(1)}), and loading those could run anything. Nothing of it was run. If you trust its source, '
        "load it in a process of your own and save only its 'state_dict'."
    )


def _drop_inert(filename: str, checkpoint: dict) -> List[str]:
    """Take objects that could not be read out of ``meta``; returns what was taken out.

    Raises:
        ValueError: if there is one elsewhere.
    """
    for key, value in checkpoint.items():
        if key != 'meta' and _holds_inert(value):
            raise ValueError(f"checkpoint {filename!r} is refused: its '{key}' holds numpy or pickled objects")
    meta = checkpoint.get('meta', {})
    dropped = [key for key, value in meta.items() if _holds_inert(value)]
    for key in dropped:
        del meta[key]
    return [f'meta.{key}' for key in dropped]


def _holds_inert(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_inert(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_holds_inert(item) for item in value)
    return isinstance(value, _Inert)


def load_from_local(filename: str, map_location: MapLocation = None) -> dict:
    """Read a local file; mmengine's log takes the loader's word from this function's name."""
    return load_checkpoint_file(filename, map_location)


def load_from_http(
    filename: str, map_location: MapLocation = None, model_dir: Optional[str] = None, progress: bool = True
) -> dict:
    """Download once per machine into torch's hub folder, then read like any local file."""
    from mmengine.dist import barrier
    from torch.hub import download_url_to_file, get_dir

    folder = model_dir or os.path.join(get_dir(), 'checkpoints')
    target = os.path.join(folder, os.path.basename(filename.split('?')[0]))
    # not mmengine's get_local_rank: it needs a process group that only mmengine's own launcher makes
    if int(os.environ.get('LOCAL_RANK', 0)) == 0 and not os.path.isfile(target):
        os.makedirs(folder, exist_ok=True)
        download_url_to_file(filename, target, progress=progress)
    barrier()
    return load_checkpoint_file(target, map_location)


def install() -> None:
    """Make mmengine read checkpoints by :func:`load_checkpoint_file`."""
    loader = mmengine_checkpoint.CheckpointLoader
    loader.register_scheme(prefixes='', loader=load_from_local, force=True)
    loader.register_scheme(prefixes=('http://', 'https://'), loader=load_from_http, force=True)
    # The loaders of torchvision:// and openmmlab:// call this one by its module-level name.
    mmengine_checkpoint.load_from_http = load_from_http
