"""Data sets, samplers and transforms."""

from .base_dataset import MultiModalDataset
from .samplers import ResumableSampler, SampleIndex
from .transforms import *  # noqa: F401,F403  registers them
from .video_list_dataset import VideoListDataset

__all__ = ['MultiModalDataset', 'ResumableSampler', 'SampleIndex', 'VideoListDataset']
