"""What a schedule yields, and what a modulator sees of it."""

from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Optional

import torch
from torch import Tensor, nn


@dataclass
class Update:
    """One backward and, usually, one optimiser step; yielded by an update schedule.

    Attributes:
        losses: named loss tensors; those whose name holds ``loss`` are summed and trained on, the others logged. One
            without a graph, as where no sample of this process has the modality, counts as gradients of zero.
        name: prefix of the log names; '' where a schedule has one update only.
        params: what it trains, e.g. ``branch.parameters()``; ``None``: every trainable parameter of the model.
        optimizer: key of the optim wrapper where the model has several; ``None``: the only one.
        step: False keeps the averaged, unscaled gradients for a later update of the same iteration
            (``UpdateStep.kept``) instead of stepping.
        retain_graph: keep the graph for another backward; by default that of an update that does not step.
        outputs: detached tensors (B, ...) of this forward that modulators need, e.g. unimodal logits.
        batch_mean: whether the losses are means over samples, so that a batch may be split into micro-batches; who
            yields the update must say so.

    Raises:
        ValueError: if no name of ``losses`` holds ``loss``.
    """

    losses: Dict[str, Tensor]
    name: str = ''
    params: Optional[Iterable[nn.Parameter]] = None
    optimizer: Optional[str] = None
    step: bool = True
    retain_graph: Optional[bool] = None
    outputs: Dict[str, Tensor] = field(default_factory=dict)
    batch_mean: bool = False

    def __post_init__(self) -> None:
        if not any('loss' in name for name in self.losses):
            raise ValueError(f"update {self.name!r} has no loss: only names with 'loss' are, got {list(self.losses)}")
        if self.params is not None:
            self.params = list(self.params)  # read several times, which an iterator would not survive
        if self.retain_graph is None:
            self.retain_graph = not self.step


@dataclass
class UpdateStep:
    """An update between its backward and its step, as gradient modulators get it.

    Gradients (``param.grad``) are averaged over processes and micro-batches, and free of any loss scale.

    Attributes:
        name: the update's name.
        model: the task model, never wrapped.
        params: parameters of this update; those without gradient have ``grad`` None.
        outputs: the update's outputs (B, ...), micro-batches joined; B is the batch of this process.
        kept: gradients of this iteration's updates with ``step=False``: name -> {parameter: gradient}.
        logs: scalars to log may be added here, as tensors on the device.
    """

    name: str
    model: nn.Module
    params: List[nn.Parameter]
    outputs: Dict[str, Tensor]
    kept: Dict[str, Dict[nn.Parameter, Tensor]]
    logs: Dict[str, Tensor]


def join_outputs(updates: List[Update]) -> Dict[str, Tensor]:
    """Join the outputs (b_i, ...) of an update's micro-batches into (B, ...)."""
    if len(updates) == 1:
        return updates[0].outputs
    return {name: torch.cat([update.outputs[name] for update in updates]) for name in updates[0].outputs}
