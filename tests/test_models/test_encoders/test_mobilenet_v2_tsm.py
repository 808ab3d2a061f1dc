"""Our MobileNetV2TSM is mmaction2's, with its traps removed."""

import pytest
import torch
from mmaction.models.backbones.mobilenet_v2_tsm import MobileNetV2TSM as MMActionMobileNetV2TSM

from mmmutual.models.encoders import MobileNetV2TSM, TemporalShift

from .test_resnet_tsm import spread_values


@pytest.mark.parametrize('options', [dict(), dict(is_shift=False), dict(shift_div=4, num_segments=2)])
def test_same_names_and_outputs_as_mmaction(options):
    options = dict(dict(widen_factor=0.25, num_segments=4), **options)
    ours, theirs = MobileNetV2TSM(**options), MMActionMobileNetV2TSM(pretrained2d=False, **options)
    spread_values(theirs)
    ours.load_state_dict(theirs.state_dict())
    theirs.eval()
    x = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs(x))


def test_shifted_blocks():
    """Residual blocks that expand: all but the first of every stage (spec/mml.md 3.2)."""
    net = MobileNetV2TSM(widen_factor=0.25)
    shifted = [name for name, module in net.named_modules() if isinstance(module, TemporalShift)]
    blocks = [(2, 2), (3, 3), (4, 4), (5, 3), (6, 3)]
    assert shifted == [f'layer{stage}.{j}.conv.0' for stage, n in blocks for j in range(1, n)]


@pytest.mark.parametrize('in_channels', [10, 15])
def test_stem_of_other_modalities(in_channels):
    net, rgb = MobileNetV2TSM(in_channels=in_channels, widen_factor=0.25), MobileNetV2TSM(widen_factor=0.25)
    assert net(torch.zeros(8, in_channels, 32, 32)).shape == (8, 1280, 1, 1)
    assert list(net.state_dict()) == list(rgb.state_dict())
    assert net.conv1.conv.weight.shape == (8, in_channels, 3, 3)
    assert net.conv1.conv.stride == rgb.conv1.conv.stride
    assert net.conv1.conv.padding == rgb.conv1.conv.padding


def test_train_returns_the_module():
    net = MobileNetV2TSM(widen_factor=0.25)
    assert net.eval() is net
    assert net.train() is net


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        (dict(pretrained='x.pth'), 'give pretrained to the encoder'),
        (dict(pretrained2d=True), 'give pretrained2d to the encoder'),
        (dict(shift_div=0), 'must be at least 1, got 0 and 8'),
        (dict(num_segments=0), 'must be at least 1, got 8 and 0'),
    ],
)
def test_options_that_there_are_not(option, message):
    with pytest.raises(ValueError, match=message):
        MobileNetV2TSM(widen_factor=0.25, **option)


def test_init_weights_needs_no_file():
    net = MobileNetV2TSM(widen_factor=0.25)
    before = net.conv1.conv.weight.clone()
    net.init_weights()
    assert not torch.equal(net.conv1.conv.weight, before)
