"""Log values are read from the device when they are printed, not at every step."""

from typing import Any, Dict, List, Optional, Tuple

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from torch import Tensor

from mmmutual.registry import HOOKS


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """mmengine's RuntimeInfoHook, which reads every log value at every step, with one read per log interval.

    What it hands over is the same: every value of every iteration, before the LoggerHook of that iteration runs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pending: List[Tuple[List[str], Tensor]] = []
        self._interval: Optional[int] = None

    def before_train(self, runner: Any) -> None:
        """Take over the interval of the LoggerHook."""
        super().before_train(runner)
        intervals = [hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._interval = min(intervals) if intervals else 1

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Optional[Dict[str, Tensor]] = None
    ) -> None:
        """Keep the values; hand them over where the LoggerHook may print."""
        if outputs:
            values = [torch.as_tensor(value).detach().double() for value in outputs.values()]
            device = next((value.device for value in values if value.is_cuda), values[0].device)
            values = [value.to(device, non_blocking=True) for value in values]
            self._pending.append((list(outputs), torch.stack(values)))
        inner = self.every_n_inner_iters(batch_idx, self._interval) or self.every_n_train_iters(runner, self._interval)
        if inner or self.is_last_train_iter(runner) or batch_idx + 1 == len(runner.train_dataloader):
            self.flush(runner)

    def flush(self, runner: Any) -> None:
        """Hand every kept value over to the message hub; one read from the device."""
        if not self._pending:
            return
        values = torch.cat([stacked for _, stacked in self._pending]).tolist()
        names = [name for names, _ in self._pending for name in names]
        self._pending = []
        for name, value in zip(names, values):
            runner.message_hub.update_scalar(f'train/{name}', value)
