"""A tiny data set of frames and flow in files, a config that trains on it in seconds, and the tools run on them."""

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

import cv2
import numpy as np

from ..helpers import run_alone

ROOT = Path(__file__).resolve().parents[2]
CLASSES, FRAMES, HEIGHT, WIDTH = 3, 6, 36, 44
SIZES = dict(train=4, val=3)

CONFIG = """
_base_ = ['{root}/configs/_base_/default_runtime.py']


def branch(name, channels):
    backbone = dict(type='ResNetTSM', depth=18, base_channels=4, num_segments=4, in_channels=channels)
    head = dict(type='LinearHead', num_classes=3, in_channels=32, dropout_ratio=0.1, init_std=0.1)
    return dict(input=name, encoder=dict(type='FrameEncoder', backbone=backbone), head=head)


def pipeline(split, *crop):
    return [
        dict(type='SampleSegments', num_segments=4, split=split),
        dict(type='LoadFrames'),
        *crop,
        dict(type='PackMultiModalInputs'),
    ]


def loader(split, pipeline):
    lists = dict(
        rgb=dict(kind='frames', ann_file=f'lists/{{split}}_rgb.txt', filename_tmpl='img_{{:05d}}.jpg'),
        flow=dict(kind='flow_frames', ann_file=f'lists/{{split}}_flow.txt'),
    )
    dataset = dict(
        type='VideoListDataset', data_root='{data}', classes=3, modalities=lists, pipeline=pipeline,
        test_mode=split == 'val',
    )
    return dict(batch_size=6, num_workers=0, collate_fn=dict(type='default_collate'), dataset=dataset)


model = dict(
    type='MultiModalClassifier',
    branches=dict(rgb=branch('rgb', 3), flow=branch('flow', 10)),
    losses=dict(cls=dict(type='BranchCrossEntropy'), mutual=dict(type='MutualKLLoss')),
    data_preprocessor=dict(
        type='MultiModalDataPreprocessor',
        inputs=dict(
            rgb=dict(type='NormalizeFrames', mean=127.5, std=60.0),
            flow=dict(type='NormalizeFrames', mean=127.5, std=60.0),
        ),
    ),
)
train_dataloader = loader('train', pipeline('train', dict(type='MultiScaleCrop', size=32)))
train_dataloader.update(sampler=dict(type='ResumableSampler', shuffle=True), drop_last=True)
val_dataloader = loader('val', pipeline('val', dict(type='ResizeShortSide', size=36), dict(type='CenterCrop', size=32)))
val_dataloader.update(sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='BranchAccuracy', topk=(1, 2))
tta_pipeline = [
    dict(type='SampleSegments', num_segments=4, split='test', twice_sample=True),
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', size=32),
    dict(type='ThreeCrop', size=32),
    dict(type='PackMultiModalInputs'),
]

optim_wrapper = dict(
    type='MutualOptimWrapper',
    constructor='BranchOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9),
    paramwise_cfg=dict(groups='tsm'),
    clip_grad=dict(max_norm=20),
)
param_scheduler = [dict(type='MultiStepLR', milestones=[10])]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=2)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=3)
default_hooks = dict(
    logger=dict(interval=1),
    checkpoint=dict(type='ExactCheckpointHook', interval=1, save_best='ensemble/top1', rule='greater'),
)
"""


def write_clips(folder: Path) -> Path:
    """Clips of three classes: RGB is mostly red, green or blue; the x component of the flow is 64, 128 or 192.

    ``frames/<clip>/img_00001.jpg`` ..., ``flow/<clip>/flow_x_00001.jpg`` ..., ``lists/{train,val}_{rgb,flow}.txt``.
    """
    rng = np.random.RandomState(0)
    (folder / 'lists').mkdir(parents=True)
    for split, size in SIZES.items():
        clips = [(f'{split}_{c}_{i}', c) for i in range(size) for c in range(CLASSES)]
        for name, c in clips:
            for t in range(1, FRAMES + 1):
                image = rng.randint(0, 100, (HEIGHT, WIDTH, 3))
                image[..., 2 - c] += 120  # OpenCV writes blue first
                write_image(folder / 'frames' / name / f'img_{t:05d}.jpg', image)
            for t in range(1, FRAMES):
                for axis, mean in (('x', 64 * (c + 1)), ('y', 128)):
                    image = mean + rng.randint(-40, 40, (HEIGHT, WIDTH))
                    write_image(folder / 'flow' / name / f'flow_{axis}_{t:05d}.jpg', image)
        for kind, count in (('rgb', FRAMES), ('flow', FRAMES - 1)):
            prefix = 'frames' if kind == 'rgb' else 'flow'
            lines = [f'{prefix}/{name} {count} {c}\n' for name, c in clips]
            (folder / 'lists' / f'{split}_{kind}.txt').write_text(''.join(lines))
    return folder


def write_image(path: Path, image: np.ndarray) -> None:
    """A JPEG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image.astype(np.uint8))


def write_config(path: Path, data: Path) -> Path:
    """The config of this data set."""
    path.write_text(CONFIG.format(root=ROOT.as_posix(), data=data.as_posix()))
    return path


def run_tool(tool: str, *args: Any, cwd: Path) -> str:
    """Run ``tools/<tool>`` as ``python tools/<tool> args`` does, in a process forked after the slow imports.

    Returns:
        What it printed.

    Raises:
        torch.multiprocessing.ProcessRaisedException: with the traceback, if the tool fails.
    """
    output = cwd / f'output-{len(list(cwd.glob("output-*")))}.txt'
    run_alone(_run_tool, str(ROOT / 'tools' / tool), [str(arg) for arg in args], str(cwd), str(output))
    return output.read_text()


def _run_tool(tool: str, args: List[str], cwd: str, output: str) -> None:
    os.chdir(cwd)
    with open(output, 'w') as file:
        sys.stdout.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = [tool, *args]
    runpy.run_path(tool, run_name='__main__')
    sys.stdout.flush()


def scalars(work_dir: Path) -> List[dict]:
    """What the newest run in a work dir has logged, line by line."""
    newest = max(work_dir.glob('*/vis_data/scalars.json'), key=lambda path: path.parts[-3])
    return [json.loads(line) for line in newest.read_text().splitlines()]


def losses(work_dir: Path) -> Dict[int, float]:
    """Iteration -> training loss of the newest run."""
    return {line['step']: line['loss'] for line in scalars(work_dir) if 'loss' in line}


def metrics(lines: Sequence[dict]) -> List[dict]:
    """Evaluations in a log."""
    return [{k: v for k, v in line.items() if '/top' in k} for line in lines if 'ensemble/top1' in line]
