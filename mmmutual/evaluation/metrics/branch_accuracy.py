"""Top-k accuracy of every branch alone and of the ensemble."""

from typing import Dict, List, Optional, Sequence

from mmmutual.registry import METRICS

from ..functional import confusion_matrix, mean_class_accuracy, topk_accuracy
from .branch_metric import BranchMetric, stack_results


@METRICS.register_module()
class BranchAccuracy(BranchMetric):
    """``{branch}/top{k}`` and ``ensemble/top{k}``, fractions in [0, 1] as mmaction2's AccMetric gives.

    A sample counts as right if fewer than k classes score higher than, or as high with a lower index as, its own.

    Args:
        topk (Sequence[int]): the k.
        mean_class_accuracy (bool): also ``{branch}/mean_class_acc``, the mean of hits / count over the classes that
            have samples.
        collect_device (str): 'cpu' or 'gpu', where results of several processes meet.

    Raises:
        ValueError: for a k below 1 or above the number of classes.
    """

    def __init__(
        self,
        topk: Sequence[int] = (1, 5),
        mean_class_accuracy: bool = False,
        collect_device: str = 'cpu',
        prefix: Optional[str] = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if not topk or min(topk) < 1:
            raise ValueError(f'topk must hold numbers of at least 1, got {tuple(topk)}')
        self.topk = tuple(topk)
        self.mean_class_accuracy = mean_class_accuracy

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

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Accuracies over all samples."""
        labels, scores = stack_results(results)
        metrics = {}
        for name, z in scores.items():
            self._check(z.shape[1], repr(name))
            metrics.update({f'{name}/top{k}': share for k, share in topk_accuracy(z, labels, self.topk).items()})
            if self.mean_class_accuracy:
                metrics[f'{name}/mean_class_acc'] = mean_class_accuracy(confusion_matrix(z, labels))
        return metrics

    def _check(self, num_classes: int, whose: str) -> None:
        if max(self.topk) > num_classes:
            raise ValueError(f'topk={self.topk} asks for more than the {num_classes} classes of {whose}')
