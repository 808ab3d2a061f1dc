"""Mirroring a sample, where the label allows it or changes with it (spec/mml.md 2.5, 5.1)."""

import json
import random
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Union

from mmcv.transforms import BaseTransform
from torch import Tensor

from mmmutual.registry import TRANSFORMS


def flip_frames(frames: Tensor) -> Tensor:
    """Mirror frames (F, C, H, W) left to right; of flow (C = 2: x, y) the x displacements change their sign too."""
    mirrored = frames.flip(3)
    if mirrored.shape[1] == 2:
        mirrored[:, 0] = 255 - mirrored[:, 0]
    return mirrored


@TRANSFORMS.register_module()
class RandomFlip(BaseTransform):
    """Mirror all frames of a sample left to right, or none of them: one draw from python's ``random``.

    Inputs without frames (sound) stay as they are. The original never flips. Where left and right are part of a class,
    ``label_map`` gives a mirrored sample its other label: Something-Something v2 has 86 <-> 87, 93 <-> 94 and
    166 <-> 167.

    Required key: ``frames``, and ``gt_label`` with a ``label_map``.

    Args:
        prob: probability of mirroring, in [0, 1].
        label_map: label -> label of the mirrored sample, as a dict or a JSON file of one; others keep theirs.

    Raises:
        ValueError: ``prob`` outside [0, 1]; a ``label_map`` that is no map of integers >= 0, or not its own inverse.
        FileNotFoundError: the file of ``label_map`` doesn't exist.
    """

    def __init__(self, prob: float = 0.5, label_map: Optional[Union[Mapping[int, int], str]] = None) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob of RandomFlip must lie in [0, 1], got {prob}')
        self.prob = prob
        self.label_map = _read_label_map(label_map)

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Mirror frames and label; see the class."""
        if random.random() >= self.prob:
            return results
        results['frames'] = {name: flip_frames(frames) for name, frames in results['frames'].items()}
        if self.label_map:
            results['gt_label'] = self.label_map.get(results['gt_label'], results['gt_label'])
        return results


def _read_label_map(given: Optional[Union[Mapping[int, int], str]]) -> Dict[int, int]:
    if given is None:
        return {}
    is_file = isinstance(given, (str, Path))
    if is_file and not Path(given).is_file():
        raise FileNotFoundError(f'label_map of RandomFlip: file {given} does not exist')
    try:
        pairs = json.loads(Path(given).read_text(encoding='utf-8')) if is_file else given
        label_map = {int(label): int(other) for label, other in pairs.items()}  # labels in JSON are texts
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f'label_map of RandomFlip must map labels to labels, got {given!r}: {error}') from error
    wrong = {label: other for label, other in label_map.items() if label < 0 or label_map.get(other) != label}
    if wrong:
        raise ValueError(
            f'label_map of RandomFlip must be its own inverse, with labels >= 0, got {wrong}: mirrored twice, a sample '
            'has its first label again'
        )
    return label_map
