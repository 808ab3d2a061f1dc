"""Frames in, pooled features out, on our backbones and on mmaction2's."""

import pytest
import torch

from mmmutual.models import FrameEncoder, ResNetTSM

from .test_pretrained import TorchvisionResNet18

TSM = dict(type='mmmutual.ResNetTSM', depth=18, base_channels=4, num_segments=4)


def clips(batch=2, segments=4, channels=3, size=32):
    return torch.randn(batch, segments, channels, size, size, generator=torch.Generator().manual_seed(0))


def test_pools_over_space_and_keeps_time():
    encoder = FrameEncoder(TSM).eval()
    x = clips()
    features = encoder(x)
    maps = encoder.backbone(x.reshape(8, 3, 32, 32))
    assert features.shape == (2, 4, 32)
    torch.testing.assert_close(features[1, 2], maps[6].mean(dim=(1, 2)))


def test_clips_of_a_batch_do_not_mix():
    encoder = FrameEncoder(TSM).eval()
    x = clips()
    torch.testing.assert_close(encoder(x)[1:], encoder(x[1:]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ('backbone', 'width'),
    [
        (dict(type='mmaction.ResNet', depth=18), 512),
        (dict(type='mmaction.ResNetTSM', depth=18, num_segments=4), 512),
        (dict(type='mmaction.MobileNetV2TSM', num_segments=4, widen_factor=0.25), 1280),
        (dict(type='mmmutual.MobileNetV2TSM', num_segments=4, widen_factor=0.25), 1280),
    ],
    ids=['TSN', 'ResNetTSM', 'MobileNetV2TSM', 'our MobileNetV2TSM'],
)
def test_backbones_of_mmaction(backbone, width):
    encoder = FrameEncoder(backbone)
    encoder.init_weights()
    features = encoder(clips())
    assert features.shape == (2, 4, width)
    assert encoder.out_channels == width
    features.sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())


def test_out_channels_are_those_of_the_stage_that_is_given():
    assert FrameEncoder(TSM).out_channels == 32
    early = FrameEncoder(dict(type='mmaction.ResNet', depth=18, out_indices=(2,)))
    assert early(clips()).shape == (2, 4, 256)
    assert early.out_channels is None
    assert FrameEncoder(dict(type='mmaction.MobileNetV2', widen_factor=0.25, out_indices=(3,))).out_channels is None


def test_tsn_takes_any_number_of_segments():
    encoder = FrameEncoder(dict(type='mmaction.ResNet', depth=18))
    assert encoder(clips(1, 3)).shape == (1, 3, 512)


@pytest.mark.parametrize('segments', [2, 8])
def test_other_number_of_segments_than_the_shift(segments):
    for options in ({}, dict(is_shift=False, temporal_pool=True)):  # else two clips would be pooled together
        with pytest.raises(ValueError, match=f'clips have T={segments} segments, but the backbone looks over .*=4'):
            FrameEncoder(dict(TSM, **options))(clips(2, segments))


def test_temporal_pool_halves_time():
    assert FrameEncoder(dict(TSM, temporal_pool=True)).eval()(clips()).shape == (2, 2, 32)


def test_pretrained_weights_are_put_over_the_first_ones_in_place(tmp_path):
    """The Runner builds the optimiser before it initialises weights: the parameters must stay the same objects."""
    path = str(tmp_path / 'resnet18.pth')
    weights = TorchvisionResNet18().state_dict()
    torch.save(weights, path)
    encoder = FrameEncoder(dict(TSM, in_channels=10), pretrained=path)
    parameters = list(encoder.parameters())
    encoder.init_weights()
    assert all(a is b for a, b in zip(parameters, encoder.parameters()))
    assert all(p.requires_grad and p.is_leaf for p in parameters)
    stem = encoder.backbone.conv1.conv.weight
    torch.testing.assert_close(stem, weights['conv1.weight'].mean(1, keepdim=True).expand_as(stem))
    assert torch.equal(encoder.backbone.layer1[0].conv2.conv.weight, weights['layer1.0.conv2.weight'])


def test_without_pretrained_weights_the_backbone_starts_as_its_own_rule_says():
    encoder = FrameEncoder(dict(TSM, base_channels=16))
    convs = (encoder.backbone.conv1.conv, encoder.backbone.layer4[1].conv2.conv)
    before = [conv.weight.clone() for conv in convs]
    encoder.init_weights()
    for conv, old in zip(convs, before):
        assert not torch.equal(conv.weight, old)  # drawn anew, after the Runner has set the seed
        fan_out = conv.weight[:, 0].numel()
        assert conv.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)


def test_type_of_the_backbone():
    assert isinstance(FrameEncoder(TSM).backbone, ResNetTSM)
