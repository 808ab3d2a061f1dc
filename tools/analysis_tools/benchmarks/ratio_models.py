"""Comparisons of computation: the temporal shift, and a training step of two peers."""

from typing import Any, Callable, Dict, List

import torch
from mmaction.models.backbones.resnet_tsm import TemporalShift as MMActionTemporalShift
from mmaction.structures import ActionDataSample
from mmengine.optim import build_optim_wrapper

from mmmutual.models.encoders.temporal_shift import temporal_shift
from mmmutual.registry import MODELS
from mmmutual.structures import MultiModalDataSample

from .comparison import Comparison

SEGMENTS, CLASSES = 8, 174
CHANNELS = dict(rgb=3, flow=10)
MEAN = dict(rgb=[123.675, 116.28, 103.53], flow=[127.5] * 10)
STD = dict(rgb=[58.395, 57.12, 57.375], flow=[57.63] * 10)
SGD = dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4)
CLIP_GRAD = dict(max_norm=20)


def shift_case() -> List[Comparison]:
    """Forward and backward of the shift of 4 clips in the second stage of a ResNet50."""
    x = torch.randn(4 * SEGMENTS, 256, 28, 28, requires_grad=True)
    grad = torch.randn_like(x)

    def both_ways(shift: Callable) -> Callable[[int], None]:
        def run(repetition: int) -> None:
            x.grad = None
            shift(x).backward(grad)

        return run

    ours = both_ways(lambda x: temporal_shift(x, SEGMENTS, 8))
    theirs = both_ways(lambda x: MMActionTemporalShift.shift(x, SEGMENTS, shift_div=8))
    title = 'temporal shift, forward + backward, 32x256x28x28, 8 segments'
    return [Comparison(title, 0.4, ours, theirs)]


def step_case(depth: int = 50, size: int = 112, batch_size: int = 2) -> List[Comparison]:
    """A step of RGB and Flow as peers with the mutual loss, against two single networks of mmaction2 one by one."""
    clips = {
        name: torch.randint(0, 256, (batch_size, SEGMENTS, channels, size, size), dtype=torch.uint8)
        for name, channels in CHANNELS.items()
    }
    steps = {name: single_step(name, clips[name], depth) for name in CHANNELS}

    def theirs(repetition: int) -> None:
        for step in steps.values():
            step()

    peers = peers_step(clips, depth)
    title = f'step of RGB + Flow TSM-R{depth} peers, batch {batch_size}, {SEGMENTS}x{size}x{size}'
    return [Comparison(title, 1.05, lambda repetition: peers(), theirs)]


def peers_step(clips: Dict[str, torch.Tensor], depth: int) -> Callable[[], Any]:
    """Our step."""
    width = 512 if depth < 50 else 2048
    head = dict(type='mmmutual.LinearHead', in_channels=width, dropout_ratio=0.5)
    backbone = dict(type='mmmutual.ResNetTSM', depth=depth, num_segments=SEGMENTS)
    branches = {
        name: dict(encoder=dict(type='mmmutual.FrameEncoder', backbone=dict(backbone, in_channels=channels)), head=head)
        for name, channels in CHANNELS.items()
    }
    inputs = {name: dict(type='mmmutual.NormalizeFrames', mean=MEAN[name], std=STD[name]) for name in CHANNELS}
    model = MODELS.build(
        dict(
            type='mmmutual.MultiModalClassifier',
            num_classes=CLASSES,
            branches=branches,
            losses=dict(cls=dict(type='mmmutual.BranchCrossEntropy'), mutual=dict(type='mmmutual.MutualKLLoss')),
            data_preprocessor=dict(type='mmmutual.MultiModalDataPreprocessor', inputs=inputs),
        )
    )
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='mmmutual.MutualOptimWrapper',
            constructor='mmmutual.BranchOptimWrapperConstructor',
            optimizer=SGD,
            clip_grad=CLIP_GRAD,
        ),
    )
    samples = [MultiModalDataSample().set_gt_label(i) for i in range(len(clips['rgb']))]
    model.train()
    return lambda: model.train_step(dict(inputs=clips, data_samples=samples), wrapper)


def single_step(name: str, clips: torch.Tensor, depth: int) -> Callable[[], Any]:
    """A step of mmaction2's TSM on one modality."""
    width = 512 if depth < 50 else 2048
    backbone = dict(type='ResNetTSM', depth=depth, in_channels=CHANNELS[name], num_segments=SEGMENTS)
    model = MODELS.build(
        dict(
            type='mmaction.Recognizer2D',
            _scope_='mmaction',  # of the parts that it builds by itself
            backbone=dict(backbone, pretrained=None, pretrained2d=False),
            cls_head=dict(
                type='TSMHead', num_classes=CLASSES, in_channels=width, num_segments=SEGMENTS, dropout_ratio=0.5
            ),
            data_preprocessor=dict(type='ActionDataPreprocessor', mean=MEAN[name], std=STD[name]),
        )
    )
    wrapper = build_optim_wrapper(model, dict(type='OptimWrapper', optimizer=SGD, clip_grad=CLIP_GRAD))
    # called so up to mmaction2 1.1
    set_label = getattr(ActionDataSample, 'set_gt_label', None) or ActionDataSample.set_gt_labels
    samples = [set_label(ActionDataSample(), i) for i in range(len(clips))]
    model.train()
    return lambda: model.train_step(dict(inputs=list(clips), data_samples=samples), wrapper)
