"""Checkpoints that load without running code and resume to the same losses."""

from typing import Any, Dict, List, Optional

from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop
from mmengine.runner.checkpoint import find_latest_checkpoint

from mmmutual.registry import HOOKS
from mmmutual.utils.atomic_file_backend import NAME as ATOMIC
from mmmutual.utils.plain_state import plain_message_hub, plain_schedulers, rebuild_message_hub, to_plain
from mmmutual.utils.rng_state import capture_rng_state, restore_rng_state

from ..unify import unify
from .deferred_log_hook import DeferredRuntimeInfoHook
from .training_position import describe_loader, fit_position

KEY = 'mmmutual_resume'


@HOOKS.register_module()
class ExactCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook whose files hold all that an exact resume needs, and no pickled objects.

    Added to each checkpoint: the states of the python, numpy and torch generators of every process, and what its
    iteration count and the order of samples depend on. Validation keeps the generators as they are, so that the
    training after it does not depend on whether it ran. Augmentations don't use these generators: they depend on
    (seed, epoch, sample index), see :class:`mmmutual.datasets.ResumableSampler`.

    Args:
        as of :class:`mmengine.hooks.CheckpointHook`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_all_ranks: Optional[List[Dict[str, Any]]] = None
        self._loaded: Optional[Dict[str, Any]] = None
        self._to_restore: Optional[Dict[str, Any]] = None
        self._optimizer_state: Optional[Dict[int, dict]] = None
        self._before_val: Optional[Dict[str, Any]] = None

    def _save_checkpoint(self, runner: Any) -> None:
        self._gather(runner)
        super()._save_checkpoint(runner)
        self._of_all_ranks = self._optimizer_state = None

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        if not self.save_best:
            return
        self._gather(runner)
        super()._save_best_checkpoint(runner, metrics)  # may save the epoch's file again, optimiser and all
        self._of_all_ranks = self._optimizer_state = None

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict) -> None:
        # mmengine removes the oldest file before it writes the new one: killed in between, a run with max_keep_ckpts=1
        # would have none.
        ids = self.keep_ckpt_ids if self.max_keep_ckpts > 0 else ()
        oldest = ids.popleft() if ids and len(ids) == self.max_keep_ckpts and ids[-1] != step else None
        super()._save_checkpoint_with_step(runner, step, meta)
        if oldest is not None and is_main_process():
            path = self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(oldest))
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)

    def _gather(self, runner: Any) -> None:
        # Every rank comes here, while only the first writes the file and calls before_save_checkpoint.
        unify(runner.model)
        if hasattr(runner.model, 'whole_optimizer_state'):
            self._optimizer_state = runner.model.whole_optimizer_state(runner.optim_wrapper)
        self._of_all_ranks = all_gather_object(self._before_val or capture_rng_state())
        for hook in runner.hooks:
            if isinstance(hook, DeferredRuntimeInfoHook):
                hook.flush(runner)

    def before_run(self, runner: Any) -> None:
        """A resumed run does not read again what it first started from, which may be gone by now."""
        if runner._resume and (runner._load_from or find_latest_checkpoint(runner.work_dir)):
            for module in runner.model.modules():
                if hasattr(module, 'forget_first_weights'):
                    module.forget_first_weights()

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add what a resume needs; turn the rest into tensors and plain values."""
        checkpoint['meta'] = to_plain(checkpoint['meta'], 'meta')
        checkpoint['message_hub'] = plain_message_hub(checkpoint['message_hub'])
        if self._optimizer_state is not None and 'optimizer' in checkpoint:
            checkpoint['optimizer']['state'] = self._optimizer_state
        if 'param_schedulers' in checkpoint:
            checkpoint['param_schedulers'] = plain_schedulers(checkpoint['param_schedulers'])
        checkpoint[KEY] = dict(rng=self._of_all_ranks, loader=describe_loader(runner.train_dataloader))

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Rebuild the message hub; keep the rest for the start of training, if this turns out to be a resume."""
        hub = checkpoint.get('message_hub') or {}
        if 'plain_log_scalars' in hub:
            checkpoint['message_hub'] = rebuild_message_hub(hub)
        if 'optimizer' in checkpoint and hasattr(runner.model, 'own_optimizer_state'):
            whole = checkpoint['optimizer']['state']
            checkpoint['optimizer']['state'] = runner.model.own_optimizer_state(runner.optim_wrapper, whole)
        record, meta = checkpoint.get(KEY) or {}, checkpoint.get('meta') or {}
        if not {'epoch', 'iter'} <= set(meta):
            return  # weights only
        checkpoint.setdefault('message_hub', dict(log_scalars={}, runtime_info={}, resumed_keys={}))
        words = []
        if isinstance(runner._train_loop, EpochBasedTrainLoop):
            words.append(fit_position(meta, record.get('loader'), runner.train_dataloader))
        if 'optimizer' not in checkpoint:
            words.append(
                'the checkpoint holds no optimiser and no schedules (a "best" one never does): both start anew'
            )
        self._loaded = dict(record, words=words, position=(meta['epoch'], meta['iter']))

    def before_train(self, runner: Any) -> None:
        """Write files in one piece; on resume, put back what the order of samples and random numbers depend on."""
        if self.backend_args is None and self.file_client_args is None:
            local = type(get_file_backend(self.out_dir or runner.work_dir)) is LocalBackend
            self.backend_args = dict(backend=ATOMIC) if local else None
        super().before_train(runner)
        loaded, self._loaded = self._loaded, None
        if loaded is None or loaded['position'] != (runner.epoch, runner.iter):
            return  # weights only
        states = loaded.get('rng')
        if states is None or len(states) != get_world_size():
            had = 'none' if states is None else f'those of {len(states)} process(es)'
            loaded['words'].append(
                f'the checkpoint holds {had} of the generator states that {get_world_size()} process(es) need: '
                'training goes on, but with other random numbers than without the interruption'
            )
        else:
            self._to_restore = states[get_rank()]
        for line in filter(None, loaded['words']):
            print_log(line, logger='current', level=30)
        seed = loaded.get('loader', {}).get('sampler_seed')
        if seed is not None:
            runner.train_dataloader.sampler.seed = seed  # built before the seed of the first run was known
        if runner.iter == runner.epoch * len(runner.train_dataloader):
            self._restore()  # what other hooks draw before the epoch, they have not drawn yet

    def before_train_epoch(self, runner: Any) -> None:
        """On resume within an epoch: what other hooks draw before it, they had drawn before the states were saved."""
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
