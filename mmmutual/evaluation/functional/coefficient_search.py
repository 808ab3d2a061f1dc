"""Coefficients of an ensemble that fit given labels."""

from typing import List, Sequence

import torch
from torch import Tensor

from .classification import ensemble_scores

VALUES = tuple(i / 10 for i in range(21))


def search_coefficients(
    members: Sequence[Tensor], labels: Tensor, softmax: bool = False, values: Sequence[float] = VALUES
) -> List[float]:
    """Coordinate search for the coefficients with the best top-1 accuracy of the ensemble, starting at ones.

    One coefficient after the other takes its best value while the others stay, until none changes. A change must be
    strictly better, so equal members keep equal weights. The accuracy on the same labels is optimistic.

    Args:
        members: logits (N, C) each.
        labels: (N,) int64.
        softmax: as of :func:`~mmmutual.evaluation.functional.classification.ensemble_scores`.
        values: that a coefficient may take.

    Returns:
        c_m, one for each member.
    """
    members = [scores.softmax(dim=1) for scores in members] if softmax else members
    found = [1.0] * len(members)
    best, improved = _hits(ensemble_scores(members, found), labels), True
    while improved:
        improved = False
        for m, scores in enumerate(members):
            rest = ensemble_scores(members, [*found[:m], 0.0, *found[m + 1 :]])
            for value in values:
                hits = _hits(rest + value / len(members) * scores, labels)
                if hits > best:
                    best, found[m], improved = hits, value, True
    return found


def _hits(scores: Tensor, labels: Tensor) -> int:
    # argmax takes the first of equal scores, as top_classes does, and is much faster than a sort
    return int(torch.count_nonzero(scores.argmax(dim=1) == labels))
