"""Accuracy of branches and ensemble by hand."""

import pytest
import torch
import torch.distributed as dist
from mmengine.evaluator import Evaluator

from mmmutual.evaluation import BranchAccuracy
from mmmutual.structures import MultiModalDataSample

from ...helpers import run_distributed


def sample(label, rgb, flow, fused=None):
    logits = dict(rgb=torch.tensor(rgb), flow=torch.tensor(flow))
    fused = (logits['rgb'] + logits['flow']) / 2 if fused is None else torch.tensor(fused)
    return MultiModalDataSample().set_gt_label(label).set_prediction(logits, fused)


SAMPLES = [
    sample(0, [3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0]),  # rgb 1st; flow 4th; the ensemble ties, lowest index first
    sample(1, [3.0, 2.0, 1.0, 0.0], [0.0, 9.0, 2.0, 3.0]),  # rgb 2nd; flow 1st; ensemble 1st
    sample(3, [5.0, 0.0, 0.0, 4.0], [0.0, 0.0, 5.0, 4.0]),  # rgb 2nd; flow 2nd; ensemble 1st
]


def evaluate(samples, **options):
    evaluator = Evaluator(BranchAccuracy(**options))
    for one in samples:
        evaluator.process([one], None)
    return evaluator.evaluate(len(samples))


def test_by_hand():
    metrics = evaluate(SAMPLES, topk=(1, 2))
    expected = {
        'rgb/top1': 1 / 3, 'rgb/top2': 1.0, 'flow/top1': 1 / 3, 'flow/top2': 2 / 3,
        'ensemble/top1': 1.0, 'ensemble/top2': 1.0,
    }  # fmt: skip
    assert metrics == pytest.approx(expected)


@pytest.mark.parametrize('label', range(4))
@pytest.mark.parametrize('k', [1, 2, 3, 4])
def test_of_equal_scores_the_lower_index_goes_first(label, k):
    """A constant network is right for k of the classes, not for all of them."""
    zeros = [0.0] * 4
    assert evaluate([sample(label, zeros, zeros)], topk=(k,))['rgb/top' + str(k)] == float(label < k)


def test_ensemble_is_what_the_model_fused():
    assert evaluate([sample(2, [1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0])], topk=(1,)) == {
        'rgb/top1': 0.0, 'flow/top1': 0.0, 'ensemble/top1': 1.0,
    }  # fmt: skip


def test_half_precision_logits():
    one = sample(1, [1.0, 2.0], [2.0, 1.0])
    one.set_prediction({name: z.bfloat16() for name, z in one.logits.items()}, one.fused_logits.bfloat16())
    assert evaluate([one], topk=(1,))['rgb/top1'] == 1.0


def test_more_than_there_are_classes():
    message = r"topk=\(1, 5\) asks for more than the 4 classes of 'rgb'"
    with pytest.raises(ValueError, match=message):
        evaluate(SAMPLES)


def test_more_than_the_data_set_has_is_told_before_training():
    metric = BranchAccuracy()
    metric.dataset_meta = dict(classes=list('abcde'))
    assert metric.dataset_meta['classes'] == list('abcde')
    with pytest.raises(ValueError, match=r'topk=\(1, 5\) asks for more than the 4 classes of the data set'):
        metric.dataset_meta = dict(classes=list('abcd'))


@pytest.mark.parametrize('topk', [(), (0, 1)])
def test_wrong_topk(topk):
    with pytest.raises(ValueError, match='topk must hold numbers of at least 1'):
        BranchAccuracy(topk)


def share():
    """Three samples on two processes: one comes twice to fill up, and counts once."""
    mine = [SAMPLES[i] for i in ((0, 2), (1, 0))[dist.get_rank()]]
    evaluator = Evaluator(BranchAccuracy(topk=(1, 2)))
    evaluator.process(mine, None)
    return evaluator.evaluate(len(SAMPLES))


def test_two_processes():
    assert run_distributed(share, 2) == [evaluate(SAMPLES, topk=(1, 2))] * 2


def test_mean_class_accuracy_counts_classes_with_samples():
    """Class 0: one of two; class 3: one of one; 1 and 2 have no samples, though 2 is predicted."""
    samples = [
        sample(0, [9.0, 0.0, 0.0, 0.0], [0.0] * 4),
        sample(0, [0.0, 0.0, 9.0, 0.0], [0.0] * 4),
        sample(3, [0.0, 0.0, 0.0, 9.0], [0.0] * 4),
    ]
    metrics = evaluate(samples, topk=(1,), mean_class_accuracy=True)
    expected = {
        'rgb/top1': 2 / 3, 'rgb/mean_class_acc': 3 / 4, 'flow/top1': 2 / 3, 'flow/mean_class_acc': 1 / 2,
        'ensemble/top1': 2 / 3, 'ensemble/mean_class_acc': 3 / 4,
    }  # fmt: skip
    assert metrics == pytest.approx(expected)
