"""All processes validate the same network."""

from typing import Any

from mmengine.hooks import Hook

from mmmutual.registry import HOOKS

from ..unify import unify


@HOOKS.register_module()
class UnifyHook(Hook):
    """Make the networks of all processes equal at the end of each epoch and before each validation.

    Averages batch norm statistics, as each process sees its share of every batch only, and collects the peers where
    each process trains one. mmengine's SyncBuffersHook would average every buffer, the state of methods and counters
    too, which methods keep equal themselves.
    """

    def after_train_epoch(self, runner: Any) -> None:
        """Before a checkpoint is saved."""
        unify(runner.model)

    def before_val_epoch(self, runner: Any) -> None:
        """In loops of iterations there is no end of an epoch before it."""
        unify(runner.model)
