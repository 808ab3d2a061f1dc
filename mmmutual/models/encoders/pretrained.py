"""Weights of a trained network for an encoder, also where the stem has another number of channels."""

import re
from typing import Optional

from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

from mmmutual.utils.branch_state import branch_state, copy_state, fitted_state
from mmmutual.utils.state_match import refuse_other_shapes, report_states


def transfer_stem(kernel: Tensor, in_channels: int) -> Tensor:
    """A first kernel for another modality: the mean over input channels, copied to each (spec/mml.md 3.3, 3.5).

    Args:
        kernel: (C_out, C_in, ...).
        in_channels: wanted number of input channels.

    Returns:
        (C_out, in_channels, ...); not rescaled.
    """
    return kernel.mean(dim=1, keepdim=True).repeat_interleave(in_channels, dim=1)


def stem_name(network: nn.Module) -> Optional[str]:
    """Name of the first kernel, if the network has a convolution of two or three dimensions."""
    kinds = (nn.Conv2d, nn.Conv3d)
    return next((f'{name}.weight' for name, m in network.named_modules() if isinstance(m, kinds)), None)


def load_pretrained(backbone: nn.Module, checkpoint: str) -> None:
    """Copy a trained network's weights into a backbone, in place; a classifier is left out.

    Names are those that :func:`~mmmutual.utils.checkpoint_names.branch_names` knows, or the backbone's own, with or
    without the wrappers (``.net``, ``.block``) of TSM. A first kernel of another number of input channels is
    transferred by :func:`transfer_stem`.

    Args:
        backbone: a 2-D or 3-D network.
        checkpoint: a path, a URL or ``torchvision://resnet50``; of ours, if it has a single branch.

    Raises:
        ValueError: if nothing matches, or a matching name has another shape; what matched is reported.
    """
    source = f'checkpoint {checkpoint!r}'
    state = branch_state(_load_checkpoint(checkpoint, map_location='cpu'), source)
    state = {re.sub(r'^encoder\.backbone\.', '', name): value for name, value in state.items()}
    state = fitted_state({name: value for name, value in state.items() if not name.startswith('head.')}, backbone)
    wanted, stem = backbone.state_dict(), stem_name(backbone)
    if stem in state and state[stem].shape[1] != wanted[stem].shape[1]:
        state[stem] = transfer_stem(state[stem], wanted[stem].shape[1])
    refuse_other_shapes(state, wanted, source)
    report_states(state, wanted, source, type(backbone).__name__)
    copy_state(state, backbone)
