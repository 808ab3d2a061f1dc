"""Steps of the pipelines that data sets run."""

from .crops import CenterCrop, MultiScaleCrop
from .formatting import PackMultiModalInputs
from .loading import LoadFrames
from .multi_crops import FiveCrop, TenCrop, ThreeCrop
from .resize import ResizeShortSide
from .sampling import SampleSegments

__all__ = [
    'CenterCrop',
    'FiveCrop',
    'LoadFrames',
    'MultiScaleCrop',
    'PackMultiModalInputs',
    'ResizeShortSide',
    'SampleSegments',
    'TenCrop',
    'ThreeCrop',
]
