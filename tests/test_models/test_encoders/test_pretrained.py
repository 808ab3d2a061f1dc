"""Weights of image networks, by names of torchvision or of mmaction2, into stems of any number of channels."""

import logging

import pytest
import torch
from mmengine.logging import MMLogger
from torch import nn

from mmmutual.models.encoders import ResNetTSM
from mmmutual.models.encoders.pretrained import load_pretrained, transfer_stem
from mmmutual.utils.checkpoint_names import mmaction_name

WIDTH = 4


class Block(nn.Module):
    """torchvision's BasicBlock, as far as its names go."""

    def __init__(self, inplanes, planes, downsample):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 3, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, bias=False), nn.BatchNorm2d(planes)
        if downsample:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, bias=False), nn.BatchNorm2d(planes))


class TorchvisionResNet18(nn.Module):
    """A narrow resnet18 with torchvision's names, which is not installed."""

    def __init__(self, width=WIDTH):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, bias=False), nn.BatchNorm2d(width)
        inplanes = width
        for i in range(4):
            planes = width * 2**i
            stage = nn.Sequential(Block(inplanes, planes, i > 0), Block(planes, planes, False))
            setattr(self, f'layer{i + 1}', stage)
            inplanes = planes
        self.fc = nn.Linear(inplanes, 10)


@pytest.fixture(scope='module')
def weights():
    state = TorchvisionResNet18().state_dict()
    generator = torch.Generator().manual_seed(0)
    return {k: torch.rand(v.shape, generator=generator) if v.is_floating_point() else v for k, v in state.items()}


@pytest.fixture
def checkpoint(weights, tmp_path):
    torch.save(weights, tmp_path / 'resnet18.pth')
    return str(tmp_path / 'resnet18.pth')


@pytest.fixture
def log():
    """What is logged, as a list of lines."""
    lines, handler = [], logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def network(in_channels=3, **options):
    return ResNetTSM(18, base_channels=WIDTH, num_segments=4, in_channels=in_channels, **options)


@pytest.mark.parametrize('in_channels', [3, 10, 15])
def test_torchvision_names(weights, checkpoint, log, in_channels):
    net = network(in_channels)
    load_pretrained(net, checkpoint)
    kernel = weights['conv1.weight']
    if in_channels == 3:
        assert torch.equal(net.conv1.conv.weight, kernel)
    else:
        for c in range(in_channels):  # spec/mml.md 3.3: the mean over the 3 channels, not rescaled
            torch.testing.assert_close(net.conv1.conv.weight[:, c].detach(), kernel.mean(dim=1))
    assert torch.equal(net.conv1.bn.running_var, weights['bn1.running_var'])
    block, name = net.layer2[0], 'layer2.0'
    assert torch.equal(block.conv1.conv.net.weight, weights[f'{name}.conv1.weight'])  # inside the shift
    assert torch.equal(block.conv2.conv.weight, weights[f'{name}.conv2.weight'])
    assert torch.equal(block.conv2.bn.bias, weights[f'{name}.bn2.bias'])
    assert torch.equal(block.downsample.conv.weight, weights[f'{name}.downsample.0.weight'])
    assert torch.equal(block.downsample.bn.running_mean, weights[f'{name}.downsample.1.running_mean'])
    line = log[-1]
    count = len(weights) - 2
    assert f'{count} matched, 0 missing [], 0 unexpected []' in line  # the classifier is not the backbone's
    assert count == len(net.state_dict())


@pytest.mark.parametrize('options', [dict(shift_place='block'), dict(is_shift=False), dict(temporal_pool=True)])
def test_wrappers_of_tsm_are_seen_through(weights, checkpoint, options):
    net = network(**options)
    load_pretrained(net, checkpoint)
    values = {name.replace('.net.', '.'): value for name, value in net.state_dict().items()}
    assert torch.equal(values['layer2.1.conv1.conv.weight'], weights['layer2.1.conv1.weight'])
    assert torch.equal(values['layer4.1.conv2.bn.weight'], weights['layer4.1.bn2.weight'])


@pytest.mark.parametrize('prefix', ['', 'backbone.', 'module.', 'module.backbone.'])
def test_names_of_mmaction(tmp_path, log, prefix):
    """From a network with shift to one without, through the file of a recogniser."""
    source = network()
    path = str(tmp_path / 'recognizer.pth')
    torch.save(dict(state_dict={prefix + name: value for name, value in source.state_dict().items()}, meta={}), path)
    target = network(is_shift=False)
    load_pretrained(target, path)
    for value, expected in zip(target.state_dict().values(), source.state_dict().values()):
        assert torch.equal(value, expected)
    assert '0 missing [], 0 unexpected []' in log[-1]


@pytest.mark.parametrize('layout', ['ours', 'original', 'mmaction', 'old original'])
def test_a_checkpoint_of_a_whole_network(tmp_path, log, layout):
    """The backbone of a branch of ours, of a Recognizer2D, or of the original code, with its classifier."""
    source = network()
    state = {f'branches.rgb.encoder.backbone.{name}': value for name, value in source.state_dict().items()}
    state['branches.rgb.head.fc.weight'] = torch.zeros(3, 8 * WIDTH)
    if layout != 'ours':
        state = {mmaction_name(name[len('branches.rgb.') :]): value for name, value in state.items()}
    if 'original' in layout:
        state = {f'module.{original_name(name)}': value for name, value in state.items()}
    if layout == 'old original':
        state = {name.replace('.net.', '.'): value for name, value in state.items()}
    path = str(tmp_path / 'trained.pth')
    torch.save(dict(state_dict=state), path)
    target = network()
    load_pretrained(target, path)
    for value, expected in zip(target.state_dict().values(), source.state_dict().values()):
        assert torch.equal(value, expected)
    assert f'{len(source.state_dict())} matched, 0 missing [], 0 unexpected []' in log[-1]


def original_name(name):
    """mmaction2's name -> the original's, of a ResNet with shift."""
    name = name.replace('cls_head.fc_cls.', 'new_fc.').replace('backbone.', 'base_model.')
    name = name.replace('.downsample.conv.', '.downsample.0.').replace('.downsample.bn.', '.downsample.1.')
    for n in '123':
        name = name.replace(f'.conv{n}.conv.', f'.conv{n}.').replace(f'.conv{n}.bn.', f'.bn{n}.')
    return name


def test_several_branches(tmp_path):
    kernel = network().conv1.conv.weight
    state = {f'branches.{name}.encoder.backbone.conv1.conv.weight': kernel for name in ('rgb', 'flow')}
    torch.save(dict(state_dict=state), tmp_path / 'trained.pth')
    with pytest.raises(ValueError, match=r"holds the branches \['rgb', 'flow'\]: name one, as tune_from.source_branch"):
        load_pretrained(network(), str(tmp_path / 'trained.pth'))


def test_missing_names_are_reported(weights, tmp_path, log):
    del weights['layer4.1.conv2.weight']
    torch.save(weights, tmp_path / 'w.pth')
    load_pretrained(network(), str(tmp_path / 'w.pth'))
    assert "1 missing ['layer4.1.conv2.conv.weight']" in log[-1]


def test_checkpoint_that_matches_nothing(tmp_path):
    torch.save({'visual.proj': torch.zeros(2)}, tmp_path / 'clip.pth')
    with pytest.raises(ValueError, match=r"clip.pth' matches nothing of ResNetTSM.*visual.proj.*conv1.bn.bias"):
        load_pretrained(network(), str(tmp_path / 'clip.pth'))


def test_other_shape(weights, tmp_path):
    torch.save(dict(weights, **{'layer1.0.conv1.weight': torch.zeros(8, 4, 3, 3)}), tmp_path / 'w.pth')
    message = r'layer1.0.conv1.conv.net.weight has shape \(8, 4, 3, 3\), the network wants \(4, 4, 3, 3\)'
    with pytest.raises(ValueError, match=message):
        load_pretrained(network(), str(tmp_path / 'w.pth'))


def test_stem_of_other_width(weights, tmp_path):
    torch.save(dict(weights, **{'conv1.weight': torch.zeros(8, 3, 7, 7)}), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match=r'conv1.conv.weight has shape \(8, 10, 7, 7\)'):
        load_pretrained(network(10), str(tmp_path / 'w.pth'))


def test_transfer_stem_by_hand():
    kernel = torch.tensor([[[[1.0]], [[2.0]], [[6.0]]], [[[0.0]], [[0.0]], [[3.0]]]])
    out = transfer_stem(kernel, 2)
    assert out.tolist() == [[[[3.0]], [[3.0]]], [[[1.0]], [[1.0]]]]
    out[0, 0] = 7.0  # a copy of each, not one value seen twice
    assert out[0, 1].item() == 3.0
