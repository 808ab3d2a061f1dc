"""Collated batches to normalised device tensors."""

from typing import Any, Dict, Optional

import torch
from mmengine.model import BaseDataPreprocessor, ModuleDict

from mmmutual.registry import MODELS


@MODELS.register_module()
class MultiModalDataPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device as it is stored (uint8 frames, float features) and normalise it there.

    Args:
        inputs (dict): input name -> config of what is done to it on the device, e.g.
            ``dict(rgb=dict(type='NormalizeFrames', mean=[...], std=[...]))``. Other inputs pass unchanged.
        non_blocking (bool): copy without waiting, for pinned memory.
    """

    def __init__(self, inputs: Optional[Dict[str, dict]] = None, non_blocking: bool = True) -> None:
        super().__init__(non_blocking=non_blocking)
        self.normalizers = ModuleDict({name: MODELS.build(cfg) for name, cfg in (inputs or {}).items()})

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare one batch.

        Args:
            data: ``inputs``, input name -> tensor (B, ...) or list of B equal-shaped tensors; ``data_samples``.
            training: not used; both go the same way.

        Returns:
            The same structure with the inputs on the device. Data samples stay on the host: labels are moved together,
            not one by one.

        Raises:
            ValueError: if tensors of one input differ in shape.
        """
        inputs = self.cast_data(data['inputs'])
        inputs = {name: self._prepare(name, value) for name, value in inputs.items()}
        return dict(inputs=inputs, data_samples=data.get('data_samples'))

    def _prepare(self, name: str, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], torch.Tensor):
            shapes = {tuple(v.shape) for v in value}
            if len(shapes) > 1:
                raise ValueError(f'samples of input {name!r} differ in shape: {sorted(shapes)}')
            value = torch.stack(list(value))
        return self.normalizers[name](value) if name in self.normalizers else value
