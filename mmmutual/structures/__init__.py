"""What passes between the floors: samples and updates."""

from .multimodal_data_sample import MultiModalDataSample

__all__ = ['MultiModalDataSample']
