"""What is known about one sample of several modalities."""

from typing import Dict, Optional, Sequence, Union

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor


class MultiModalDataSample(BaseDataElement):
    """Annotations, meta information and predictions of one sample; its tensors of data travel in ``inputs``.

    Fields set by the toolbox:

    - ``gt_label`` (1,) int64: the class.
    - ``logits``: dict of branch name -> (C,) scores before softmax, averaged over views.
    - ``fused_logits`` (C,): what the model's fusion makes of them; ``pred_label`` (1,) int64 is its argmax.

    Meta information: ``sample_idx`` (int), ``key`` (str, names the sample in files), ``available`` (tuple of
    input names that this sample really has; absent: all of them), ``num_views`` (int, clips x crops).

    Example:
        >>> sample = MultiModalDataSample(metainfo=dict(key='v1', available=('rgb', 'flow'))).set_gt_label(3)
        >>> sample.gt_label
        tensor([3])
    """

    def set_gt_label(self, value: Union[int, Tensor]) -> 'MultiModalDataSample':
        """Set the class index; returns itself."""
        self.set_field(torch.as_tensor(value, dtype=torch.long).reshape(1), 'gt_label', dtype=Tensor)
        return self

    def set_prediction(self, logits: Dict[str, Tensor], fused_logits: Tensor) -> 'MultiModalDataSample':
        """Set the logits (C,) of each branch and of the fusion; returns itself."""
        self.set_field(logits, 'logits', dtype=dict)
        self.set_field(fused_logits, 'fused_logits', dtype=Tensor)
        self.set_field(fused_logits.argmax().reshape(1), 'pred_label', dtype=Tensor)
        return self


def stack_labels(data_samples: Sequence[MultiModalDataSample], device: Optional[torch.device] = None) -> Tensor:
    """Labels (B,) int64 of a batch.

    Raises:
        ValueError: if a sample has no ``gt_label``.
    """
    for sample in data_samples:
        if 'gt_label' not in sample:
            raise ValueError(f"sample '{sample.get('key', '?')}' has no gt_label, which training needs")
    return torch.cat([sample.gt_label for sample in data_samples]).to(device, non_blocking=True)
