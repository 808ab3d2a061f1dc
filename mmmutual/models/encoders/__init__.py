"""One modality in, features out."""

from .frame_encoder import FrameEncoder
from .mobilenet_v2_tsm import MobileNetV2TSM
from .resnet_tsm import ResNetTSM
from .temporal_shift import TemporalShift, temporal_shift

__all__ = ['FrameEncoder', 'MobileNetV2TSM', 'ResNetTSM', 'TemporalShift', 'temporal_shift']
