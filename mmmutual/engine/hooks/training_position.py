"""Where in its epochs a training stands, in a form that survives another batch size or number of processes."""

from typing import Any, Dict, Optional

from mmengine.dist import get_world_size
from torch.utils.data import DataLoader

from mmmutual.utils.replicas import get_replica


def describe_loader(loader: DataLoader) -> Dict[str, Any]:
    """What the iteration count of a checkpoint means: plain numbers to save beside it."""
    replica = get_replica()
    shares = get_world_size() if replica is None else replica.count
    return dict(
        batches=len(loader),
        samples_per_batch=None if loader.batch_size is None else loader.batch_size * shares,
        sampler_seed=getattr(loader.sampler, 'seed', None),
    )


def fit_position(meta: Dict[str, Any], saved: Optional[Dict[str, Any]], loader: DataLoader) -> Optional[str]:
    """Change ``meta['iter']`` to what it is under this loader, so that ``iter - epoch * len(loader)`` are the batches
    of the current epoch that are done.

    Otherwise a checkpoint of two processes would, on one, repeat or leave out as much as an epoch without a word.

    Args:
        meta: of a checkpoint, with ``epoch`` (whole ones that are done) and ``iter``.
        saved: what :func:`describe_loader` said then; None for a checkpoint of stock mmengine.
        loader: of the training that goes on.

    Returns:
        A line for the log if something changed, else None.
    """
    now, before = describe_loader(loader), meta['iter']
    start = meta['epoch'] * now['batches']
    if saved is None:
        meta['iter'] = start
        why = 'the checkpoint does not tell how many batches its epochs had: training goes on at the start of an epoch'
    elif (saved['batches'], saved['samples_per_batch']) == (now['batches'], now['samples_per_batch']):
        return None
    else:
        done = before - meta['epoch'] * saved['batches']
        if done == saved['batches']:
            done = now['batches']
        elif done > 0:
            if None in (saved['samples_per_batch'], now['samples_per_batch']):
                done = 0
            else:
                done = min(done * saved['samples_per_batch'] // now['samples_per_batch'], now['batches'])
        meta['iter'] = start + done
        why = (
            f'the checkpoint was saved with {saved["batches"]} batches per epoch of {saved["samples_per_batch"]} '
            f'samples (all processes together), now there are {now["batches"]} of {now["samples_per_batch"]}'
        )
    if meta['iter'] == before:
        return None
    return f'{why}; iteration {before} becomes {meta["iter"]}. Schedulers that count iterations keep their own count.'
