"""Tiny videos, a tiny classifier of their RGB, flow and frame differences, and a checkpoint with random weights."""

from pathlib import Path
from types import SimpleNamespace

import torch
from mmengine.config import Config

from mmmutual.registry import MODELS

from ..video_files import moving_frames, write_video

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ['left', 'right', 'still']

CONFIG = """
_base_ = ['{root}/configs/_base_/default_runtime.py']


def branch(name, channels):
    backbone = dict(type='ResNetTSM', depth=18, base_channels=4, num_segments=2, in_channels=channels)
    head = dict(type='LinearHead', num_classes=3, in_channels=32, init_std=0.3)
    return dict(input=name, encoder=dict(type='FrameEncoder', backbone=backbone), head=head)


def pipeline(**options):
    return [
        dict(type='SampleSegments', num_segments=2, split='test', **options),
        dict(type='LoadFrames'),
        dict(type='ResizeShortSide', size=36),
        dict(type='CenterCrop', size=32),
        dict(type='PackMultiModalInputs'),
    ]


model = dict(
    type='MultiModalClassifier',
    branches=dict(rgb=branch('rgb', 3), flow=branch('flow', 10), rgbdiff=branch('rgbdiff', 15)),
    losses=dict(cls=dict(type='BranchCrossEntropy')),
    data_preprocessor=dict(
        type='MultiModalDataPreprocessor',
        inputs=dict(
            rgb=dict(type='NormalizeFrames', mean=127.5, std=60.0),
            flow=dict(type='NormalizeFrames', mean=127.5, std=60.0),
            rgbdiff=dict(type='FrameDifference', num_frames=6),
        ),
    ),
)
test_dataloader = dict(
    batch_size=3,
    num_workers=0,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoListDataset',
        data_root='{data}',
        classes='classes.txt',
        modalities=dict(
            rgb=dict(kind='video', ann_file='list.txt'),
            flow=dict(kind='video_flow', ann_file='list.txt'),
            rgbdiff=dict(kind='video', ann_file='list.txt'),
        ),
        pipeline=pipeline(),
        test_mode=True,
    ),
)
test_cfg = dict()
test_evaluator = dict(type='BranchAccuracy', topk=(1,))
tta_pipeline = pipeline(twice_sample=True)
"""


def write_action_model(folder: Path) -> SimpleNamespace:
    """Write everything below a folder.

    Returns:
        ``config`` and ``checkpoint`` (files), ``data`` (folder) and ``videos`` (files).
    """
    data = folder / 'data'
    videos = []
    for number in range(4):
        frames = moving_frames(12, width=48, height=40, step=number - 1.5, seed=number)
        videos.append(write_video(data / f'clip_{number}.mp4', frames))
    (data / 'list.txt').write_text(''.join(f'{video.name} 12 {number % 3}\n' for number, video in enumerate(videos)))
    (data / 'classes.txt').write_text('\n'.join(CLASSES))
    config = folder / 'mml_tiny.py'
    config.write_text(CONFIG.format(root=ROOT.as_posix(), data=data.as_posix()))
    checkpoint = folder / 'weights.pth'
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=dict(classes=CLASSES))), checkpoint)
    return SimpleNamespace(config=config, checkpoint=checkpoint, data=data, videos=videos)
