"""Shapes of what a data loader delivers, from the config alone: no data set is needed."""

from typing import Dict, Sequence, Tuple

import torch
from mmengine.config import Config

from mmmutual.registry import TRANSFORMS

Shapes = Dict[str, Tuple[int, ...]]

NUM_FRAMES, HEIGHT, WIDTH = 64, 256, 340  # of the blank clip
CHANNELS = dict(video=3, frames=3, flow_frames=2)
STEPS = ('SampleSegments', 'LoadFrames', 'PackMultiModalInputs')


def stored_shapes(cfg: Config, split: str) -> Shapes:
    """Input name -> shape of one sample as it is stored, (T, L * C, H, W): what the pipeline makes of a blank clip.

    Args:
        cfg: has a ``{split}_dataloader`` whose pipeline samples, loads and packs frames.
        split: 'train', 'val' or 'test'.

    Raises:
        ValueError: it has not.
    """
    dataset = (cfg.get(f'{split}_dataloader') or {}).get('dataset', {})
    while 'pipeline' not in dataset and 'dataset' in dataset:
        dataset = dataset.dataset
    kinds = {name: options.get('kind') for name, options in dataset.get('modalities', {}).items()}
    names = [step['type'].split('.')[-1] for step in dataset.get('pipeline', [])]
    if not set(STEPS) <= set(names) or not kinds or not set(kinds.values()) <= set(CHANNELS):
        raise ValueError(
            f'no shapes can be read off {split}_dataloader: that takes modalities of kind {tuple(CHANNELS)} and a '
            f'pipeline with {", ".join(STEPS)}. Give every input by --shape'
        )
    results = dict(sources={name: dict(kind='frames', path='', num_frames=NUM_FRAMES) for name in kinds})
    for name, step in zip(names, dataset.pipeline):
        if name == 'LoadFrames':
            results['frames'] = {
                input_name: torch.zeros(frames.size, CHANNELS[kinds[input_name]], HEIGHT, WIDTH, dtype=torch.uint8)
                for input_name, frames in results['frame_inds'].items()
            }
        else:
            results = TRANSFORMS.build(step)(results)
    return {name: tuple(value.shape) for name, value in results['inputs'].items()}


def parse_shapes(texts: Sequence[str]) -> Shapes:
    """Shapes that a command line gives as ``rgb=8x3x224x224``.

    Raises:
        ValueError: another form.
    """
    shapes = {}
    for text in texts:
        name, _, numbers = text.partition('=')
        sizes = numbers.split('x')
        if not name or not all(size.isdigit() and int(size) > 0 for size in sizes):
            raise ValueError(f'--shape must be given as rgb=8x3x224x224, got {text!r}')
        shapes[name] = tuple(int(size) for size in sizes)
    return shapes


def shape_text(shapes: Shapes) -> str:
    """Shapes in the form of :func:`parse_shapes`."""
    return ' '.join(f'{name}={"x".join(map(str, shape))}' for name, shape in shapes.items())
