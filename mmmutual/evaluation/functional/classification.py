"""Numbers on scores (N, C) and labels (N,) of single-label classification (spec/mml.md 5)."""

from typing import Dict, List, Sequence, Tuple

from torch import Tensor


def top_classes(scores: Tensor, k: int) -> Tensor:
    """Indices (N, k) int64 of the k classes with the highest scores (N, C), by decreasing score.

    Of equal scores the lower index goes first, so that the result does not depend on how a sort is implemented.

    Raises:
        ValueError: if k is not in [1, C].
    """
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f'k must be in [1, {scores.shape[1]}], the number of classes, got {k}')
    return scores.argsort(dim=1, descending=True, stable=True)[:, :k]


def topk_accuracy(scores: Tensor, labels: Tensor, topk: Sequence[int] = (1, 5)) -> Dict[int, float]:
    """k -> share of the samples whose label (N,) is among the :func:`top_classes` of their scores (N, C).

    Raises:
        ValueError: if a k is not in [1, C].
    """
    hits = top_classes(scores, max(topk)) == labels[:, None]
    return {k: hits[:, :k].any(dim=1).double().mean().item() for k in topk}


def confusion_matrix(scores: Tensor, labels: Tensor) -> Tensor:
    """Counts (C, C) int64: row i, column j: samples of class i whose highest score is that of class j.

    Args:
        scores: (N, C).
        labels: (N,) int64.

    Raises:
        ValueError: if a label is not in [0, C).
    """
    num_classes = scores.shape[1]
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if len(wrong):
        raise ValueError(f'labels must be in [0, {num_classes}), the number of classes, got {int(wrong[0])}')
    cells = labels * num_classes + top_classes(scores, 1)[:, 0]
    return cells.bincount(minlength=num_classes**2).view(num_classes, num_classes)


def occurring_classes(confusion: Tensor) -> Tensor:
    """Indices of the classes that occur as a label or as a prediction in a confusion matrix (C, C), ascending.

    ``confusion[ids][:, ids]`` is the original code's matrix.
    """
    return (confusion.sum(dim=0) + confusion.sum(dim=1)).nonzero()[:, 0]


def class_accuracies(confusion: Tensor) -> Tensor:
    """hits / count of each class (C,) float64 from a confusion matrix (C, C); NaN for a class without samples."""
    return confusion.diagonal().double() / confusion.sum(dim=1)


def mean_class_accuracy(confusion: Tensor, only_labelled: bool = True) -> float:
    """Mean over classes of hits / count.

    Args:
        confusion: (C, C).
        only_labelled: over the classes that have samples; else over those that occur, as the original does, which
            gives NaN where a class is predicted and never is a label.
    """
    return _mean_over_classes(class_accuracies(confusion), confusion, only_labelled)


def upper_bound(confusion: Tensor, only_labelled: bool = True) -> float:
    """Mean over classes of row maximum / row sum: the mean class accuracy if what is said most of a class were right.

    Args:
        confusion: (C, C).
        only_labelled: as of :func:`mean_class_accuracy`.
    """
    return _mean_over_classes(confusion.amax(dim=1).double() / confusion.sum(dim=1), confusion, only_labelled)


def worst_confusions(confusion: Tensor, number: int) -> List[Tuple[int, int, int]]:
    """The largest counts off the diagonal of a confusion matrix (C, C).

    Returns:
        (class, predicted class, count) by decreasing count, those of zero left out.
    """
    errors = confusion - confusion.diagonal().diag()
    order = errors.flatten().argsort(descending=True, stable=True)[:number]
    worst = [(*divmod(cell, len(confusion)), int(errors.view(-1)[cell])) for cell in order.tolist()]
    return [one for one in worst if one[2] > 0]


def ensemble_scores(members: Sequence[Tensor], coefficients: Sequence[float], softmax: bool = False) -> Tensor:
    """(1/M) sum over m of c_m r_m; the coefficients are not normalised.

    Args:
        members: r_m, logits (N, C) each, averaged over the clips of a sample.
        coefficients: c_m.
        softmax: r_m becomes its softmax first. Without it, members with larger logits weigh more.

    Raises:
        ValueError: if there is no member, or not one coefficient for each.
    """
    if not members or len(members) != len(coefficients):
        raise ValueError(f'an ensemble needs a coefficient for each member, got {len(coefficients)} for {len(members)}')
    members = [scores.softmax(dim=1) for scores in members] if softmax else members
    return sum(c * scores for c, scores in zip(coefficients, members)) / len(members)


def _mean_over_classes(values: Tensor, confusion: Tensor, only_labelled: bool) -> float:
    ids = confusion.sum(dim=1).nonzero()[:, 0] if only_labelled else occurring_classes(confusion)
    return values[ids].mean().item()
