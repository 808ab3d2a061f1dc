"""The weights of one network, out of a checkpoint and into a module."""

import pytest
import torch
from torch import nn

from mmmutual.utils.branch_state import branch_state, copy_state, fitted_state, tensors_of

ONE = torch.ones(2)


def test_tensors_of_a_checkpoint_of_the_original():
    checkpoint = dict(epoch=3, arch='r', best_prec1=torch.tensor(4.0), state_dict={'module.new_fc.bias': ONE, 'x': 'y'})
    assert tensors_of(checkpoint) == {'new_fc.bias': ONE}
    assert tensors_of({'fc.bias': ONE}) == {'fc.bias': ONE}


def test_a_branch_of_ours():
    state = {f'branches.{name}.head.fc.bias': ONE * i for i, name in enumerate(('rgb', 'flow'))}
    state['losses.cls.weight'] = ONE
    assert branch_state(dict(state_dict=state), 'x.pth', 'flow') == {
        'head.fc.bias': state['branches.flow.head.fc.bias']
    }
    del state['branches.rgb.head.fc.bias']
    assert list(branch_state(state, 'x.pth')) == ['head.fc.bias']


@pytest.mark.parametrize(
    ('names', 'branch', 'message'),
    [
        (('branches.a.x', 'branches.b.x'), None, r"x.pth holds the branches \['a', 'b'\]: name one"),
        (('branches.a.x', 'branches.b.x'), 'c', r"x.pth has no branch 'c': it holds the branches \['a', 'b'\]"),
        (('backbone.conv1.conv.weight',), 'rgb', "x.pth has no branch 'rgb': it holds no branches of ours"),
        (('new_fc.bias', 'base_model.fc.bias'), None, 'x.pth holds head.fc.bias twice, once as base_model.fc.bias'),
    ],
)
def test_branches_that_there_are_not(names, branch, message):
    with pytest.raises(ValueError, match=message):
        branch_state(dict.fromkeys(names, ONE), 'x.pth', branch)


def test_bias_of_a_non_local_block_is_taken_out_of_the_mean():
    """(Wx + b - m) / s is (Wx - (m - b)) / s."""
    nl = 'base_model.layer2.0.nl.W'
    given = {f'{nl}.0.weight': ONE, f'{nl}.0.bias': ONE * 2, f'{nl}.1.running_mean': ONE * 5, f'{nl}.1.bias': ONE * 7}
    state = branch_state(given, 'x.pth')
    out = 'encoder.backbone.layer2.0.non_local_block.conv_out'
    assert set(state) == {f'{out}.conv.weight', f'{out}.bn.running_mean', f'{out}.bn.bias'}
    assert state[f'{out}.bn.running_mean'].tolist() == [3.0, 3.0]
    assert state[f'{out}.bn.bias'].tolist() == [7.0, 7.0]
    assert given[f'{nl}.1.running_mean'].tolist() == [5.0, 5.0]  # the checkpoint is left as it is


def test_values_are_written_in_place():
    network = nn.Sequential(nn.Linear(2, 2))
    weight = network[0].weight
    bias = network[0].bias.clone()
    copy_state({'0.weight': torch.full((2, 2), 3.0), 'other': ONE}, network)
    assert network[0].weight is weight
    assert weight.requires_grad
    assert weight.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert torch.equal(network[0].bias, bias)


def test_fitted_state():
    network = nn.ModuleDict(dict(a=nn.ModuleDict(dict(net=nn.Linear(1, 2)))))
    assert fitted_state({'a.bias': ONE}, network) == {'a.net.bias': ONE}
