"""What processes that hold one peer each tell one another."""

from typing import Dict, List

import torch.distributed as dist
from torch import Tensor


class LogitExchange:
    """All-reduce of logits over peers (spec/mml.md 4.2).

    Each process fills its own slot of a buffer (K, B, C) of zeros and the buffers are summed, which is exact. The
    original sums the logits themselves and subtracts its own: enough for the mean of the others, not for other targets.

    Args:
        names: of all K branches, in order.
        own: the branch of this process.
        group: the processes that hold the branches of the same samples.
    """

    def __init__(self, names: List[str], own: str, group: dist.ProcessGroup) -> None:
        self.names = names
        self.own = own
        self.group = group

    def __deepcopy__(self, memo: dict) -> 'LogitExchange':
        raise TypeError(
            'a model of which PeerParallel trains one branch in each process cannot be copied, as EMAHook does: the '
            'copy would lack what other processes train. Leave the hook out, or set '
            "model_wrapper_cfg.type='mmmutual.MutualDistributedDataParallel'"
        )

    def __call__(self, logits: Tensor) -> Dict[str, Tensor]:
        """Logits of all branches; only this process's own carry a gradient.

        Args:
            logits: (B, C) of this process's branch.

        Returns:
            Branch name -> (B, C), at least float32, so that peers may differ in precision.
        """
        own = logits.float() if logits.dtype.itemsize < 4 else logits
        slots = own.new_zeros(len(self.names), *own.shape)
        slots[self.names.index(self.own)] = own.detach()
        dist.all_reduce(slots, group=self.group)
        return {name: own if name == self.own else slot for name, slot in zip(self.names, slots)}
