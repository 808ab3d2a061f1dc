"""One modality in, features out."""

from .clip_encoder import ClipEncoder
from .frame_encoder import FrameEncoder
from .mobilenet_v2_tsm import MobileNetV2TSM
from .resnet_tsm import ResNetTSM
from .temporal_shift import TemporalShift, temporal_shift

__all__ = ['ClipEncoder', 'FrameEncoder', 'MobileNetV2TSM', 'ResNetTSM', 'TemporalShift', 'temporal_shift']
