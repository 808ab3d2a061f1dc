"""Several features or logits in, one out."""

from .mean_logits import MeanLogits

__all__ = ['MeanLogits']
