"""3-D backbones of mmaction2, and what they may give."""

import pytest
import torch
from torch import nn

from mmmutual.models.encoders import ClipEncoder
from mmmutual.registry import MODELS

NARROW = dict(depth=18, pretrained=None, pretrained2d=False, base_channels=4)
PATHWAY = dict(type='resnet3d', depth=18, pretrained=None, conv1_stride_t=1, pool1_stride_t=1)
BACKBONES = {
    'resnet3d': (dict(type='mmaction.ResNet3d', **NARROW), 32),
    'flow': (dict(type='mmaction.ResNet3d', in_channels=10, **NARROW), 32),
    'slowfast': (
        dict(
            type='mmaction.ResNet3dSlowFast',
            pretrained=None,
            resample_rate=4,
            speed_ratio=4,
            channel_ratio=4,
            slow_pathway=dict(PATHWAY, lateral=True, base_channels=8, conv1_kernel=(1, 7, 7), fusion_kernel=5),
            fast_pathway=dict(PATHWAY, lateral=False, base_channels=2, conv1_kernel=(5, 7, 7)),
        ),
        64 + 16,
    ),
    'x3d': (dict(type='mmaction.X3D', gamma_w=1, gamma_b=2.25, gamma_d=1), 432),
    'mvit': (
        dict(
            type='mmaction.MViT',
            arch=dict(embed_dims=16, num_layers=2, num_heads=1, downscale_indices=[]),
            spatial_size=32,
            temporal_size=16,
        ),
        16,
    ),
    'timesformer': (
        dict(
            type='mmaction.TimeSformer',
            num_frames=16,
            img_size=32,
            patch_size=16,
            embed_dims=32,
            num_heads=4,
            num_transformer_layers=1,
        ),
        32,
    ),
}


@pytest.mark.parametrize('name', BACKBONES)
def test_backbones_of_mmaction(name):
    backbone, width = BACKBONES[name]
    branch = dict(
        input='rgb',
        encoder=dict(type='ClipEncoder', backbone=backbone),
        head=dict(type='LinearHead', num_classes=5, in_channels=width),
    )
    model = MODELS.build(
        dict(type='MultiModalClassifier', branches=dict(rgb=branch), losses=dict(cls=dict(type='BranchCrossEntropy')))
    )
    clips = torch.randn(2, 16, backbone.get('in_channels', 3), 32, 32)
    model.check_inputs(dict(rgb=clips))
    features, logits = model.train().run_branches(dict(rgb=clips))
    assert features['rgb'].shape == (2, width)
    logits['rgb'].sum().backward()
    assert all(p.grad is not None for p in model.branches['rgb'].head.parameters())


class Gives(nn.Module):
    """A backbone that gives what it was given."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, clips):
        return self.output


MAP, TOKEN = torch.arange(2.0 * 3 * 8).view(2, 3, 2, 2, 2), torch.tensor([[1.0], [2.0]])
MEANS = [[3.5, 11.5, 19.5], [27.5, 35.5, 43.5]]  # of 0 to 7, of 8 to 15, ...


@pytest.mark.parametrize(
    ('output', 'expected'),
    [
        (MAP, MEANS),
        (TOKEN, [[1.0], [2.0]]),
        ((MAP, MAP[:, :1]), [[*MEANS[0], 3.5], [*MEANS[1], 27.5]]),
        ([[MAP, TOKEN]], [[1.0], [2.0]]),
    ],
)
def test_pooling(output, expected):
    encoder = ClipEncoder(dict(type=Gives, output=output))
    assert encoder(torch.zeros(2, 4, 3, 8, 8)).tolist() == expected


@pytest.mark.parametrize('output', [MAP[0], {'a': MAP}, []])
def test_other_outputs_are_refused(output):
    with pytest.raises(TypeError, match='ClipEncoder knows backbones that give'):
        ClipEncoder(dict(type=Gives, output=output))(torch.zeros(2, 4, 3, 8, 8))


def test_wrong_channels_are_told_before_training():
    encoder = ClipEncoder(BACKBONES['resnet3d'][0])
    with pytest.raises(ValueError, match='clips have C=10 channels, but the backbone takes 3'):
        encoder.check_input(torch.zeros(1, 8, 10, 32, 32))


def test_time_is_the_axis_after_channels():
    seen = []
    encoder = ClipEncoder(dict(type=Gives, output=TOKEN))
    encoder.backbone.register_forward_pre_hook(lambda module, args: seen.append(args[0].shape))
    encoder(torch.zeros(2, 4, 3, 8, 6))
    assert seen == [(2, 3, 4, 8, 6)]
