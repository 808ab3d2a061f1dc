"""Pure functions on scores and labels."""

from .classification import (
    class_accuracies,
    confusion_matrix,
    ensemble_scores,
    mean_class_accuracy,
    occurring_classes,
    top_classes,
    topk_accuracy,
    upper_bound,
    worst_confusions,
)
from .coefficient_search import search_coefficients

__all__ = [
    'class_accuracies',
    'confusion_matrix',
    'ensemble_scores',
    'mean_class_accuracy',
    'occurring_classes',
    'search_coefficients',
    'top_classes',
    'topk_accuracy',
    'upper_bound',
    'worst_confusions',
]
