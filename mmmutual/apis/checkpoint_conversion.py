"""Checkpoints of other code bases as those of a model of ours (spec/mml.md 3.4)."""

import re
from pathlib import Path
from typing import Any, Dict, Sequence, Union

import torch
from torch import Tensor, nn

from mmmutual.utils.branch_state import STEM, STEM_CHANNELS, branch_state, fitted_state, tensors_of
from mmmutual.utils.checkpoint_loading import load_checkpoint_file
from mmmutual.utils.state_match import match_states
from mmmutual.utils.whole_output import whole_file

# Weights that a ResNetTSM, ResNet or MobileNetV2TSM inside a FrameEncoder may have, and a LinearHead
_KNOWN = re.compile(
    r'(encoder\.backbone\.(conv\d|layer\d)\.(.+\.)?(conv|bn|net)|head\.fc)'
    r'\.(weight|bias|running_mean|running_var|num_batches_tracked)'
)


def read_branch(file: str, branch: str, prefixes: Sequence[str]) -> Dict[str, Tensor]:
    """Read a checkpoint of one network as the weights ``branches.<branch>.*`` of a model of ours.

    Args:
        file: a local path, read without running code from it.
        branch: what the branch is to be called.
        prefixes: how the names of the code base begin.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another code base, holds what has no counterpart, or ``branch`` is the name of a
            modality and the first kernel is one for another number of channels.
    """
    checkpoint = load_checkpoint_file(file, map_location='cpu')
    names = list(tensors_of(checkpoint))
    if not any(name.startswith(tuple(prefixes)) for name in names):
        raise ValueError(f'{file}: no name begins with one of {tuple(prefixes)}; it has {sorted(names)[:4]}')
    state = branch_state(checkpoint, file)
    leftovers = [name for name in state if not _KNOWN.fullmatch(name)]
    if leftovers:
        raise ValueError(f'{file}: {len(leftovers)} of {len(state)} weights have no counterpart: {leftovers[:4]}')
    channels = STEM_CHANNELS.get(branch)
    if channels is not None and STEM in state and state[STEM].shape[1] != channels:
        raise ValueError(f'{file}: its first kernel has {state[STEM].shape[1]} channels, {branch!r} has {channels}')
    return {f'branches.{branch}.{name}': value for name, value in state.items()}


def fit_to_model(state: Dict[str, Tensor], model: nn.Module) -> Dict[str, Tensor]:
    """Give weights the names of a model's, whose shift may wrap other layers, and check that its branches are filled.

    Args:
        state: from :func:`read_branch`, of one or several branches.
        model: of ours; other branches of it are not looked at.

    Raises:
        ValueError: if something is missing, left over or of another shape.
    """
    prefixes = tuple({name[: name.index('.', len('branches.')) + 1] for name in state})
    state = fitted_state(state, model)
    match = match_states(state, {k: v for k, v in model.state_dict().items() if k.startswith(prefixes)})
    if not match.complete:
        raise ValueError(f'the checkpoint is of another network than that of the config: {match}')
    return state


def write_checkpoint(state: Dict[str, Tensor], file: Union[str, Path], **meta: Any) -> None:
    """Write weights, and plain values about them, as a checkpoint of mmengine."""
    with whole_file(file) as partial:
        torch.save(dict(meta=meta, state_dict=state), partial)
