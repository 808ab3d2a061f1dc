"""What a data loader delivers, from the config alone: no data set is needed."""

from typing import Dict, Sequence, Tuple

import torch
from mmengine.config import Config
from torch import Tensor

from mmmutual.datasets.list_file import COMPUTED_FLOW, KINDS
from mmmutual.registry import TRANSFORMS

Shapes = Dict[str, Tuple[int, ...]]

NUM_FRAMES, HEIGHT, WIDTH = 64, 256, 340  # of the blank clip
SECONDS = 10  # of its sound
FRAME_STEPS = ('SampleSegments', 'LoadFrames')
SOUND_STEPS = ('LoadAudio', 'LogMelSpectrogram')


def stored_inputs(cfg: Config, split: str) -> Dict[str, Tensor]:
    """Input name -> one sample as it is stored: what the pipeline makes of a blank clip with silent sound.

    Args:
        cfg: has a ``{split}_dataloader`` whose pipeline reads and packs frames, sound or both.
        split: 'train', 'val' or 'test'.

    Returns:
        Frames as uint8 (T, L * C, H, W), spectrograms as float32 (1, 1, bands, frames).

    Raises:
        ValueError: it has not.
    """
    dataset = (cfg.get(f'{split}_dataloader') or {}).get('dataset', {})
    while 'pipeline' not in dataset and 'dataset' in dataset:
        dataset = dataset.dataset
    kinds = {name: options.get('kind') for name, options in dataset.get('modalities', {}).items()}
    names = [step['type'].split('.')[-1] for step in dataset.get('pipeline', [])]
    _check_readable(split, kinds, names)
    blank = dict(path='', num_frames=NUM_FRAMES)
    results = dict(sources={name: dict(blank, kind=_kind_in_folders(kind)) for name, kind in kinds.items()})
    for name, step in zip(names, dataset.pipeline):
        if name == 'LoadFrames':
            results['frames'] = {
                input_name: torch.zeros(inds.size, 2 if 'flow' in kinds[input_name] else 3, HEIGHT, WIDTH).byte()
                for input_name, inds in results['frame_inds'].items()
            }
        elif name == 'LoadAudio':
            rate = TRANSFORMS.build(step).sample_rate
            sounds = [input_name for input_name, kind in kinds.items() if kind == 'audio']
            results.update(sample_rate=rate, waveforms={sound: torch.zeros(SECONDS * rate) for sound in sounds})
        else:
            results = TRANSFORMS.build(step)(results)
    return results['inputs']


def stored_shapes(cfg: Config, split: str) -> Shapes:
    """Input name -> shape of :func:`stored_inputs`."""
    return shapes_of(stored_inputs(cfg, split))


def shapes_of(inputs: Dict[str, Tensor]) -> Shapes:
    """Input name -> shape."""
    return {name: tuple(x.shape) for name, x in inputs.items()}


def _check_readable(split: str, kinds: Dict[str, str], names: Sequence[str]) -> None:
    steps = [
        *(FRAME_STEPS if set(kinds.values()) - {'audio'} else ()),
        *(SOUND_STEPS if 'audio' in kinds.values() else ()),
        'PackMultiModalInputs',
    ]
    if not kinds or not set(kinds.values()) <= set(KINDS) or not set(steps) <= set(names):
        raise ValueError(
            f'no shapes can be read off {split}_dataloader: that takes modalities of kind {KINDS} and a pipeline with '
            f'{", ".join(steps)}, got {kinds} and {", ".join(names) or "no step"}'
        )


def _kind_in_folders(kind: str) -> str:
    """Of a folder instead of a file, which SampleSegments would open to count its frames."""
    return 'frames' if COMPUTED_FLOW.get(kind, kind) == 'video' else kind


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
