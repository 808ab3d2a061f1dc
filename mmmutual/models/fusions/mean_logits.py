"""The ensemble of branches: a weighted mean of their logits."""

from typing import Dict, Optional, Sequence

import torch
from torch import Tensor, nn

from mmmutual.registry import MODELS


@MODELS.register_module()
class MeanLogits(nn.Module):
    """(1/M) sum over m of c_m z_m (spec/mml.md 5; the coefficients are not normalised).

    Args:
        coefficients (dict, optional): branch name -> c_m; 1 for branches not named.
    """

    def __init__(self, coefficients: Optional[Dict[str, float]] = None) -> None:
        super().__init__()
        self.coefficients = dict(coefficients or {})

    def check_branches(self, names: Sequence[str]) -> None:
        """Raise ValueError if a coefficient names no branch; the model asks when it is built."""
        unknown = set(self.coefficients) - set(names)
        if unknown:
            raise ValueError(f'fusion.coefficients names {sorted(unknown)}; the branches are {sorted(names)}')

    def forward(self, logits: Dict[str, Tensor]) -> Tensor:
        """Fuse.

        Args:
            logits: branch name -> (B, C).

        Returns:
            (B, C).
        """
        return torch.stack([z * self.coefficients.get(name, 1.0) for name, z in logits.items()]).mean(dim=0)
