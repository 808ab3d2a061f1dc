"""Dropout, a linear classifier, and the mean over segments."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmmutual.registry import MODELS


@MODELS.register_module()
class LinearHead(BaseModule):
    """z = mean over t of (W dropout(f_t) + b): consensus on logits (spec/mml.md 3.1).

    Args:
        num_classes (int): C.
        in_channels (int): D.
        dropout_ratio (float): probability of dropping a feature.
        init_std (float): of the normal distribution of the first weights; biases start at 0.

    Raises:
        ValueError: if a number is out of range.
    """

    def __init__(self, num_classes: int, in_channels: int, dropout_ratio: float = 0.5, init_std: float = 0.001) -> None:
        if num_classes < 1:
            raise ValueError(f'num_classes must be at least 1, got {num_classes}')
        if not 0 <= dropout_ratio < 1:
            raise ValueError(f'dropout_ratio must be in [0, 1), got {dropout_ratio}')
        super().__init__(init_cfg=dict(type='Normal', layer='Linear', std=init_std, bias=0))
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.dropout = nn.Dropout(dropout_ratio)
        self.fc = nn.Linear(in_channels, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Classify.

        Args:
            features: (B, D) or (B, T, D).

        Returns:
            (B, C) logits, averaged over T.
        """
        logits = self.fc(self.dropout(features))
        return logits.mean(dim=1) if logits.dim() == 3 else logits
