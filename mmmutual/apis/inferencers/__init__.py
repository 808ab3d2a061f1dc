"""Inferencers: media in, predictions out."""

from .action_inferencer import ActionInferencer

__all__ = ['ActionInferencer']
