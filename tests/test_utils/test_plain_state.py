"""Checkpoints without pickled objects."""

import enum
import io
from collections import Counter, OrderedDict, namedtuple

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import scheduler as schedulers
from torch import nn

from mmmutual.datasets.samplers import SampleIndex
from mmmutual.utils.plain_state import plain_message_hub, plain_schedulers, rebuild_message_hub, to_plain

PLAIN = (type(None), bool, int, float, str, dict, list, tuple, torch.Tensor)


class Colour(str, enum.Enum):
    RED = 'red'


def types(value):
    """All types inside a nested value."""
    inside = []
    if isinstance(value, dict):
        inside = [*value, *value.values()]
    elif isinstance(value, (list, tuple)):
        inside = value
    return {type(value)}.union(*map(types, inside))


def reloaded(value):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (None, None),
        (True, True),
        (np.bool_(True), True),
        (np.float64(1.5), 1.5),  # a float, too, and yet not loaded without code
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.str_('a'), 'a'),
        (Colour.RED, 'red'),
        (SampleIndex(4, 1, 2), 4),
        (OrderedDict(a=np.int8(1), b=[np.float64(2)]), dict(a=1, b=[2.0])),
        (Counter([3, 3, 5]), {3: 2, 5: 1}),
        ({np.int64(1): 2, (np.int64(1), 'x'): 3}, {1: 2, (1, 'x'): 3}),
        (namedtuple('Pair', 'x y')(1, np.int64(2)), (1, 2)),
        (torch.Size([2, 3]), (2, 3)),
    ],
)
def test_values(value, expected):
    plain = to_plain(value)
    assert plain == expected
    assert type(plain) is type(expected)
    assert types(plain) <= set(PLAIN)
    assert reloaded(plain) == expected


def test_arrays_become_tensors():
    plain = reloaded(to_plain(dict(x=np.arange(6).reshape(2, 3)[:, ::-1], y=torch.ones(2))))
    assert plain['x'].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert plain['y'].tolist() == [1, 1]


@pytest.mark.parametrize('value', [{1, 2}, object(), np.array([None]), lambda: 1, b'x'])
def test_other_objects_are_named(value):
    with pytest.raises(TypeError, match=rf'meta.classes\[1\] is a {type(value).__name__}'):
        to_plain(dict(classes=['a', value]), 'meta')


def hub(name):
    made = MessageHub.get_instance(name)
    for i in range(5):
        made.update_scalar('train/loss', torch.tensor(i / 3), 2)
        made.update_scalar('train/lr', i, resumed=False)
    made.update_info('best_score', np.float64(0.25))
    made.update_info('dataset_meta', dict(classes=('a', 'b')))
    return made


def test_a_message_hub_and_back():
    made = hub('plain_hub')
    state = reloaded(plain_message_hub(made.state_dict()))
    assert types(state) <= set(PLAIN)
    other = MessageHub.get_instance('plain_hub_other')
    other.load_state_dict(rebuild_message_hub(state))
    assert 'train/lr' not in other.log_scalars
    for mine, theirs in zip(other.get_scalar('train/loss').data, made.get_scalar('train/loss').data):
        assert mine.tolist() == theirs.tolist()
    assert other.get_scalar('train/loss').mean(2) == made.get_scalar('train/loss').mean(2)
    assert other.get_scalar('train/loss').max_length == made.get_scalar('train/loss').max_length
    assert other.get_info('best_score') == 0.25
    assert other.get_info('dataset_meta') == dict(classes=('a', 'b'))


SCHEDULERS = {
    'MultiStepLR': dict(milestones=[2, 6]),
    'CosineAnnealingLR': dict(T_max=8),
    'LinearLR': dict(start_factor=0.1, end=8),
    'PolyLR': dict(power=2, end=8),
    'StepLR': dict(step_size=2),
    'OneCycleLR': dict(eta_max=1.0, total_steps=10),  # holds a function
}


@pytest.mark.parametrize('name', SCHEDULERS)
@pytest.mark.parametrize('several', [False, True])
def test_schedulers_go_on_from_a_plain_state(name, several):
    def build():
        optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)
        return optimizer, getattr(schedulers, name)(optimizer, **SCHEDULERS[name])

    def rates(optimizer, scheduler, steps):
        found = []
        for _ in range(steps):
            optimizer.step()
            scheduler.step()
            found.append(optimizer.param_groups[0]['lr'])
        return found

    optimizer, scheduler = build()
    rates(optimizer, scheduler, 3)
    states = dict(main=[scheduler.state_dict()]) if several else [scheduler.state_dict()]
    plain = reloaded(plain_schedulers(states))
    other_optimizer, other = build()
    other_optimizer.load_state_dict(optimizer.state_dict())
    other.load_state_dict((plain['main'] if several else plain)[0])
    expected = rates(optimizer, scheduler, 4)
    assert rates(other_optimizer, other, 4) == expected
    assert len(set(expected)) > 1
