"""The model wrapper under which every update schedule runs in several processes."""

from typing import Any, Dict, Iterator, List, Optional

import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from torch import Tensor, nn

from mmmutual.registry import MODEL_WRAPPERS
from mmmutual.utils.replicas import set_replica

from .driver import drive
from .gradient_average import average_gradients
from .update import Update


@MODEL_WRAPPERS.register_module()
class MutualDistributedDataParallel(MMDistributedDataParallel):
    """DistributedDataParallel that drives update schedules.

    A joint schedule with one plain backward goes through DDP's forward, so that reduction overlaps with the backward.
    Every other one runs without DDP's hooks, and the driver reduces: sent through DDP's forward, CLUB's inner steps
    fail ("mark a variable ready only once"), and of two backwards on one forward the second is not averaged. So does a
    joint schedule once parameters were frozen or released after wrapping.

    Args:
        module (MutualModel): the task model.
        device_ids (list[int], optional): the GPU of this process; ignored for a module on the CPU, for which DDP
            refuses it.
        kwargs: further arguments of DDP.

    Raises:
        TypeError: if the module has no update schedule.
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: Optional[List[int]] = None,
        broadcast_buffers: bool = False,
        **kwargs: Any,
    ) -> None:
        if not hasattr(module, 'schedule'):
            raise TypeError(
                f"model_wrapper_cfg.type='mmmutual.MutualDistributedDataParallel' drives update schedules, which "
                f'{type(module).__name__} does not have: for a model of another package set '
                "model_wrapper_cfg=dict(type='MMDistributedDataParallel')"
            )
        if next(module.parameters()).device.type == 'cpu':
            device_ids = None
        module.train()  # what freezes parameters in train(), as partial batch norm does, must have done so before
        super().__init__(module=module, device_ids=device_ids, broadcast_buffers=broadcast_buffers, **kwargs)
        set_replica(None)  # a wrapper that came before may have said otherwise
        self._wrapped = self._trainable()
        self._host_group = None if dist.get_backend() == 'gloo' else dist.new_group(backend='gloo')

    def train_step(self, data: Any, optim_wrapper: Any) -> Dict[str, Tensor]:
        """One iteration of the module's schedule; returns scalars to log."""
        if self.module.schedule.plain and self._trainable() == self._wrapped:
            return drive(self.module, data, optim_wrapper, source=self._overlapped)
        with self.no_sync():
            return drive(self.module, data, optim_wrapper, average=self._average)

    def _overlapped(self, chunk: Any, last: bool) -> Iterator[Update]:
        if last:
            yield self(**chunk, mode='update')
        else:
            with self.no_sync():
                update = self(**chunk, mode='update')
            yield update

    def _average(self, name: str, params: List[nn.Parameter]) -> None:
        average_gradients(name, params, self.process_group, self._host_group)

    def _trainable(self) -> List[int]:
        return [id(p) for p in self.module.parameters() if p.requires_grad]
