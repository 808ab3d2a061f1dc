"""What metrics on the logits of branches and ensemble have in common."""

from typing import Any, Dict, List, Sequence, Tuple

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

ENSEMBLE = 'ensemble'


class BranchMetric(BaseMetric):
    """Base of metrics that read all logits at the end; a subclass has ``compute_metrics(results)``."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep label, names and the logits (C,) of each sample."""
        for sample in data_samples:
            scores = {**sample['logits'], ENSEMBLE: sample['fused_logits']}
            self.results.append(
                dict(
                    key=sample.get('key'),
                    sample_idx=sample.get('sample_idx'),
                    label=sample['gt_label'].cpu(),
                    scores={name: z.float().cpu() for name, z in scores.items()},
                )
            )


def stack_results(results: List[dict]) -> Tuple[Tensor, Dict[str, Tensor]]:
    """Labels (N,) int64 of what :class:`BranchMetric` keeps, and branch name or 'ensemble' -> float32 (N, C)."""
    labels = torch.cat([result['label'] for result in results])
    names = results[0]['scores']
    return labels, {name: torch.stack([result['scores'][name] for result in results]) for name in names}
