"""How much of a checkpoint fits a model, told before it is loaded."""

from typing import Any, Dict

from torch import nn

from mmmutual.utils.branch_state import tensors_of
from mmmutual.utils.state_match import report_states


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
    report_states(tensors_of(checkpoint), model.state_dict(), source, type(model).__name__)
