"""Our ResNetTSM is mmaction2's, with its traps removed."""

import pytest
import torch
from mmaction.models.backbones.resnet_tsm import ResNetTSM as MMActionResNetTSM
from mmaction.models.backbones.resnet_tsm import TemporalShift as MMActionTemporalShift
from mmcv.cnn.bricks import NonLocal3d
from torch import nn

from mmmutual.models.encoders import ResNetTSM, TemporalShift

NON_LOCAL = dict(
    non_local=((0, 0, 0), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 0, 0)),
    non_local_cfg=dict(sub_sample=True, use_scale=False, norm_cfg=dict(type='BN3d'), mode='embedded_gaussian'),
)


def spread_values(net):
    """Weights and statistics that are neither zero nor one, so that every part of the network counts."""
    generator = torch.Generator().manual_seed(0)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            noise = torch.randn(value.shape, generator=generator)
            if value.dim() > 1:
                value.copy_(noise / value[0].numel() ** 0.5)
            else:
                value.copy_(1 + 0.1 * noise.abs() if name.endswith(('weight', 'var')) else 0.1 * noise)


@pytest.mark.parametrize(
    'options',
    [
        dict(depth=18),
        dict(depth=18, shift_place='block', shift_div=4),
        dict(depth=18, is_shift=False),
        dict(depth=18, temporal_pool=True, in_channels=10),
        dict(depth=50, **NON_LOCAL),
    ],
    ids=['blockres', 'block', 'no-shift', 'temporal-pool', 'non-local'],
)
def test_same_names_and_outputs_as_mmaction(options):
    ours = ResNetTSM(num_segments=4, **options)
    theirs = MMActionResNetTSM(num_segments=4, pretrained2d=False, **options)
    spread_values(ours)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}
    theirs.load_state_dict(ours.state_dict())
    ours.eval()
    theirs.eval()
    x = torch.randn(4, options.get('in_channels', 3), 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        a, b = ours(x), theirs(x)
    assert a.shape == b.shape
    assert b.abs().max() > 0.1
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5 * b.abs().max().item())
    assert not any(type(m) is MMActionTemporalShift for m in ours.modules())


def test_non_local_blocks_are_the_originals_unless_told_otherwise():
    flags = NON_LOCAL['non_local']
    default = ResNetTSM(depth=50, base_channels=4, num_segments=4, non_local=flags)
    explicit = ResNetTSM(depth=50, base_channels=4, num_segments=4, **NON_LOCAL)
    assert sum(type(m) is NonLocal3d for m in default.modules()) == 5
    spread_values(explicit)
    default.load_state_dict(explicit.state_dict())
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(default.eval()(x), explicit.eval()(x))
    scaled = ResNetTSM(depth=50, base_channels=4, num_segments=4, non_local=flags, non_local_cfg=dict(use_scale=True))
    found = [m for m in scaled.modules() if type(m) is NonLocal3d]
    assert all(m.use_scale and m.sub_sample for m in found)
    with pytest.raises(ValueError, match='non_local needs the blocks of depth 50 and more, got depth 18'):
        ResNetTSM(depth=18, non_local=((1, 0), (0, 0), (0, 0), (0, 0)))


@pytest.mark.parametrize(
    ('depth', 'place', 'shifted'), [(18, 'blockres', 8), (50, 'blockres', 16), (50, 'block', 16), (101, 'blockres', 18)]
)
def test_number_of_shifts(depth, place, shifted):
    """All 16 blocks of R50; from 23 blocks in a stage on every second one: 18 in R101 (spec/mml.md 3.2)."""
    with torch.device('meta'):
        ours = ResNetTSM(depth, shift_place=place)
        theirs = MMActionResNetTSM(depth, shift_place=place, pretrained2d=False)
    assert sum(type(m) is TemporalShift for m in ours.modules()) == shifted
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize('depth', [18, 50])
def test_narrow_network_is_the_same_but_for_its_widths(depth):
    options = dict(num_segments=4, shift_div=4, in_channels=10, style='caffe')
    with torch.device('meta'):
        wide = MMActionResNetTSM(depth, pretrained2d=False, **options)
    narrow = ResNetTSM(depth, base_channels=8, **options)
    for (name, a), (other, b) in zip(narrow.state_dict().items(), wide.state_dict().items()):
        assert name == other
        widths = [n if n in (1, 3, 7, 10) else n // 8 for n in b.shape]
        assert list(a.shape) == widths, name
    geometry = ('kernel_size', 'stride', 'padding', 'dilation', 'groups')
    for a, b in zip(convolutions(narrow), convolutions(wide)):
        assert [getattr(a, key) for key in geometry] == [getattr(b, key) for key in geometry]
    assert narrow.feat_dim == wide.feat_dim // 8
    assert narrow(torch.zeros(4, 10, 32, 32)).shape == (4, narrow.feat_dim, 1, 1)


def convolutions(net):
    return [m for m in net.modules() if isinstance(m, nn.Conv2d)]


def test_partial_bn_trains_the_first_norm_only():
    net = ResNetTSM(18, base_channels=4, num_segments=2, partial_bn=True)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]

    def trainable():
        return [p.requires_grad for m in norms for p in m.parameters()]

    only_first = [True, True] + [False] * (2 * len(norms) - 2)
    assert trainable() == only_first  # from the start: optimisers are built before train() is called
    assert net.train() is net
    assert trainable() == only_first
    assert [m.training for m in norms] == [True] + [False] * (len(norms) - 1)
    before = [m.running_mean.clone() for m in norms]
    net(torch.randn(2, 3, 32, 32) + 1)
    changed = [not torch.equal(m.running_mean, old) for m, old in zip(norms, before)]
    assert changed == [True] + [False] * (len(norms) - 1)
    assert net.eval() is net
    assert not any(m.training for m in norms)


def test_all_norms_are_trained_without_partial_bn():
    net = ResNetTSM(18, base_channels=4).train()
    assert all(m.training for m in net.modules())
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize('option', [dict(pretrained='x.pth'), dict(pretrained2d=True), dict(torchvision_pretrain=True)])
def test_pretrained_is_refused(option):
    with pytest.raises(ValueError, match=f'give {next(iter(option))} to the encoder'):
        ResNetTSM(18, base_channels=4, **option)


def test_init_weights_needs_no_file():
    net = ResNetTSM(18, base_channels=4)
    before = net.conv1.conv.weight.clone()
    net.init_weights()
    assert not torch.equal(net.conv1.conv.weight, before)


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        (dict(shift_place='blocks'), r"shift_place must be one of \('blockres', 'block'\), got 'blocks'"),
        (dict(shift_div=0), 'shift_div must be at least 1, got 0'),
        (dict(num_segments=0), 'must be positive'),
    ],
)
def test_shifts_that_there_are_not(option, message):
    with pytest.raises(ValueError, match=message):
        ResNetTSM(18, base_channels=4, **option)
