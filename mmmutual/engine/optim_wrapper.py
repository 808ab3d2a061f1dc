"""One optim wrapper for every method: mixed precision on any device, micro-batches, one clipping norm per branch."""

import contextlib
from typing import Any, ContextManager, Dict, List, Optional

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.optim import Optimizer

from mmmutual.registry import OPTIM_WRAPPERS

from .loss_scaler import LossScaler

CLIP_GRAD = ('max_norm', 'norm_type', 'error_if_nonfinite', 'foreach')
AMP_DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


@OPTIM_WRAPPERS.register_module()
class MutualOptimWrapper(OptimWrapper):
    """Executes the updates of a schedule; used through :func:`mmmutual.engine.drive` only.

    Args:
        optimizer (Optimizer): of the model's parameters; a group's key ``clip_group`` names the groups that are
            clipped together.
        accumulative_counts (int): micro-batches into which each batch is split, inside every update.
        clip_grad (dict, optional): ``dict(max_norm=20)``, arguments of :func:`torch.nn.utils.clip_grad_norm_`, applied
            to each ``clip_group`` by itself.
        amp_dtype (str, optional): autocast of the forward: ``'bfloat16'``, ``'float16'`` (with dynamic loss scaling),
            or ``'auto'``: bfloat16 on CPUs and on GPUs that have it, else float16. ``None``: float32.

    Raises:
        ValueError: for a value that is not allowed, naming it.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        accumulative_counts: int = 1,
        clip_grad: Optional[dict] = None,
        amp_dtype: Optional[str] = None,
    ) -> None:
        if not isinstance(accumulative_counts, int) or accumulative_counts < 1:
            raise ValueError(f'accumulative_counts must be an integer of at least 1, got {accumulative_counts!r}')
        if amp_dtype not in (None, 'auto', *AMP_DTYPES):
            raise ValueError(f"amp_dtype must be None, 'auto', 'bfloat16' or 'float16', got {amp_dtype!r}")
        strange = [key for key in clip_grad or {} if key not in CLIP_GRAD]
        if strange:
            raise ValueError(f'clip_grad takes {CLIP_GRAD}, got {strange}')
        if clip_grad is not None and 'max_norm' not in clip_grad:
            raise ValueError(f'clip_grad needs max_norm, as in dict(max_norm=20), got {dict(clip_grad)}')
        super().__init__(optimizer=optimizer)
        self.accumulative_counts = accumulative_counts
        self.clip_grad_kwargs = None if clip_grad is None else dict(clip_grad)
        self.amp_dtype = _resolve(amp_dtype, optimizer.param_groups[0]['params'])
        self.scaler = LossScaler() if self.amp_dtype == 'float16' else None

    def autocast(self, device_type: str) -> ContextManager:
        """The context of the forward."""
        if self.amp_dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(device_type, dtype=AMP_DTYPES[self.amp_dtype])

    def backward(self, loss: Tensor, inputs: Optional[List[nn.Parameter]] = None, retain_graph: bool = False) -> None:
        """Add the gradients of ``loss`` to those of ``inputs`` (None: of every leaf)."""
        if self.scaler is not None:
            loss = self.scaler.scale_loss(loss)
        loss.backward(inputs=inputs, retain_graph=retain_graph)

    def unscale(self, params: List[nn.Parameter]) -> None:
        """Take the loss scale out of the gradients and remember whether one overflowed."""
        if self.scaler is not None:
            self.scaler.unscale([p.grad for p in params if p.grad is not None])

    def step(self) -> Dict[str, Tensor]:
        """Clip each group's norm and step; returns the norms before clipping, as scalar tensors."""
        norms = self._clip_groups() if self.clip_grad_kwargs else {}
        if self.scaler is None or self.scaler.may_step():
            self.optimizer.step()
        return norms

    def _clip_groups(self) -> Dict[str, Tensor]:
        groups: Dict[Optional[str], List[nn.Parameter]] = {}
        for group in self.optimizer.param_groups:
            groups.setdefault(group.get('clip_group'), []).extend(p for p in group['params'] if p.grad is not None)
        return {
            'grad_norm' if name is None else f'{name}.grad_norm': nn.utils.clip_grad_norm_(
                params, **self.clip_grad_kwargs
            )
            for name, params in groups.items()
            if params
        }

    def update_params(self, *args: Any, **kwargs: Any) -> None:
        """Not used: a model that has no schedule of ours would lose accumulation and clipping groups silently."""
        raise TypeError(
            'MutualOptimWrapper is driven by models of mmmutual under model_wrapper_cfg=dict('
            "type='mmmutual.MutualDistributedDataParallel'). For another model, or for another wrapper, set "
            "optim_wrapper.type='OptimWrapper' or 'AmpOptimWrapper'."
        )

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Nothing to count: accumulation never crosses an iteration."""

    def state_dict(self) -> dict:
        """The optimiser's state, with the loss scale under float16."""
        state = super().state_dict()
        if self.scaler is not None:
            state['loss_scaler'] = self.scaler.state_dict()
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """Load what :meth:`state_dict` gave; a loss scale is taken over only under float16."""
        state_dict = dict(state_dict)
        scaler = state_dict.pop('loss_scaler', None)
        if self.scaler is not None and scaler is not None:
            self.scaler.load_state_dict(scaler)
        super().load_state_dict(state_dict)


def _resolve(amp_dtype: Optional[str], params: List[nn.Parameter]) -> Optional[str]:
    if amp_dtype != 'auto':
        return amp_dtype
    on_gpu = any(p.is_cuda for p in params)
    return 'float16' if on_gpu and not torch.cuda.is_bf16_supported(including_emulation=False) else 'bfloat16'
