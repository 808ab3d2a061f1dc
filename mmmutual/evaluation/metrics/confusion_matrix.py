"""Confusion matrices of branches and ensemble as files."""

import os
from typing import Dict, List, Optional

from mmmutual.registry import METRICS

from ..confusion_picture import save_confusion
from ..functional import confusion_matrix, upper_bound
from .branch_metric import BranchMetric, stack_results


@METRICS.register_module()
class ConfusionMatrix(BranchMetric):
    """Write ``{branch}.npz`` and ``{branch}.png`` of every branch, and ``ensemble.*``; rows are the classes.

    ``{branch}/upper_bound`` is reported: the mean over classes of row maximum / row sum (spec/mml.md 5).

    Args:
        out_dir (str): folder of the files, which replace those of an earlier evaluation.
        collect_device (str): 'cpu' or 'gpu', where results of several processes meet.
    """

    def __init__(self, out_dir: str, collect_device: str = 'cpu', prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.out_dir = out_dir
        os.makedirs(out_dir, exist_ok=True)  # a wrong path shows before the work

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Write the files; upper bounds."""
        labels, scores = stack_results(results)
        metrics = {}
        for name, z in scores.items():
            confusion = confusion_matrix(z, labels)
            classes = (self.dataset_meta or {}).get('classes') or [str(i) for i in range(z.shape[1])]
            save_confusion(self.out_dir, name, confusion, classes)
            metrics[f'{name}/upper_bound'] = upper_bound(confusion)
        return metrics
