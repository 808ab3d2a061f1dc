"""A train loop that resumes within an epoch."""

from typing import Any, Iterator

import torch
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from mmmutual.registry import LOOPS


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """Epochs, as mmengine's loop runs them; a checkpoint from within an epoch goes on with the next batch of it.

    mmengine's loop would start the epoch anew, and train on its first batches twice. One from the end of an epoch goes
    on with the validation of that epoch, which was due next.

    Args:
        as of :class:`mmengine.runner.EpochBasedTrainLoop`.

    Raises:
        TypeError: on resume within an epoch if the sampler can't skip, naming the one that can.
    """

    def run(self) -> nn.Module:
        """Train to the end; returns the model."""
        self.runner.call_hook('before_train')
        if self._epoch > 0 and self._iter == self._epoch * len(self.dataloader):
            # The checkpoint was saved before its epoch's validation, whose best score it so far lacks.
            self._validate_if_due()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate_if_due()
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validate_if_due(self) -> None:
        self._decide_current_val_interval()
        due = self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        if self.runner.val_loop is not None and self._epoch >= self.val_begin and due:
            self.runner.val_loop.run()

    def run_epoch(self) -> None:
        """Run what is left of the current epoch."""
        done = self._iter - self._epoch * len(self.dataloader)
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        if done < len(self.dataloader):  # else it was saved after the last batch
            if done > 0:
                self._skip(done)
            for idx, data_batch in enumerate(self._batches(), start=done):
                self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _batches(self) -> Iterator[Any]:
        # The loader draws a seed whenever it starts workers, which persistent ones and a resume do at different times:
        # what training draws must not depend on it.
        state = torch.get_rng_state()
        batches = iter(self.dataloader)
        torch.set_rng_state(state)
        return batches

    def _skip(self, batches: int) -> None:
        sampler: Any = self.dataloader.sampler
        if not hasattr(sampler, 'skip'):
            raise TypeError(
                f'the checkpoint was saved after {batches} batches of an epoch, and the train sampler '
                f"{type(sampler).__name__} cannot skip them: use sampler=dict(type='ResumableSampler', shuffle=True), "
                'or resume from a checkpoint that was saved at the end of an epoch'
            )
        sampler.skip(batches * self.dataloader.batch_size)
