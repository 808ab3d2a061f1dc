"""The weights of one network, out of a checkpoint of any known code base and into a module."""

from typing import Dict, Optional

import torch
from torch import Tensor, nn

from .checkpoint_names import branch_names, branches_in, fitted_names, without_module

# Channels of the first convolution by modality, as in the original (spec/mml.md 3.3)
STEM_CHANNELS = dict(rgb=3, flow=10, rgbdiff=15)
STEM = 'encoder.backbone.conv1.conv.weight'
_BIAS, _MEAN = 'non_local_block.conv_out.conv.bias', 'non_local_block.conv_out.bn.running_mean'


def tensors_of(checkpoint: dict) -> Dict[str, Tensor]:
    """The state dict of a checkpoint, or the checkpoint itself where it is one; without DataParallel's prefix."""
    state = checkpoint.get('state_dict', checkpoint)
    return {without_module(name): value for name, value in state.items() if isinstance(value, Tensor)}


def branch_state(checkpoint: dict, source: str, branch: Optional[str] = None) -> Dict[str, Tensor]:
    """Weights under names inside a branch of ours (spec/mml.md 3.4).

    The bias that the original has before the last norm of a non-local block, and mmcv has not, is taken out of the
    running mean: the same in eval mode.

    Args:
        checkpoint: of ours, of mmaction2's Recognizer2D, of the original code of MML or TSM, or of torchvision.
        source: what it is called in messages.
        branch: which branch of a checkpoint of ours; it may have several.

    Raises:
        ValueError: if the branch is not there, is not named among several, or two names are those of one weight.
    """
    state = tensors_of(checkpoint)
    branches = branches_in(state)
    if branch is None and len(branches) > 1:
        raise ValueError(f'{source} holds the branches {branches}: name one, as tune_from.source_branch or --branch')
    if branch is not None and branch not in branches:
        held = f'the branches {branches}' if branches else 'no branches of ours'
        raise ValueError(f'{source} has no branch {branch!r}: it holds {held}')
    if branches:
        prefix = f'branches.{branch or branches[0]}.'
        return {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    renamed: Dict[str, Tensor] = {}
    for name, ours in branch_names(state).items():
        if ours in renamed:
            raise ValueError(f'{source} holds {ours} twice, once as {name}')
        renamed[ours] = state[name]
    for name in [name for name in renamed if name.endswith(_BIAS)]:
        mean = name[: -len(_BIAS)] + _MEAN
        renamed[mean] = renamed[mean] - renamed.pop(name)
    return renamed


def fitted_state(state: Dict[str, Tensor], network: nn.Module) -> Dict[str, Tensor]:
    """Give weights the names that a network has, also where it wraps other layers than their source did."""
    names = fitted_names(state, network.state_dict())
    return {names[name]: value for name, value in state.items()}


def copy_state(state: Dict[str, Tensor], network: nn.Module) -> None:
    """Write values into a network in place, so that an optimiser built before keeps its parameters."""
    target = network.state_dict()
    with torch.no_grad():
        for name in target.keys() & state.keys():
            target[name].copy_(state[name])
