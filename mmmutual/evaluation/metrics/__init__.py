"""Metrics, one file each."""

from .branch_accuracy import BranchAccuracy
from .branch_metric import BranchMetric
from .confusion_matrix import ConfusionMatrix
from .dump_scores import DumpScores

__all__ = ['BranchAccuracy', 'BranchMetric', 'ConfusionMatrix', 'DumpScores']
