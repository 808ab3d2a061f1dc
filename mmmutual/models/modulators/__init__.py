"""Modulators edit gradients between backward and step."""

from .base_modulator import Modulator

__all__ = ['Modulator']
