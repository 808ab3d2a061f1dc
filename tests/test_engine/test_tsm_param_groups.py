"""The TSM recipe on a small network; whole networks are compared in test_golden/."""

import pytest
from torch import nn

from mmmutual.engine.tsm_param_groups import tsm_param_groups


class Net(nn.Module):
    partial_bn = False

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(4, 4, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)


def named(net, **kwargs):
    known = {id(p): name for name, p in net.named_parameters()}
    return {group['name']: [known[id(p)] for p in group['params']] for group in tsm_param_groups(net, **kwargs)}


def test_seven_groups_in_order_with_their_multipliers():
    net = Net()
    assert named(net) == dict(
        first_conv_weight=['stem.weight'],
        first_conv_bias=['stem.bias'],
        normal_weight=['conv.weight'],
        normal_bias=[],
        bn=['bn1.weight', 'bn1.bias', 'bn2.weight', 'bn2.bias'],
        lr5_weight=['fc.weight'],
        lr10_bias=['fc.bias'],
    )
    multipliers = [(group['lr_mult'], group['decay_mult']) for group in tsm_param_groups(net)]
    assert multipliers == [(1, 1), (2, 0), (1, 1), (2, 0), (1, 0), (5, 1), (10, 0)]


def test_a_kept_classifier_learns_like_the_rest():
    found = named(Net(), fc_lr5=False)
    assert found['normal_weight'] == ['conv.weight', 'fc.weight']
    assert found['normal_bias'] == ['fc.bias']
    assert not found['lr5_weight']


def test_partial_batch_norm_trains_the_first_one():
    net = Net()
    net.partial_bn = True
    assert named(net)['bn'] == ['bn1.weight', 'bn1.bias']


def test_frozen_parameters_keep_their_group():
    net = Net()
    free = named(net)
    net.stem.requires_grad_(False)
    net.bn1.bias.requires_grad_(False)
    assert named(net) == free


def test_a_layer_without_rule_is_named():
    with pytest.raises(ValueError, match="no rule for the parameters of LayerNorm; use groups='plain'"):
        tsm_param_groups(nn.Sequential(nn.LayerNorm(3)))
