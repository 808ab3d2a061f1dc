"""One sample, one label, any modalities."""

from .branch import Branch
from .multimodal_classifier import MultiModalClassifier

__all__ = ['Branch', 'MultiModalClassifier']
