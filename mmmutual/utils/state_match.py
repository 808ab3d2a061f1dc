"""What two state dicts have in common."""

import logging
from typing import Dict, List, NamedTuple

from mmengine.logging import print_log
from torch import Tensor


class StateMatch(NamedTuple):
    """Names by how they compare; counters of batch norms are never missing, as old checkpoints have none."""

    matched: List[str]
    missing: List[str]
    unexpected: List[str]
    other_shape: List[str]

    @property
    def complete(self) -> bool:
        """Whether nothing but matches was found."""
        return not (self.missing or self.unexpected or self.other_shape)

    def __str__(self) -> str:
        return (
            f'{len(self.matched)} matched, {_listed(self.missing, "missing")}, '
            f'{_listed(self.unexpected, "unexpected")}, {_listed(self.other_shape, "of another shape")}'
        )


def match_states(given: Dict[str, Tensor], wanted: Dict[str, Tensor]) -> StateMatch:
    """Compare names and shapes."""
    shared = [name for name in wanted if name in given]
    other_shape = [name for name in shared if given[name].shape != wanted[name].shape]
    return StateMatch(
        matched=[name for name in shared if name not in other_shape],
        missing=[name for name in wanted if name not in given and not name.endswith('num_batches_tracked')],
        unexpected=[name for name in given if name not in wanted],
        other_shape=other_shape,
    )


def report_states(given: Dict[str, Tensor], wanted: Dict[str, Tensor], source: str, target: str) -> StateMatch:
    """Compare, and log the counts; as a warning unless all matches.

    Args:
        given: what a checkpoint holds.
        wanted: what a network has.
        source: what the checkpoint is called in messages.
        target: what the network is called.

    Raises:
        ValueError: if nothing matches, naming first names of both sides.
    """
    match = match_states(given, wanted)
    if not match.matched:
        raise ValueError(
            f'{source} matches nothing of {target}: it has names like {sorted(given)[:3]}, {target} has '
            f'{sorted(wanted)[:3]}; {_listed(match.other_shape, "of another shape")}'
        )
    level = logging.INFO if match.complete else logging.WARNING
    print_log(f'{source}: {match}', logger='current', level=level)
    return match


def refuse_other_shapes(given: Dict[str, Tensor], wanted: Dict[str, Tensor], source: str) -> None:
    """Refuse weights that have a name of the network, but another shape.

    Raises:
        ValueError: naming the first, and both shapes.
    """
    for name in match_states(given, wanted).other_shape[:1]:
        raise ValueError(
            f'{source}: {name} has shape {tuple(given[name].shape)}, the network wants {tuple(wanted[name].shape)}'
        )


def _listed(names: List[str], what: str) -> str:
    return f'{len(names)} {what} {names[:4]}'
