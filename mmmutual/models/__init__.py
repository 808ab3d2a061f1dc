"""Models: encoders, fusions, heads, losses, modulators, and the task models composed of them."""

from .base_model import MutualModel
from .classifiers import Branch, MultiModalClassifier
from .data_preprocessor import MultiModalDataPreprocessor
from .encoders import FrameEncoder, MobileNetV2TSM, ResNetTSM
from .fusions import MeanLogits
from .heads import LinearHead
from .input_normalizers import FrameDifference, NormalizeFrames
from .losses import BranchCrossEntropy, MutualKLLoss
from .modulators import Modulator

__all__ = [
    'Branch',
    'BranchCrossEntropy',
    'FrameDifference',
    'FrameEncoder',
    'LinearHead',
    'MeanLogits',
    'MobileNetV2TSM',
    'Modulator',
    'MultiModalClassifier',
    'MultiModalDataPreprocessor',
    'MutualKLLoss',
    'MutualModel',
    'NormalizeFrames',
    'ResNetTSM',
]
