"""The one tiny override of each family of configs, and clips to run it on: no downloads, seconds on a CPU."""

from pathlib import Path
from typing import Any, Dict, Iterator

import numpy as np
import soundfile
import torch
from mmengine.config import Config

from mmmutual.structures import MultiModalDataSample
from mmmutual.utils.frame_folders import save_frames
from mmmutual.utils.optical_flow import save_flow

from ..video_files import write_video

WIDTH, SIZE, BATCH, CLIPS = 4, 32, 2, 4
CHANNELS = dict(rgb=3, flow=10, rgbdiff=18)  # as the data sets give them (spec/mml.md 2.3)
KINDS = dict(video='{}.mp4', frames='frames/{} 20', flow_frames='flow/{} 19', audio='{}.wav 8000')


def tiny_mml(cfg: Config) -> None:
    """MML: ResNets with temporal shift get a stem of 4 channels, nothing is downloaded, clips have 32 x 32 pixels.

    They start from random weights instead of another training's. T, branches, losses, fusion, optimiser, schedule and
    hooks are the config's own. Backbones of mmaction2 have fixed widths and stay as they are.
    """
    for branch in cfg.model.branches.values():
        branch.encoder.pretrained = None
        branch.pop('tune_from', None)
        backbone = branch.encoder.backbone
        if backbone.type.split('.')[-1] == 'ResNetTSM':
            backbone.base_channels = WIDTH
            branch.head.in_channels = WIDTH * 8 * (4 if backbone.depth >= 50 else 1)
    cfg.load_from = None


TINY = dict(mml=tiny_mml)


def loaders(cfg: Config) -> Iterator[dict]:
    """Configs of the data loaders."""
    for split in ('train', 'val', 'test'):
        if cfg.get(f'{split}_dataloader') is not None:
            yield cfg[f'{split}_dataloader']


def write_clips(cfg: Config, folder: Path) -> None:
    """Make the data sets read tiny clips, one for each of the first classes."""
    classes = cfg.model.num_classes
    clips = range(min(classes, CLIPS))
    for loader in loaders(cfg):
        dataset = loader.dataset
        dataset.data_root = str(folder)
        if isinstance(dataset.classes, str):
            write(folder / dataset.classes, [f'class {c}' for c in range(classes)])
        for options in dataset.modalities.values():
            name = KINDS[options.kind]
            write(folder / options.ann_file, [f'{name.format(f"clip{c}")} {c}' for c in clips])
            for c in clips:
                write_clip(options, folder / options.get('data_prefix', ''), f'clip{c}')
        loader.update(num_workers=0, persistent_workers=False, batch_size=BATCH)


def write_clip(options: dict, folder: Path, name: str) -> None:
    """20 frames of 48 x 64 pixels or half a second of noise, as a file of their kind, unless it is there."""
    generator = np.random.RandomState(0)
    frames = [generator.randint(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(20)]
    folder.mkdir(parents=True, exist_ok=True)
    kind = options['kind']
    if kind == 'video' and not (folder / f'{name}.mp4').exists():
        write_video(folder / f'{name}.mp4', frames)
    elif kind == 'frames' and not (folder / 'frames' / name).exists():
        template = dict(filename_tmpl=options['filename_tmpl']) if 'filename_tmpl' in options else {}
        save_frames(folder / 'frames' / name, frames, **template)
    elif kind == 'flow_frames' and not (folder / 'flow' / name).exists():
        save_flow(folder / 'flow' / name, frames)
    elif kind == 'audio':
        soundfile.write(folder / f'{name}.wav', 0.1 * generator.randn(8000), 16000)


def write(path: Path, lines: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(lines) + '\n')


def num_segments(cfg: Config) -> int:
    """T of the training pipeline; 1 where there is nothing but sound."""
    steps = cfg.train_dataloader.dataset.pipeline
    return next((step.num_segments for step in steps if step.type == 'SampleSegments'), 1)


def synthetic_batch(cfg: Config, views: int = 1) -> Dict[str, Any]:
    """A collated batch of stored clips: uint8 (B, T, ch, 32, 32), or (B, V, T, ch, 32, 32) with several views.

    Sound is float32 (B, 1, 1, 64, 32).
    """
    generator = torch.Generator().manual_seed(0)
    names = list(cfg.train_dataloader.dataset.modalities)
    leading = (BATCH, num_segments(cfg)) if views == 1 else (BATCH, views, num_segments(cfg))
    inputs = {
        name: torch.randint(0, 256, (*leading, CHANNELS[name], SIZE, SIZE), dtype=torch.uint8, generator=generator)
        for name in names
        if name != 'audio'
    }
    if 'audio' in names:
        inputs['audio'] = torch.randn(BATCH, 1, 1, 64, SIZE, generator=generator)
    samples = [
        MultiModalDataSample(metainfo=dict(available=tuple(names), num_views=views)).set_gt_label(i)
        for i in range(BATCH)
    ]
    return dict(inputs=inputs, data_samples=samples)
