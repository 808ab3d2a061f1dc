"""Call a part with what it asks for by the names of its parameters.

Losses and fusions are pure functions of tensors; the classifier must not know which of them needs what. So a part's
``forward`` names what it wants, and gets it.
"""

import inspect
from typing import Any, Dict, Sequence, Tuple

from torch import nn


def wanted_names(part: nn.Module, where: str, allowed: Sequence[str]) -> Tuple[str, ...]:
    """Names of the parameters of ``part.forward``.

    Raises:
        ValueError: if it asks for something that is not there, naming what is.
    """
    parameters = inspect.signature(part.forward).parameters.values()
    names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    required = [p.name for p in parameters if p.name in names and p.default is p.empty]
    unknown = [name for name in required if name not in allowed]
    if unknown or not names:
        raise ValueError(
            f'{where}: forward() of {type(part).__name__} asks for {list(names)}, '
            f'but the parameters it can ask for by name are {list(allowed)}'
        )
    return tuple(name for name in names if name in allowed)


def call_with(part: nn.Module, names: Sequence[str], available: Dict[str, Any]) -> Any:
    """Call ``part`` with ``names`` out of ``available``."""
    return part(**{name: available[name] for name in names})
