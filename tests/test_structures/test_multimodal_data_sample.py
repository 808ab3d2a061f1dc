"""What is known about one sample."""

import copy
import pickle

import numpy as np
import pytest
import torch

from mmmutual.structures import MultiModalDataSample
from mmmutual.structures.multimodal_data_sample import stack_labels


@pytest.mark.parametrize('value', [3, np.int64(3), torch.tensor(3), torch.tensor([3], dtype=torch.int32)])
def test_labels_of_any_kind_become_int64_of_one_element(value):
    sample = MultiModalDataSample(metainfo=dict(key='k', available=('rgb',))).set_gt_label(value)
    assert sample.gt_label.tolist() == [3]
    assert sample.gt_label.dtype == torch.int64
    assert (sample.key, sample.available) == ('k', ('rgb',))


def test_more_than_one_label_is_refused():
    with pytest.raises(RuntimeError):
        MultiModalDataSample().set_gt_label([1, 2])


def test_prediction():
    logits = dict(rgb=torch.tensor([1.0, 5.0]), flow=torch.tensor([9.0, 0.0]))
    sample = MultiModalDataSample().set_prediction(logits, torch.tensor([0.0, 2.0]))
    assert sample.pred_label.tolist() == [1]
    assert sample.logits is logits
    assert sample.fused_logits.tolist() == [0, 2]


def test_it_travels_between_processes():
    sample = MultiModalDataSample(metainfo=dict(key='k', sample_idx=4)).set_gt_label(2)
    for other in (pickle.loads(pickle.dumps(sample)), copy.deepcopy(sample), sample.to('cpu')):
        assert other.gt_label.tolist() == [2]
        assert (other.key, other.sample_idx) == ('k', 4)


def test_stack_labels():
    samples = [MultiModalDataSample(metainfo=dict(key=f'k{i}')).set_gt_label(i) for i in (2, 0, 1)]
    assert stack_labels(samples).tolist() == [2, 0, 1]
    assert stack_labels(samples, torch.device('cpu')).dtype == torch.int64
    for nameless, name in ((MultiModalDataSample(metainfo=dict(key='lost')), 'lost'), (MultiModalDataSample(), r'\?')):
        with pytest.raises(ValueError, match=f"sample '{name}' has no gt_label"):
            stack_labels([*samples, nameless])
