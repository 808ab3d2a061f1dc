"""How much of a checkpoint fits a model, told before it is loaded."""

import logging
from typing import Any, Dict, List

from mmengine.logging import print_log
from torch import Tensor, nn


def report_match(model: nn.Module, checkpoint: Dict[str, Any], source: str) -> None:
    """Log how many names match, are missing, are unexpected or have another shape.

    mmengine loads what fits and goes on; a run whose weights are first weights would look like any other.

    Args:
        model: the task model, unwrapped.
        checkpoint: with ``state_dict``, or a state dict itself; names may start with ``module.``.
        source: what the checkpoint is called in messages.

    Raises:
        ValueError: if nothing matches, naming first names of both sides.
    """
    state = checkpoint.get('state_dict', checkpoint)
    given = {_unwrapped(name): value for name, value in state.items() if isinstance(value, Tensor)}
    wanted = model.state_dict()
    shared = [name for name in wanted if name in given]
    other_shape = [name for name in shared if given[name].shape != wanted[name].shape]
    matched = len(shared) - len(other_shape)
    if not matched:
        raise ValueError(
            f'{source} matches nothing of {type(model).__name__}: it has names like {_first(given)}, the model has '
            f'{_first(wanted)}; {len(other_shape)} names are the same but of another shape {other_shape[:4]}'
        )
    missing = [name for name in wanted if name not in given and not name.endswith('num_batches_tracked')]
    unexpected = [name for name in given if name not in wanted]
    print_log(
        f'{source}: {matched} matched, {len(missing)} missing {missing[:4]}, {len(unexpected)} unexpected '
        f'{unexpected[:4]}, {len(other_shape)} of another shape {other_shape[:4]}',
        logger='current',
        level=logging.WARNING if missing or unexpected or other_shape else logging.INFO,
    )


def _unwrapped(name: str) -> str:
    return name[len('module.') :] if name.startswith('module.') else name


def _first(state: Dict[str, Any]) -> List[str]:
    return sorted(state)[:3]
