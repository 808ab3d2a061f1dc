"""Dynamic loss scaling for float16 that allows gradients to be kept for a later step.

torch's GradScaler looks for overflow once per optimiser step, before modulators run; a schedule may average, unscale
and keep the gradients of several backwards before one step, so the overflow of all of them has to count.
"""

from typing import List, Optional

import torch
import torch.distributed as dist
from torch import Tensor


class LossScaler:
    """Multiplies losses by a power of two that grows while no gradient overflows.

    The decision to step reads one value from the device per step, as GradScaler's does; bfloat16 needs none of this.

    Args:
        init_scale (float): first scale.
        growth_interval (int): steps without overflow after which the scale doubles; it halves after an overflow.
    """

    def __init__(self, init_scale: float = 2.0**16, growth_interval: int = 2000) -> None:
        self.scale = init_scale
        self.growth_interval = growth_interval
        self.good_steps = 0
        self._overflow: Optional[Tensor] = None
        self.group: Optional[dist.ProcessGroup] = None  # whose overflows count too, where they train other branches

    def scale_loss(self, loss: Tensor) -> Tensor:
        """``loss`` times the scale, in float32."""
        return loss.float() * self.scale

    def unscale(self, grads: List[Tensor]) -> None:
        """Divide gradients by the scale in place; an infinite or undefined one forbids the next step."""
        if not grads:
            return
        torch._foreach_mul_(grads, 1.0 / self.scale)
        largest = torch.stack(torch._foreach_norm(grads, float('inf'))).max()
        bad = ~torch.isfinite(largest)
        self._overflow = bad if self._overflow is None else self._overflow | bad

    def may_step(self) -> bool:
        """Whether no gradient since the last call overflowed; adapts the scale."""
        if self.group is not None and self._overflow is not None:
            self._overflow = self._overflow.float()
            dist.all_reduce(self._overflow, group=self.group)
        overflow = self._overflow is not None and bool(self._overflow)
        self._overflow = None
        if overflow:
            self.scale, self.good_steps = self.scale / 2, 0
        else:
            self.good_steps += 1
            if self.good_steps == self.growth_interval:
                self.scale, self.good_steps = self.scale * 2, 0
        return not overflow

    def state_dict(self) -> dict:
        """Plain numbers."""
        return dict(scale=self.scale, good_steps=self.good_steps)

    def load_state_dict(self, state: dict) -> None:
        """Take over what :meth:`state_dict` gave."""
        self.scale, self.good_steps = state['scale'], state['good_steps']
