"""Cross-entropy of every branch by itself."""

from typing import Dict

import torch.nn.functional as F
from torch import Tensor, nn

from mmmutual.registry import MODELS


@MODELS.register_module()
class BranchCrossEntropy(nn.Module):
    """CE(z_m, y) for each branch m, mean over the batch (spec/mml.md 4.1).

    Args:
        loss_weight (float): factor.
        label_smoothing (float): as of :func:`torch.nn.functional.cross_entropy`.
    """

    batch_mean = True

    def __init__(self, loss_weight: float = 1.0, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.label_smoothing = label_smoothing

    def forward(self, logits: Dict[str, Tensor], labels: Tensor) -> Dict[str, Tensor]:
        """One loss per branch.

        Args:
            logits: branch name -> (B, C).
            labels: (B,) int64.

        Returns:
            Branch name -> scalar.
        """
        return {
            name: self.loss_weight * F.cross_entropy(_full(z), labels, label_smoothing=self.label_smoothing)
            for name, z in logits.items()
        }


def _full(z: Tensor) -> Tensor:
    """At least float32: softmax of half precision loses the small probabilities."""
    return z.float() if z.dtype.itemsize < 4 else z
