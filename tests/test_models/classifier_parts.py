"""Small parts for tests of classifiers: encoders of plain features, batches, and an MML model on clips."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from mmmutual.registry import MODELS
from mmmutual.structures import MultiModalDataSample

CLASSES, WIDTH = 3, 4
STEMS = dict(rgb=3, flow=10, rgbdiff=15)
STORED = dict(rgb=3, flow=10, rgbdiff=18)


@MODELS.register_module()
class FeatureEncoder(nn.Module):
    """(B, 4) to (B, 5), with a nonlinearity."""

    input_dims = 2

    def __init__(self, width: int = 5) -> None:
        super().__init__()
        self.fc = nn.Linear(WIDTH, width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.fc(x))


def feature_branch(classes: Optional[int] = CLASSES, **options: Any) -> dict:
    """Config of a branch on features (B, 4); without ``classes`` it has no head."""
    head = {} if classes is None else dict(head=dict(type='LinearHead', num_classes=classes, in_channels=5))
    return dict(encoder=dict(type='FeatureEncoder'), **head, **options)


def feature_classifier(names: Sequence[str], losses: Optional[dict] = None, **options: Any) -> nn.Module:
    """A classifier with one branch per name."""
    losses = losses or dict(cls=dict(type='BranchCrossEntropy'), mutual=dict(type='MutualKLLoss'))
    branches = options.pop('branches', None) or {name: feature_branch() for name in names}
    model = MODELS.build(dict(type='MultiModalClassifier', branches=branches, losses=losses, **options))
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def samples(labels: Sequence[int], **metainfo: Any) -> List[MultiModalDataSample]:
    """Data samples with these labels."""
    return [MultiModalDataSample(metainfo=metainfo).set_gt_label(label) for label in labels]


def clip_classifier(names: Sequence[str], num_segments: int = 4, **options: Any) -> nn.Module:
    """MML on narrow TSM-ResNet18 networks of 32 x 32 pixel clips, without dropout."""

    def branch(name: str) -> dict:
        backbone = dict(type='ResNetTSM', depth=18, base_channels=8, num_segments=num_segments, in_channels=STEMS[name])
        head = dict(type='LinearHead', num_classes=CLASSES, in_channels=64, dropout_ratio=0.0, init_std=0.1)
        return dict(encoder=dict(type='FrameEncoder', backbone=backbone), head=head)

    return MODELS.build(
        dict(
            type='MultiModalClassifier',
            branches={name: branch(name) for name in names},
            losses=dict(cls=dict(type='BranchCrossEntropy'), mutual=dict(type='MutualKLLoss')),
            data_preprocessor=dict(
                type='MultiModalDataPreprocessor',
                inputs=dict(
                    rgb=dict(type='NormalizeFrames', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
                    flow=dict(type='NormalizeFrames', mean=127.5, std=57.63),
                    rgbdiff=dict(type='FrameDifference', num_frames=6),
                ),
            ),
            **options,
        )
    )


def clip_batch(names: Sequence[str], batch: int, seed: int, num_segments: int = 4) -> Tuple[Dict[str, Tensor], list]:
    """Stored clips (B, T, ch, 32, 32) uint8 by input name, and labels."""
    generator = torch.Generator().manual_seed(seed)
    inputs = {
        name: torch.randint(0, 256, (batch, num_segments, STORED[name], 32, 32), generator=generator, dtype=torch.uint8)
        for name in names
    }
    return inputs, torch.randint(0, CLASSES, (batch,), generator=generator).tolist()
