"""The base of task models; training by its schedules is tested with the driver, in test_engine/."""

import copy

import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mmmutual.engine import JointSchedule, MutualOptimWrapper
from mmmutual.models import MutualModel
from mmmutual.structures import MultiModalDataSample

from ..test_engine import toy_methods as toy


def batch():
    dataset = toy.ToyPairs()
    return default_collate([dataset[i] for i in range(8)])


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def test_modes():
    model, data = toy.build('plain'), batch()
    logits = model(**data)
    assert logits.shape == (8, toy.CLASSES)
    assert torch.equal(model(**data, mode='tensor'), logits)
    losses = model(**data, mode='loss')
    assert torch.equal(losses['loss'], model(**data, mode='update').losses['loss'])
    samples = model(**data, mode='predict')
    assert all(isinstance(sample, MultiModalDataSample) for sample in samples)
    assert [sample.pred_label.item() for sample in samples] == logits.argmax(1).tolist()
    with pytest.raises(ValueError, match=r"mode must be one of \('tensor', 'loss', 'predict', 'update'\), got 'train'"):
        model(**data, mode='train')


def test_validation_predicts():
    model, data = toy.build('joint'), batch()
    assert [sample.sample_idx for sample in model.val_step(data)] == list(range(8))
    assert len(model.test_step(data)) == 8


def test_the_joint_schedule_is_the_default():
    assert isinstance(toy.build('plain').schedule, JointSchedule)
    assert len(toy.build('plain').modulators) == 0


@pytest.mark.parametrize('method', toy.METHODS)
def test_modulators_and_schedules_are_never_left_out_silently(method):
    model = toy.build(method)
    parts = {'joint': 'JointSchedule, ToyOGM', 'two_losses': 'ToyTwoLosses, ToyCombine'}.get(method, 'Toy')
    before = copy.deepcopy(model.state_dict())
    words = r"model_wrapper_cfg=dict\(type='mmmutual.MutualDistributedDataParallel'\).*'mmmutual.MutualOptimWrapper'"
    with pytest.raises(RuntimeError, match=f'called for its losses only, by a foreign model wrapper.*{parts}.*{words}'):
        model(**batch(), mode='loss')
    with pytest.raises(RuntimeError, match=f'optim_wrapper is a OptimWrapper.*{parts}.*{words}'):
        model.train_step(batch(), OptimWrapper(sgd(model)))
    with pytest.raises(RuntimeError, match='optim_wrapper is a OptimWrapper'):
        model.train_step(batch(), OptimWrapperDict(main=OptimWrapper(sgd(model))))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_plain_model_trains_under_stock_wrappers_as_under_ours():
    trained = []
    for kind in (OptimWrapper, MutualOptimWrapper):
        model = toy.build('plain')
        wrapper = kind(sgd(model))
        logs = [model.train_step(batch(), wrapper)['loss'] for _ in range(3)]
        assert logs[2] < logs[0]
        trained.append(model.state_dict())
    for name, value in trained[0].items():
        torch.testing.assert_close(value, trained[1][name], rtol=0, atol=1e-12)


def test_subclasses_must_define_their_parts():
    model = MutualModel()
    for mode, method in (
        ('tensor', 'tensor'),
        ('predict', 'predict'),
        ('update', 'joint_update'),
        ('loss', 'joint_update'),
    ):
        with pytest.raises(NotImplementedError, match=rf'MutualModel must define {method}\(\)'):
            model({}, [], mode=mode)
