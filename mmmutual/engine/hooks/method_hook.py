"""The base of hooks that belong to a method: what it does once per epoch with the loaders at hand."""

from typing import Any, Callable, Iterator

import torch
from mmengine.dist import broadcast
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import nn

from mmmutual.utils.rng_state import capture_rng_state, restore_rng_state


class MethodHook(Hook):
    """Helps for prototypes, blending weights, re-initialisation and re-sampling.

    What changes the model once per epoch belongs into :meth:`begin_epoch`, what only depends on the epoch's number and
    is in no checkpoint (which parameters are frozen) into ``before_train_epoch``, after ``super()``'s: that one is
    also called when training resumes within an epoch.

    Example:
        >>> class Prototypes(MethodHook):
        ...     def begin_epoch(self, runner):
        ...         for batch in self.sweep(runner, runner.train_dataloader):
        ...             self.model(runner).prototypes.update(batch)
    """

    priority = 'ABOVE_NORMAL'

    def before_train_epoch(self, runner: Any) -> None:
        """Call :meth:`begin_epoch`, unless training resumes within the epoch."""
        if runner.iter == runner.epoch * len(runner.train_dataloader):
            self.begin_epoch(runner)

    def begin_epoch(self, runner: Any) -> None:
        """Do what the method does when an epoch begins; nothing by default."""

    @staticmethod
    def model(runner: Any) -> nn.Module:
        """The task model, unwrapped."""
        return runner.model.module if is_model_wrapper(runner.model) else runner.model

    def sweep(self, runner: Any, loader: Any) -> Iterator[dict]:
        """Every preprocessed batch of a loader, in eval mode and without gradients.

        Training mode and random generators are put back afterwards, so that training goes on as if nothing had been
        read. Call it between epochs: a loader serves one iteration at a time. Samples come as in the current epoch.
        """
        model = self.model(runner)
        if hasattr(loader.sampler, 'set_epoch'):
            loader.sampler.set_epoch(runner.epoch)  # this hook may come before the one that does so
        training, rng = [(module, module.training) for module in model.modules()], capture_rng_state()
        model.eval()
        try:
            for data in loader:
                with torch.no_grad():
                    yield model.data_preprocessor(data, False)
        finally:
            for module, mode in training:
                module.training = mode
            restore_rng_state(rng)

    @staticmethod
    def set_trainable(module: nn.Module, trainable: bool) -> None:
        """Freeze or release a module's parameters. No new model wrapper is needed: ours notices."""
        for p in module.parameters():
            p.requires_grad_(trainable)
            if not trainable:
                p.grad = None

    @staticmethod
    def reinitialise(runner: Any, module: nn.Module, initialise: Callable[[nn.Module], None]) -> None:
        """Give a module new values in place, the same on every process, and forget its momentum.

        Args:
            runner: of the training.
            module: of the task model.
            initialise: sets the module's parameters and buffers in place.
        """
        for part in module.modules():
            if getattr(part, '_is_init', False):
                part._is_init = False  # else mmengine's init_weights would do nothing the second time
        initialise(module)
        for value in (*module.parameters(), *module.buffers()):
            broadcast(value.data)
        wrapper = runner.optim_wrapper
        for single in wrapper.values() if hasattr(wrapper, 'values') else [wrapper]:
            for p in module.parameters():
                single.optimizer.state.pop(p, None)
