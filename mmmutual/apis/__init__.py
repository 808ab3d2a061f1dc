"""Inferencers and one-call functions."""

from .inferencers import ActionInferencer
from .model_loading import init_model, list_models

__all__ = ['ActionInferencer', 'init_model', 'list_models']
