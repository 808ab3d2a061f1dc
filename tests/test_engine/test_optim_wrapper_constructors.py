"""Parameter groups by branch, and several optimisers."""

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from mmmutual.engine import BranchOptimWrapperConstructor, MultiOptimWrapperConstructor, MutualOptimWrapper
from mmmutual.engine.optim_wrapper_constructors import parameter_branches

from . import toy_methods as toy

SGD = dict(type='SGD', lr=0.1, weight_decay=0.01)


def groups(model, paramwise=None, optimizer=SGD, **kwargs):
    wrapper = BranchOptimWrapperConstructor(dict(optimizer=optimizer, **kwargs), paramwise)(model)
    return wrapper, {group['name']: group for group in wrapper.optimizer.param_groups}


def names(model, group):
    known = {id(p): name for name, p in model.named_parameters()}
    return [known[id(p)] for p in group['params']]


def test_one_group_for_each_branch_and_one_for_the_rest():
    model = toy.build('plain')
    wrapper, found = groups(model, dict(branches=dict(v=dict(lr_mult=0.5, decay_mult=0))), clip_grad=dict(max_norm=1))
    assert list(found) == ['a.all', 'v.all', 'shared.all']
    assert [group['clip_group'] for group in found.values()] == ['a', 'v', 'shared']
    assert [group['lr'] for group in found.values()] == [0.1, 0.05, 0.1]
    assert [group['weight_decay'] for group in found.values()] == [0.01, 0, 0.01]
    assert names(model, found['shared.all']) == ['head.weight', 'head.bias']
    assert sum((names(model, group) for group in found.values()), []) == [name for name, _ in model.named_parameters()]
    assert isinstance(wrapper, MutualOptimWrapper)
    assert wrapper.clip_grad_kwargs == dict(max_norm=1)


def test_frozen_parameters_can_be_released():
    model = toy.build('plain')
    model.encoders['a'].requires_grad_(False)
    model.head.bias.requires_grad_(False)
    _, found = groups(model)
    assert list(found) == ['a.all', 'v.all', 'shared.all']
    assert names(model, found['shared.all']) == ['head.weight', 'head.bias']


def test_the_optimisers_own_weight_decay_is_the_default():
    model = toy.build('plain')
    for kind, decay in (('AdamW', 0.01), ('SGD', 0)):
        wrapper, _ = groups(model, dict(branches=dict(v=dict(decay_mult=0.5))), optimizer=dict(type=kind, lr=0.1))
        assert [group['weight_decay'] for group in wrapper.optimizer.param_groups] == [decay, decay / 2, decay]


def test_recipe_groups_for_single_branches():
    model = toy.build('plain')
    _, found = groups(model, dict(groups='tsm', branches=dict(a=dict(fc_lr5=False), shared=dict(groups='plain'))))
    assert list(found) == ['a.normal_weight', 'a.normal_bias', 'v.lr5_weight', 'v.lr10_bias', 'shared.all']
    assert [round(group['lr'], 6) for group in found.values()] == [0.1, 0.2, 0.5, 1.0, 0.1]
    assert [group['weight_decay'] for group in found.values()] == [0.01, 0, 0.01, 0, 0.01]
    assert {group['clip_group'] for group in found.values()} == {'a', 'v', 'shared'}


@pytest.mark.parametrize(
    ('paramwise', 'words'),
    [
        (dict(lr_mult=2), r"paramwise_cfg has unknown keys \['lr_mult'\]; allowed are .*'branches'"),
        (dict(branches=dict(a=dict(lr=2))), r"branches.a has unknown keys \['lr'\]; allowed are .*'lr_mult'"),
        (dict(branches=dict(rgb=dict())), r"names \['rgb'\]; the branches of the model are \['a', 'shared', 'v'\]"),
        (dict(groups='tsn'), "must be one of .*'plain', 'tsm'.*, got 'tsn'"),
    ],
)
def test_wrong_options_are_named(paramwise, words):
    with pytest.raises(ValueError, match=words):
        groups(toy.build('plain'), paramwise)


def test_an_optimizer_with_a_rate_is_needed():
    for cfg in (dict(), dict(optimizer=dict(type='SGD'))):
        with pytest.raises(ValueError, match='optim_wrapper needs optimizer=dict'):
            BranchOptimWrapperConstructor(cfg)
    with pytest.raises(KeyError, match='Nonsense is not in'):
        groups(toy.build('plain'), optimizer=dict(type='Nonsense', lr=1))


def test_a_stock_wrapper_can_be_asked_for():
    wrapper, _ = groups(toy.build('plain'), type='OptimWrapper')
    assert type(wrapper) is OptimWrapper


class Nested(BaseModel):
    """A branch inside of a child that holds more; one weight beside it."""

    def __init__(self, beside=False):
        super().__init__()
        self.inside = nn.ModuleDict(dict(a=nn.Linear(1, 1), b=nn.ModuleDict(dict(c=nn.Linear(1, 1)))))
        self.empty = nn.ReLU()
        if beside:
            self.scale = nn.Parameter(torch.ones(1))

    def parameter_branches(self):
        return dict(a=self.inside['a'])

    def forward(self):
        pass


def test_what_belongs_to_no_branch_is_shared():
    model = Nested()
    branches = parameter_branches(model)
    assert list(branches) == ['a', 'shared']
    assert list(branches['shared']) == [model.inside['b']]
    with pytest.raises(ValueError, match=r"Nested holds \['scale'\] beside branches"):
        parameter_branches(Nested(beside=True))
    assert list(parameter_branches(nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)))) == ['0', '2']


def test_several_optimisers():
    model = toy.build('inner')
    cfg = toy.optim_config('inner')
    cfg.pop('constructor')
    wrappers = MultiOptimWrapperConstructor(cfg)(model)
    assert isinstance(wrappers, OptimWrapperDict)
    main, side = wrappers['main'].optimizer, wrappers['side'].optimizer
    assert isinstance(main, torch.optim.SGD)
    assert isinstance(side, torch.optim.Adam)
    assert [group['name'] for group in main.param_groups] == ['a.all', 'v.all', 'shared.all']
    assert names(model, side.param_groups[0]) == ['side.weight', 'side.bias']
    assert wrappers['side'].clip_grad_kwargs == dict(max_norm=0.05)


@pytest.mark.parametrize(
    ('cfg', 'words'),
    [
        (dict(main=dict(modules=['a'])), r'exactly one .* take the rest, got \[\]'),
        (dict(main=dict(), other=dict()), r"take the rest, got \['main', 'other'\]"),
        (
            dict(main=dict(), side=dict(modules=['club'])),
            r"side.modules names 'club'; there are \['a', 'shared', 'side', 'v'\]",
        ),
        (dict(main=dict(), x=dict(modules=['a']), y=dict(modules=['a'])), "'a' is given to both 'x' and 'y'"),
    ],
)
def test_wrong_divisions_are_named(cfg, words):
    cfg = {name: dict(optimizer=SGD, **one) for name, one in cfg.items()}
    with pytest.raises(ValueError, match=words):
        MultiOptimWrapperConstructor(cfg)(toy.build('inner'))


def test_paramwise_options_belong_to_each_wrapper():
    with pytest.raises(ValueError, match='inside each wrapper'):
        MultiOptimWrapperConstructor(dict(main=dict(optimizer=SGD)), dict(groups='tsm'))
