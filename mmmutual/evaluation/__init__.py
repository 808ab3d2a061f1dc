"""Metrics, the pure functions below them, and files of scores."""

from .confusion_picture import confusion_picture, save_confusion
from .metrics import BranchAccuracy, BranchMetric, ConfusionMatrix, DumpScores
from .score_file import Scores, join_scores, load_scores, save_scores

__all__ = [
    'BranchAccuracy',
    'BranchMetric',
    'ConfusionMatrix',
    'DumpScores',
    'Scores',
    'confusion_picture',
    'join_scores',
    'load_scores',
    'save_confusion',
    'save_scores',
]
