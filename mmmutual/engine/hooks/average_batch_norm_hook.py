"""One network for all processes to validate: the mean of their batch norm statistics."""

from typing import Any

from mmengine.dist import all_reduce_params
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmmutual.registry import HOOKS


def average_batch_norms(model: nn.Module) -> None:
    """Replace running means and variances by their mean over processes; nothing happens in one process."""
    statistics = [
        value
        for module in model.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
        for value in (module.running_mean, module.running_var)
    ]
    if statistics:
        all_reduce_params(statistics, op='mean')


@HOOKS.register_module()
class AverageBatchNormHook(Hook):
    """Average batch norm statistics at the end of each epoch, before checkpoint and validation.

    Each process sees its share of every batch only. mmengine's SyncBuffersHook would average every buffer, the state
    of methods and counters too, which methods keep equal themselves.
    """

    def after_train_epoch(self, runner: Any) -> None:
        """Average over processes."""
        average_batch_norms(runner.model.module if is_model_wrapper(runner.model) else runner.model)
