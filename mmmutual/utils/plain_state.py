"""Turn what mmengine puts into a checkpoint into tensors and plain values, and back.

mmengine's message hub holds HistoryBuffer objects, and metrics leave numpy scalars; both can be read back only by
unpickling code, which ``torch.load`` refuses by default.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """Copy nested containers with numpy values turned into numbers and tensors.

    Raises:
        TypeError: if something else than numbers, strings, tensors and containers of them is inside, naming where.
    """
    if isinstance(value, np.generic):
        return value.item()  # first of all: numpy's float64 is a float, too
    if value is None or isinstance(value, (bool, torch.Tensor)):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Mapping):
        return {to_plain(key, f'key of {where}'): to_plain(item, f'{where}.{key}') for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [to_plain(item, f'{where}[{i}]') for i, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return torch.from_numpy(np.ascontiguousarray(value))
    raise TypeError(
        f'{where} is a {type(value).__name__}, which a checkpoint that loads without running code cannot hold; use '
        'numbers, strings, tensors, lists, tuples and dicts'
    )


def plain_schedulers(states: Any) -> Any:
    """Parameter schedulers' states without the functions that some hold and that a new scheduler brings along.

    Args:
        states: a list of ``state_dict()``, or a dict of such lists where there are several optimisers.
    """
    if isinstance(states, dict):
        return {name: plain_schedulers(of_one) for name, of_one in states.items()}
    return [
        to_plain({key: value for key, value in state.items() if not callable(value)}, f'param_schedulers[{i}]')
        for i, state in enumerate(states)
    ]


def plain_message_hub(state: dict) -> dict:
    """A message hub's ``state_dict()`` without objects."""
    buffers = {}
    for name, buffer in state['log_scalars'].items():
        values, counts = buffer.data
        buffers[name] = dict(
            values=torch.tensor(np.asarray(values, dtype=np.float64)),
            counts=torch.tensor(np.asarray(counts, dtype=np.float64)),
            max_length=buffer.max_length,
        )
    return dict(
        plain_log_scalars=buffers,
        runtime_info=to_plain(state['runtime_info'], 'message_hub.runtime_info'),
        resumed_keys=to_plain(state['resumed_keys'], 'message_hub.resumed_keys'),
    )


def rebuild_message_hub(state: dict) -> dict:
    """The inverse of :func:`plain_message_hub`: what ``MessageHub.load_state_dict`` takes."""
    return dict(
        log_scalars={
            name: HistoryBuffer(buffer['values'].tolist(), buffer['counts'].tolist(), buffer['max_length'])
            for name, buffer in state['plain_log_scalars'].items()
        },
        runtime_info=state['runtime_info'],
        resumed_keys=state['resumed_keys'],
    )
