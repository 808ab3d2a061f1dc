"""The scores of a test in one file, for ensembles of several checkpoints."""

import os
import os.path as osp
from typing import Any, Dict, List, Sequence

from mmengine.logging import print_log

from mmmutual.registry import METRICS

from ..score_file import Scores, save_scores
from .branch_metric import ENSEMBLE, BranchMetric, stack_results


@METRICS.register_module()
class DumpScores(BranchMetric):
    """Write the logits of every branch and of the ensemble; :func:`~mmmutual.evaluation.load_scores` reads them.

    A sample that stands in for an unreadable one comes a second time: it is written once, with a warning.

    Args:
        out_file (str): ``.npz`` file.
        collect_device (str): 'cpu' or 'gpu', where results of several processes meet.

    Raises:
        ValueError: for another suffix, or samples without ``key``.
    """

    def __init__(self, out_file: str, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        if not out_file.endswith('.npz'):
            raise ValueError(f'out_file of DumpScores must end in .npz, got {out_file!r}')
        self.out_file = out_file
        os.makedirs(osp.dirname(out_file) or '.', exist_ok=True)  # a wrong path shows before the work

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep label, names and logits of each sample."""
        for sample in data_samples:
            if sample.get('key') is None:
                raise ValueError('DumpScores needs the key of every sample, which names it in the file')
        super().process(data_batch, data_samples)

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Write the file; there are no numbers to report."""
        unique, repeated = [], []
        seen = set()
        for result in results:
            identity = result['key'], result['sample_idx']
            (repeated if identity in seen else unique).append(result)
            seen.add(identity)
        if repeated:
            names = [result['key'] for result in repeated[:5]]
            print_log(
                f'{len(repeated)} samples came again, in the place of unreadable ones, and are written to '
                f'{self.out_file} once: {names}',
                logger='current',
                level=30,
            )
        labels, branches = stack_results(unique)
        fused = branches.pop(ENSEMBLE)
        classes = (self.dataset_meta or {}).get('classes') or [str(i) for i in range(fused.shape[1])]
        keys = [str(result['key']) for result in unique]
        save_scores(self.out_file, Scores(keys, labels, branches, fused, list(classes)))
        return {}
