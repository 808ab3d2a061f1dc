"""Names of weights, row by row of the table in spec/mml.md 3.4."""

import pytest

from mmmutual.utils.checkpoint_names import branch_names, branches_in, fitted_names, mmaction_name, without_wrappers

# original -> mmaction2's backbone or head
TABLE = {
    'base_model.conv1.weight': 'backbone.conv1.conv.weight',
    'base_model.bn1.running_mean': 'backbone.conv1.bn.running_mean',
    'base_model.layer1.0.conv1.net.weight': 'backbone.layer1.0.conv1.conv.net.weight',
    'base_model.layer3.1.conv1.weight': 'backbone.layer3.1.conv1.conv.weight',
    'base_model.layer3.10.conv3.weight': 'backbone.layer3.10.conv3.conv.weight',
    'base_model.layer2.1.bn2.bias': 'backbone.layer2.1.conv2.bn.bias',
    'base_model.layer2.0.downsample.0.weight': 'backbone.layer2.0.downsample.conv.weight',
    'base_model.layer2.0.downsample.1.num_batches_tracked': 'backbone.layer2.0.downsample.bn.num_batches_tracked',
    'base_model.layer2.net.1.conv1.net.weight': 'backbone.layer2.net.1.conv1.conv.net.weight',
    'base_model.layer2.net.1.bn1.weight': 'backbone.layer2.net.1.conv1.bn.weight',
    'base_model.layer4.1.net.conv1.weight': 'backbone.layer4.1.net.conv1.conv.weight',
    'base_model.layer4.0.net.bn3.weight': 'backbone.layer4.0.net.conv3.bn.weight',
    'base_model.layer4.0.net.downsample.1.bias': 'backbone.layer4.0.net.downsample.bn.bias',
    'base_model.layer2.net.0.net.conv2.weight': 'backbone.layer2.net.0.net.conv2.conv.weight',
    'base_model.layer3.2.block.conv1.net.weight': 'backbone.layer3.2.block.conv1.conv.net.weight',
    'base_model.layer3.2.block.bn3.bias': 'backbone.layer3.2.block.conv3.bn.bias',
    'base_model.layer3.2.nl.g.0.weight': 'backbone.layer3.2.non_local_block.g.0.conv.weight',
    'base_model.layer3.2.nl.phi.0.bias': 'backbone.layer3.2.non_local_block.phi.0.conv.bias',
    'base_model.layer3.2.nl.theta.weight': 'backbone.layer3.2.non_local_block.theta.conv.weight',
    'base_model.layer3.2.nl.W.0.weight': 'backbone.layer3.2.non_local_block.conv_out.conv.weight',
    'base_model.layer3.2.nl.W.1.running_var': 'backbone.layer3.2.non_local_block.conv_out.bn.running_var',
    'new_fc.weight': 'cls_head.fc_cls.weight',
    'base_model.fc.bias': 'cls_head.fc_cls.bias',
    'base_model.classifier.weight': 'cls_head.fc_cls.weight',
}
# MobileNetV2 by the original's numbers; block 2.1 (features.3) is shifted, block 2.0 (features.2) is not
MOBILENET = {
    'features.0.0.weight': 'conv1.conv.weight',
    'features.0.1.weight': 'conv1.bn.weight',
    'features.1.conv.0.weight': 'layer1.0.conv.0.conv.weight',
    'features.1.conv.4.bias': 'layer1.0.conv.1.bn.bias',
    'features.2.conv.0.weight': 'layer2.0.conv.0.conv.weight',
    'features.2.conv.1.weight': 'layer2.0.conv.0.bn.weight',
    'features.3.conv.0.net.weight': 'layer2.1.conv.0.net.conv.weight',
    'features.3.conv.1.running_var': 'layer2.1.conv.0.net.bn.running_var',
    'features.3.conv.3.weight': 'layer2.1.conv.1.conv.weight',
    'features.4.conv.6.weight': 'layer3.0.conv.2.conv.weight',
    'features.17.conv.7.weight': 'layer7.0.conv.2.bn.weight',
    'features.18.0.weight': 'conv2.conv.weight',
    'features.18.1.bias': 'conv2.bn.bias',
}
# torchvision nests all layers of a block but the last two
TORCHVISION_MOBILENET = {
    'features.0.1.bias': 'conv1.bn.bias',
    'features.1.conv.0.0.weight': 'layer1.0.conv.0.conv.weight',
    'features.1.conv.1.weight': 'layer1.0.conv.1.conv.weight',
    'features.1.conv.2.weight': 'layer1.0.conv.1.bn.weight',
    'features.6.conv.1.1.running_mean': 'layer3.2.conv.1.bn.running_mean',
    'features.6.conv.2.weight': 'layer3.2.conv.2.conv.weight',
    'features.6.conv.3.weight': 'layer3.2.conv.2.bn.weight',
}


def ours(name):
    return name.replace('cls_head.fc_cls.', 'head.fc.').replace('backbone.', 'encoder.backbone.')


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('name', TABLE)
def test_original(name, prefix):
    assert branch_names([prefix + name]) == {prefix + name: ours(TABLE[name])}


@pytest.mark.parametrize('name', TABLE.values())
def test_mmaction_and_back(name):
    assert branch_names([name]) == {name: ours(name)}
    assert mmaction_name(ours(name)) == name


@pytest.mark.parametrize('prefix', ['base_model.', ''])
def test_mobilenet(prefix):
    names = {prefix + name: f'encoder.backbone.{expected}' for name, expected in MOBILENET.items()}
    assert branch_names(names) == names


def test_mobilenet_of_torchvision():
    names = {name: f'encoder.backbone.{expected}' for name, expected in TORCHVISION_MOBILENET.items()}
    names['classifier.1.weight'] = 'head.fc.weight'
    assert branch_names(names) == names


def test_mobilenet_of_mmaction():
    names = [f'backbone.{name}' for name in (*MOBILENET.values(), *TORCHVISION_MOBILENET.values())]
    assert branch_names(names) == {name: f'encoder.{name}' for name in names}


@pytest.mark.parametrize(
    'name', ['encoder.net.0.bn1.weight', 'encoder.backbone.layer1.0.conv1.weight', 'head.fc.bias', 'visual.proj']
)
def test_ours_and_unknown_names_stay(name):
    assert branch_names([name]) == {name: name}


def test_branches():
    names = [
        'branches.rgb.head.fc.bias',
        'module.branches.flow.encoder.x',
        'losses.cls.weight',
        'branches.rgb.encoder.x',
    ]
    assert branches_in(names) == ['rgb', 'flow']
    assert branches_in(['backbone.branches.rgb.x']) == []


def test_wrappers():
    assert without_wrappers('layer2.net.0.block.conv1.conv.net.weight') == 'layer2.0.conv1.conv.weight'
    assert without_wrappers('layer2.0.non_local_block.theta.conv.bias') == 'layer2.0.non_local_block.theta.conv.bias'
    given = ['conv1.weight', 'layer1.0.conv1.conv.weight', 'layer1.1.net.conv1.conv.weight', 'layer2.0.a', 'b']
    wanted = ['conv1.weight', 'layer1.0.conv1.conv.net.weight', 'layer1.1.conv1.conv.net.weight', 'layer2.0.a', 'c']
    assert list(fitted_names(given, wanted).values()) == [*wanted[:-1], 'b']


def test_an_exact_name_goes_before_one_with_a_wrapper():
    names = ['encoder.net.fc.weight', 'encoder.fc.weight']
    assert fitted_names(names, names) == {name: name for name in names}
