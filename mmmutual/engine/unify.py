"""One network for all processes to validate and to save."""

from typing import Optional

import torch.distributed as dist
from mmengine.dist import all_reduce_params
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def unify(model: nn.Module) -> None:
    """Make the networks of all processes equal; ``model`` is wrapped as the Runner has it.

    A wrapper with a method ``unify`` does it itself. Else weights are equal already, and batch norm statistics are
    averaged. Every process must call it; in one process nothing happens.
    """
    if hasattr(model, 'unify'):
        model.unify()
    else:
        average_batch_norms(model)


def average_batch_norms(model: nn.Module, group: Optional[dist.ProcessGroup] = None) -> None:
    """Replace running means and variances by their mean over the processes of a group; each sees other samples."""
    statistics = [
        value
        for module in model.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
        for value in (module.running_mean, module.running_var)
    ]
    if statistics:
        all_reduce_params(statistics, op='mean', group=group)


def broadcast_weights(module: nn.Module, source: int, group: dist.ProcessGroup) -> None:
    """Copy parameters and buffers of rank ``source`` to all of a group whose backend takes CPU tensors."""
    for value in module.state_dict().values():
        on_host = value.cpu()  # the tensor itself where it is on the host
        dist.broadcast(on_host, src=source, group=group)
        if on_host is not value:
            value.copy_(on_host)
