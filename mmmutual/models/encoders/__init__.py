"""One modality in, features out."""

from .frame_encoder import FrameEncoder
from .resnet_tsm import ResNetTSM
from .temporal_shift import TemporalShift, temporal_shift

__all__ = ['FrameEncoder', 'ResNetTSM', 'TemporalShift', 'temporal_shift']
