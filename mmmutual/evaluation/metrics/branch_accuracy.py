"""Top-k accuracy of every branch alone and of the ensemble."""

from typing import Any, Dict, List, Optional, Sequence

import torch
from mmengine.evaluator import BaseMetric

from mmmutual.registry import METRICS


@METRICS.register_module()
class BranchAccuracy(BaseMetric):
    """``{branch}/top{k}`` and ``ensemble/top{k}``, fractions in [0, 1] as mmaction2's AccMetric gives.

    A sample counts as right if fewer than k classes score higher than, or as high with a lower index as, its own.

    Args:
        topk (Sequence[int]): the k.
        collect_device (str): 'cpu' or 'gpu', where results of several processes meet.

    Raises:
        ValueError: for a k below 1 or above the number of classes.
    """

    def __init__(self, topk: Sequence[int] = (1, 5), collect_device: str = 'cpu', prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if not topk or min(topk) < 1:
            raise ValueError(f'topk must hold numbers of at least 1, got {tuple(topk)}')
        self.topk = tuple(topk)

    @property
    def dataset_meta(self) -> Optional[dict]:
        """Meta information of the data set, which tells its classes before the first epoch."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        classes = (dataset_meta or {}).get('classes')
        if classes is not None:
            self._check(len(classes), 'the data set')
        self._dataset_meta = dataset_meta

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the label and the logits (C,) of each sample."""
        for sample in data_samples:
            scores = {**sample['logits'], 'ensemble': sample['fused_logits']}
            self.results.append((sample['gt_label'].cpu(), {name: z.float().cpu() for name, z in scores.items()}))

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """Accuracies over all samples."""
        labels = torch.cat([label for label, _ in results])
        metrics = {}
        for name in results[0][1]:
            scores = torch.stack([scores[name] for _, scores in results])
            self._check(scores.shape[1], repr(name))
            order = scores.argsort(dim=1, descending=True, stable=True)
            rank = (order == labels[:, None]).to(torch.int64).argmax(dim=1)
            for k in self.topk:
                metrics[f'{name}/top{k}'] = (rank < k).double().mean().item()
        return metrics

    def _check(self, num_classes: int, whose: str) -> None:
        if max(self.topk) > num_classes:
            raise ValueError(f'topk={self.topk} asks for more than the {num_classes} classes of {whose}')
