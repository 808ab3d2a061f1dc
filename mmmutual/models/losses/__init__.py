"""Losses: pure tensors in, numbers out."""

from .branch_cross_entropy import BranchCrossEntropy
from .mutual_kl import MutualKLLoss

__all__ = ['BranchCrossEntropy', 'MutualKLLoss']
