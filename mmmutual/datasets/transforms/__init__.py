"""Steps of the pipelines that data sets run."""

from .crop_or_pad_audio import CropOrPadAudio
from .crops import CenterCrop, MultiScaleCrop
from .flip import RandomFlip
from .formatting import PackMultiModalInputs
from .load_audio import LoadAudio
from .loading import LoadFrames
from .log_mel_spectrogram import LogMelSpectrogram
from .multi_crops import FiveCrop, TenCrop, ThreeCrop
from .resize import ResizeShortSide
from .sampling import SampleSegments

__all__ = [
    'CenterCrop',
    'CropOrPadAudio',
    'FiveCrop',
    'LoadAudio',
    'LoadFrames',
    'LogMelSpectrogram',
    'MultiScaleCrop',
    'PackMultiModalInputs',
    'RandomFlip',
    'ResizeShortSide',
    'SampleSegments',
    'TenCrop',
    'ThreeCrop',
]
