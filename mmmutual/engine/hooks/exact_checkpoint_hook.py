"""Checkpoints that load without running code and resume to the same losses."""

from typing import Any, Dict, List, Optional

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log

from mmmutual.registry import HOOKS
from mmmutual.utils.plain_state import plain_message_hub, rebuild_message_hub, to_plain
from mmmutual.utils.rng_state import capture_rng_state, restore_rng_state

from .deferred_log_hook import DeferredRuntimeInfoHook

KEY = 'mmmutual_rng'


@HOOKS.register_module()
class ExactCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook whose files hold all that an exact resume needs, and no pickled objects.

    Added to each checkpoint: the states of the python, numpy and torch generators of every process. Validation keeps
    them as they are, so that the training after it does not depend on whether it ran. Augmentations don't use these
    generators: they depend on (seed, epoch, sample index), see :class:`mmmutual.datasets.ResumableSampler`.

    Args:
        as of :class:`mmengine.hooks.CheckpointHook`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_all_ranks: Optional[List[Dict[str, Any]]] = None
        self._to_restore: Optional[Dict[str, Any]] = None
        self._before_val: Optional[Dict[str, Any]] = None

    def _save_checkpoint(self, runner: Any) -> None:
        self._gather(runner)
        super()._save_checkpoint(runner)

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        self._gather(runner)
        super()._save_best_checkpoint(runner, metrics)

    def _gather(self, runner: Any) -> None:
        # Every rank comes here, while only the first writes the file and calls before_save_checkpoint.
        self._of_all_ranks = all_gather_object(self._before_val or capture_rng_state())
        for hook in runner.hooks:
            if isinstance(hook, DeferredRuntimeInfoHook):
                hook.flush(runner)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add the generator states; turn the rest into tensors and plain values."""
        checkpoint['meta'] = to_plain(checkpoint['meta'], 'meta')
        checkpoint['message_hub'] = plain_message_hub(checkpoint['message_hub'])
        if self._of_all_ranks is not None:
            checkpoint[KEY] = self._of_all_ranks

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Rebuild the message hub; keep the generator states for the start of training."""
        hub = checkpoint.get('message_hub')
        if hub is not None and 'plain_log_scalars' in hub:
            checkpoint['message_hub'] = rebuild_message_hub(hub)
        elif hub is None and runner._resume:
            checkpoint['message_hub'] = dict(log_scalars={}, runtime_info={}, resumed_keys={})
        states = checkpoint.get(KEY)
        if not runner._resume:
            return
        if states is None or len(states) != get_world_size():
            had = 'none' if states is None else f'those of {len(states)} processes'
            print_log(
                f'the checkpoint holds {had} of the generator states that {get_world_size()} process(es) need: '
                'training goes on, but with other random numbers than without the interruption',
                logger='current',
                level=30,
            )
            return
        self._to_restore = states[get_rank()]

    def before_train_epoch(self, runner: Any) -> None:
        """Resume at the start of an epoch: the loader draws its seed from here on."""
        super().before_train_epoch(runner)
        if runner.iter % len(runner.train_dataloader) == 0:
            self._restore()

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Resume within an epoch: the loader has drawn its seed, which the saved states had behind them."""
        self._restore()

    def _restore(self) -> None:
        if self._to_restore is not None:
            restore_rng_state(self._to_restore)
            self._to_restore = None

    def before_val(self, runner: Any) -> None:
        """Remember the generators."""
        self._before_val = capture_rng_state()

    def after_val(self, runner: Any) -> None:
        """Put the generators back."""
        if self._before_val is not None:
            restore_rng_state(self._before_val)
            self._before_val = None
