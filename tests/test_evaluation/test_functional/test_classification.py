"""Functions on scores by hand."""

import math

import pytest
import torch

from mmmutual.evaluation.functional import (
    class_accuracies,
    confusion_matrix,
    ensemble_scores,
    mean_class_accuracy,
    occurring_classes,
    top_classes,
    topk_accuracy,
    upper_bound,
    worst_confusions,
)

# Of five classes 1 never occurs, and 4 is predicted once but never a label.
LABELS = torch.tensor([0, 0, 0, 0, 2, 2, 3, 3, 3])
SAID = [0, 0, 2, 2, 3, 3, 3, 3, 4]
SCORES = torch.eye(5)[SAID]
CONFUSION = torch.tensor(
    [
        [2, 0, 2, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 2, 0],
        [0, 0, 0, 2, 1],
        [0, 0, 0, 0, 0],
    ]
)


def test_top_classes_of_equal_scores_the_lower_index_goes_first():
    scores = torch.tensor([[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    assert top_classes(scores, 3).tolist() == [[1, 2, 3], [0, 1, 2]]
    many = torch.zeros(1, 500)
    assert top_classes(many, 500)[0].tolist() == list(range(500))


@pytest.mark.parametrize('k', [0, 5])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match=rf'k must be in \[1, 4\], the number of classes, got {k}'):
        top_classes(torch.zeros(2, 4), k)


def test_topk_accuracy():
    scores = torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 1.0, 2.0]])
    assert topk_accuracy(scores, torch.tensor([0, 1, 2, 1]), (1, 2, 3)) == {1: 0.25, 2: 0.5, 3: 1.0}


def test_confusion_has_true_classes_in_rows():
    assert torch.equal(confusion_matrix(SCORES, LABELS), CONFUSION)
    assert occurring_classes(CONFUSION).tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize('label', [-1, 5])
def test_label_outside_the_classes(label):
    with pytest.raises(ValueError, match=rf'labels must be in \[0, 5\), the number of classes, got {label}'):
        confusion_matrix(SCORES[:1], torch.tensor([label]))


def test_class_accuracies():
    found = class_accuracies(CONFUSION).tolist()
    assert [found[i] for i in (0, 2, 3)] == pytest.approx([1 / 2, 0, 2 / 3])
    assert math.isnan(found[1])
    assert math.isnan(found[4])


def test_means_count_classes_with_samples_unless_the_originals_are_asked_for():
    assert mean_class_accuracy(CONFUSION) == pytest.approx((1 / 2 + 0 + 2 / 3) / 3)
    assert upper_bound(CONFUSION) == pytest.approx((1 / 2 + 1 + 2 / 3) / 3)
    assert math.isnan(mean_class_accuracy(CONFUSION, only_labelled=False))
    assert math.isnan(upper_bound(CONFUSION, only_labelled=False))
    without_4 = CONFUSION.clone()
    without_4[3, 4] = 0  # class 1 does not occur at all: not a number only where something is said of nothing
    assert mean_class_accuracy(without_4, only_labelled=False) == pytest.approx((1 / 2 + 0 + 1) / 3)


def test_worst_confusions():
    assert worst_confusions(CONFUSION, 2) == [(0, 2, 2), (2, 3, 2)]
    assert worst_confusions(CONFUSION, 10) == [(0, 2, 2), (2, 3, 2), (3, 4, 1)]
    assert worst_confusions(torch.eye(3, dtype=torch.int64), 10) == []


def test_ensemble_divides_by_the_number_of_members():
    members = [torch.tensor([[1.0, 3.0]]), torch.tensor([[10.0, -2.0]])]
    assert ensemble_scores(members, [2.0, 0.5]).tolist() == [[3.5, 2.5]]
    e = math.e
    soft = ensemble_scores([torch.tensor([[0.0, 1.0]]), torch.tensor([[50.0, 50.0]])], [1.0, 4.0], softmax=True)
    assert soft[0].tolist() == pytest.approx([(1 / (1 + e) + 2) / 2, (e / (1 + e) + 2) / 2])


@pytest.mark.parametrize(('members', 'coefficients'), [(0, 0), (2, 1), (1, 2)])
def test_a_coefficient_for_each_member(members, coefficients):
    with pytest.raises(ValueError, match=f'a coefficient for each member, got {coefficients} for {members}'):
        ensemble_scores([torch.zeros(1, 2)] * members, [1.0] * coefficients)
