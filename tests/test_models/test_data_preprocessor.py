"""Collated batches to normalised tensors."""

import pytest
import torch

from mmmutual.models import MultiModalDataPreprocessor
from mmmutual.structures import MultiModalDataSample

CFG = dict(rgb=dict(type='NormalizeFrames', mean=10.0, std=2.0), diff=dict(type='FrameDifference', num_frames=2))


def frames(batch=2, channels=3):
    return torch.randint(0, 256, (batch, 4, channels, 5, 5), dtype=torch.uint8)


@pytest.mark.parametrize('training', [True, False])
def test_each_input_has_its_own_normalisation(training):
    data = dict(inputs=dict(rgb=frames(), diff=frames(channels=6), audio=torch.randn(2, 7)), data_samples=[1, 2])
    data['data_samples'] = [MultiModalDataSample().set_gt_label(i) for i in range(2)]
    out = MultiModalDataPreprocessor(CFG)(data, training)
    torch.testing.assert_close(out['inputs']['rgb'], (data['inputs']['rgb'].float() - 10) / 2)
    diff = data['inputs']['diff'].float() / 255
    torch.testing.assert_close(out['inputs']['diff'], diff[:, :, 3:] - diff[:, :, :3])
    assert torch.equal(out['inputs']['audio'], data['inputs']['audio'])
    assert [int(sample.gt_label) for sample in out['data_samples']] == [0, 1]
    assert list(out['inputs']) == ['rgb', 'diff', 'audio']


def test_lists_are_stacked_like_collated_tensors():
    stacked = frames()
    preprocess = MultiModalDataPreprocessor(CFG)
    a = preprocess(dict(inputs=dict(rgb=stacked)))['inputs']['rgb']
    b = preprocess(dict(inputs=dict(rgb=list(stacked))))['inputs']['rgb']
    assert torch.equal(a, b)


def test_views_pass_through():
    x = torch.zeros(2, 6, 4, 3, 5, 5, dtype=torch.uint8)
    assert MultiModalDataPreprocessor(CFG)(dict(inputs=dict(rgb=x)))['inputs']['rgb'].shape == x.shape


def test_nested_inputs_pass_through():
    text = dict(ids=torch.tensor([[1, 2], [3, 4]]), mask=torch.ones(2, 2))
    out = MultiModalDataPreprocessor(CFG)(dict(inputs=dict(text=text)))['inputs']['text']
    assert torch.equal(out['ids'], text['ids'])


def test_samples_of_different_shape():
    batch = dict(inputs=dict(rgb=[frames(1)[0], frames(1, 6)[0]]))
    with pytest.raises(ValueError, match=r"samples of input 'rgb' differ in shape: \[\(4, 3, 5, 5\), \(4, 6, 5, 5\)\]"):
        MultiModalDataPreprocessor(CFG)(batch)


def test_it_follows_the_model():
    preprocess = MultiModalDataPreprocessor(CFG).double()
    assert preprocess(dict(inputs=dict(rgb=frames())))['inputs']['rgb'].dtype == torch.float64


def test_without_options_nothing_is_changed():
    x = frames()
    assert torch.equal(MultiModalDataPreprocessor()(dict(inputs=dict(rgb=x)))['inputs']['rgb'], x)
