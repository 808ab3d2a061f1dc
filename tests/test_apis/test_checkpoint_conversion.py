"""Checkpoints of other code bases as branches of ours."""

import pytest
import torch
from torch import nn

from mmmutual.apis.checkpoint_conversion import fit_to_model, read_branch, write_checkpoint
from mmmutual.utils.checkpoint_loading import load_checkpoint_file

ORIGINAL = ('base_model.', 'new_fc.')


def save(folder, *names, channels=3, **rest):
    state = {f'module.{name}': torch.ones(2) for name in names}
    state['module.base_model.conv1.weight'] = torch.ones(4, channels, 7, 7)
    torch.save(dict(rest, state_dict=state), folder / 'x.pth')
    return str(folder / 'x.pth')


def test_read(tmp_path):
    file = save(tmp_path, 'new_fc.bias', 'base_model.bn1.num_batches_tracked', epoch=3, optimizer=dict(state={}))
    assert sorted(read_branch(file, 'rgb', ORIGINAL)) == [
        'branches.rgb.encoder.backbone.conv1.bn.num_batches_tracked',
        'branches.rgb.encoder.backbone.conv1.conv.weight',
        'branches.rgb.head.fc.bias',
    ]


@pytest.mark.parametrize(
    'name', ['base_model.conv1_7x7_s2.weight', 'base_model.layer1.0.conv1.scale', 'epsilon', 'new_fc2.bias']
)
def test_leftovers(tmp_path, name):
    with pytest.raises(ValueError, match='x.pth: 1 of 2 weights have no counterpart'):
        read_branch(save(tmp_path, name), 'rgb', ORIGINAL)


def test_another_code_base(tmp_path):
    with pytest.raises(ValueError, match=r"no name begins with one of \('backbone.',\); it has \['base_model.conv1"):
        read_branch(save(tmp_path), 'rgb', ['backbone.'])


def test_kernel_of_another_modality(tmp_path):
    file = save(tmp_path, channels=10)
    assert read_branch(file, 'flow', ORIGINAL)
    assert read_branch(file, 'any', ORIGINAL)
    with pytest.raises(ValueError, match="first kernel has 10 channels, 'rgb' has 3"):
        read_branch(file, 'rgb', ORIGINAL)


class Model(nn.Module):
    """Two branches with a wrapped layer."""

    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleDict({name: nn.ModuleDict(dict(net=nn.Linear(1, 2))) for name in ('rgb', 'flow')})


def test_fit_to_model():
    state = {'branches.rgb.weight': torch.ones(2, 1), 'branches.rgb.bias': torch.ones(2)}
    assert list(fit_to_model(state, Model())) == ['branches.rgb.net.weight', 'branches.rgb.net.bias']
    for change, message in (
        ({'branches.rgb.bias': torch.ones(3)}, "1 of another shape .'branches.rgb.net.bias'"),
        ({'branches.rgb.x': torch.ones(3)}, "1 unexpected .'branches.rgb.x'"),
        ({'branches.flow.bias': torch.ones(2)}, "1 missing .'branches.flow.net.weight'"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_to_model({**state, **change}, Model())


def test_written_file_is_plain_data(tmp_path):
    write_checkpoint({'a': torch.ones(1)}, tmp_path / 'new' / 'x.pth', converted_from=['y.pth'])
    loaded = load_checkpoint_file(str(tmp_path / 'new' / 'x.pth'))
    assert loaded == dict(meta=dict(converted_from=['y.pth']), state_dict={'a': torch.ones(1)})
