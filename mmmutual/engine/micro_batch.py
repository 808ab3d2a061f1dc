"""Split one batch into micro-batches for gradient accumulation."""

from typing import Any, List, Optional, Tuple

from torch import Tensor


def batch_size(data: Any) -> int:
    """Number of samples of a collated batch: of its data samples if any, else of its first tensor.

    Raises:
        ValueError: if nothing in it has a length.
    """
    if isinstance(data, dict) and isinstance(data.get('data_samples'), (list, tuple)):
        return len(data['data_samples'])
    size = _first_length(data)
    if size is None:
        raise ValueError('a batch without tensors or lists cannot be split into micro-batches')
    return size


def split_batch(data: Any, parts: int) -> List[Tuple[float, Any]]:
    """Split a batch of B samples into at most ``parts`` micro-batches whose sizes differ by one at most.

    Args:
        data: nested dicts of tensors (B, ...) and lists of B elements; other values, tensors () too, are shared.
        parts (int): wanted number of micro-batches; B if B is smaller.

    Returns:
        Pairs of (share of the samples, micro-batch); shares sum to 1.
    """
    if parts == 1:
        return [(1.0, data)]
    size = batch_size(data)
    parts = min(parts, size)
    bounds = [size * i // parts for i in range(parts + 1)]
    return [((b - a) / size, _cut(data, a, b, size)) for a, b in zip(bounds, bounds[1:])]


def _cut(data: Any, start: int, stop: int, size: int) -> Any:
    if isinstance(data, dict):
        return {key: _cut(value, start, stop, size) for key, value in data.items()}
    if _has_length(data):
        if len(data) != size:
            raise ValueError(f'a batch of {size} samples holds a value of length {len(data)}, which cannot be split')
        return data[start:stop]
    return data


def _first_length(data: Any) -> Optional[int]:
    if isinstance(data, dict):
        for value in data.values():
            size = _first_length(value)
            if size is not None:
                return size
        return None
    return len(data) if _has_length(data) else None


def _has_length(data: Any) -> bool:
    return data.dim() > 0 if isinstance(data, Tensor) else isinstance(data, (list, tuple))
