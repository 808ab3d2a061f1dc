"""Pictures of inputs and predictions while testing."""

import os
import os.path as osp
from typing import Any, List, Sequence

import torch
from mmengine.hooks import Hook

from mmmutual.registry import HOOKS

from .clip_sheet import save_clip_sheet


@HOOKS.register_module()
class PredictionSheetHook(Hook):
    """Write a PNG for every n-th test sample: what went in, what each branch and the ensemble say.

    Args:
        out_dir (str): folder of the pictures, ``<number of the sample>_<key>.png``.
        interval (int): n.

    Raises:
        ValueError: if the interval is below 1.
    """

    priority = 'LOW'

    def __init__(self, out_dir: str, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        self.out_dir = out_dir
        self.interval = interval

    def before_test(self, runner: Any) -> None:
        """Make the folder, so that a wrong path shows before the work."""
        os.makedirs(self.out_dir, exist_ok=True)

    def after_test_iter(self, runner: Any, batch_idx: int, data_batch: dict = None, outputs: Sequence = None) -> None:
        """Draw the samples of one batch."""
        classes = runner.test_dataloader.dataset.metainfo.get('classes')
        for i, sample in enumerate(outputs):
            number = sample.get('sample_idx', batch_idx * len(outputs) + i)
            if number % self.interval:
                continue
            inputs = {name: values[i] for name, values in data_batch['inputs'].items()}
            name = f'{number:06d}_{osp.basename(str(sample.get("key", "")))}.png'
            save_clip_sheet(osp.join(self.out_dir, name), inputs, '\n'.join(_title(sample, classes)))


def _title(sample: Any, classes: Sequence[str]) -> List[str]:
    """The sample's name and class, and the two most probable classes of each branch."""

    def name(label: int) -> str:
        return classes[label] if classes else str(label)

    truth = f'   true: {name(int(sample.gt_label))}' if 'gt_label' in sample else ''
    lines = [f'{sample.get("key", "")}{truth}']
    for branch, logits in {**sample.logits, 'ensemble': sample.fused_logits}.items():
        scores, labels = torch.softmax(logits.float(), dim=0).topk(min(2, len(logits)))
        said = ', '.join(f'{name(int(label))} {score:.2f}' for score, label in zip(scores, labels))
        lines.append(f'{branch}: {said}')
    return lines
