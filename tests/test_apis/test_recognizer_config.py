"""Branches of ours as Recognizer2D of mmaction2: the same numbers out of networks that are built for real."""

import pytest
import torch
from mmaction.registry import MODELS as MMACTION_MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import ConfigDict

from mmmutual.apis.recognizer_config import recognizer_config
from mmmutual.registry import MODELS
from mmmutual.utils.checkpoint_names import mmaction_name

from ..test_models.test_encoders.test_resnet_tsm import NON_LOCAL, spread_values

CLASSES = 5
NORMS = dict(
    rgb=dict(type='NormalizeFrames', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    flow=dict(type='mmmutual.NormalizeFrames', mean=127.5, std=57.63),
    rgbdiff=dict(type='FrameDifference', mean=[3.0, 2.0, 1.0], std=[255.0, 250.0, 245.0]),
)
CHANNELS = dict(rgb=3, flow=10, rgbdiff=15)
TSM = dict(type='ResNetTSM', depth=18, num_segments=4)


def model_config(backbone, width, name='rgb', **head):
    branch = dict(
        encoder=dict(type='FrameEncoder', backbone=dict(backbone)),
        head=dict(type='LinearHead', in_channels=width, num_classes=CLASSES, **head),
    )
    if name != 'rgb':
        branch['encoder']['backbone']['in_channels'] = CHANNELS[name]
    return ConfigDict(
        type='MultiModalClassifier',
        branches={f'{name}_0': dict(branch, input=name)},
        losses=dict(cls=dict(type='BranchCrossEntropy')),
        data_preprocessor=dict(type='MultiModalDataPreprocessor', inputs=NORMS),
    )


def recognizer(cfg, name, width):
    cfg = recognizer_config(cfg, f'{name}_0', CLASSES, width)
    return MMACTION_MODELS.build(dict(cfg, _scope_='mmaction')).eval()


@pytest.mark.parametrize(
    ('name', 'backbone', 'width', 'backbone_type'),
    [
        ('rgb', TSM, 512, 'ResNetTSM'),
        ('flow', dict(TSM, depth=50), 2048, 'ResNetTSM'),
        ('rgbdiff', dict(TSM, shift_place='block', shift_div=4), 512, 'ResNetTSM'),
        ('rgb', dict(TSM, temporal_pool=True), 512, 'ResNetTSM'),
        ('rgb', dict(TSM, temporal_pool=True, is_shift=False), 512, 'ResNetTSM'),
        ('rgb', dict(TSM, depth=50, **NON_LOCAL), 2048, 'ResNetTSM'),
        ('flow', dict(type='mmaction.ResNet', depth=18), 512, 'ResNet'),
        ('rgb', dict(type='MobileNetV2TSM', num_segments=4, in_channels=3), 1280, 'MobileNetV2TSM'),
        ('rgb', dict(type='mmaction.MobileNetV2', widen_factor=0.5), 1280, 'MobileNetV2'),
    ],
    ids=['r18', 'r50', 'block', 'pool', 'pool-only', 'non-local', 'tsn', 'mobilenet', 'mobilenet-tsn'],
)
def test_same_logits(name, backbone, width, backbone_type):
    cfg = model_config(backbone, width, name)
    ours = MODELS.build(cfg).eval()
    spread_values(ours)
    branch = ours.branches[f'{name}_0']
    theirs = recognizer(cfg, name, width)
    theirs.load_state_dict({mmaction_name(key): value for key, value in branch.state_dict().items()})
    assert type(theirs.backbone).__module__.startswith('mmaction.')
    assert type(theirs.backbone).__name__ == backbone_type
    stored = 18 if name == 'rgbdiff' else CHANNELS[name]
    clips = torch.randint(0, 256, (2, 4, stored, 48, 48), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    with torch.no_grad():
        logits = branch(ours.data_preprocessor(dict(inputs={name: clips}))['inputs'][name])[1]
        scores = scores_of(theirs, clips if stored == CHANNELS[name] else differences(clips))
    assert logits.std() > 0.05
    # a TSN's head averages features, and ours logits: equal up to rounding; of TSM nothing differs
    torch.testing.assert_close(scores, logits, rtol=1e-6, atol=1e-6 * logits.abs().max().item())


def differences(clips):
    """What mmaction2's pipeline has to give: differences of stored frames, of 3 channels each."""
    clips = clips.to(torch.float32)
    return clips[:, :, 3:] - clips[:, :, :-3]


def scores_of(model, clips):
    data = dict(inputs=list(clips), data_samples=[ActionDataSample() for _ in clips])
    samples = model(**model.data_preprocessor(data), mode='predict')
    return torch.stack([sample.pred_scores.item for sample in samples])


def test_views_are_averaged_as_logits():
    cfg = model_config(TSM, 512)
    ours, theirs = MODELS.build(cfg).eval(), recognizer(cfg, 'rgb', 512)
    spread_values(ours)
    branch = ours.branches['rgb_0']
    theirs.load_state_dict({mmaction_name(key): value for key, value in branch.state_dict().items()})
    views = torch.randint(0, 256, (2, 3, 4, 3, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    with torch.no_grad():
        logits = branch(ours.data_preprocessor(dict(inputs=dict(rgb=views)))['inputs']['rgb'])[1]
        scores = scores_of(theirs, views.flatten(1, 2))
    torch.testing.assert_close(scores, logits, rtol=1e-5, atol=1e-5)


def test_head_and_normalisation():
    cfg = model_config(dict(TSM, in_channels=10), 512, 'flow', dropout_ratio=0.3, init_std=0.02)
    made = recognizer_config(cfg, 'flow_0', CLASSES, 512)
    assert made.cls_head == dict(
        type='TSMHead', num_classes=5, in_channels=512, num_segments=4, dropout_ratio=0.3, init_std=0.02,
        temporal_pool=False, average_clips='score',
    )  # fmt: skip
    assert made.data_preprocessor.mean == [127.5] * 10
    assert made.data_preprocessor.std == [57.63] * 10
    cfg.data_preprocessor = None
    assert recognizer_config(cfg, 'flow_0', CLASSES, 512).data_preprocessor == dict(
        type='ActionDataPreprocessor', format_shape='NCHW'
    )


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(backbone=dict(base_channels=16)), 'base_channels=16: mmaction2 has no narrow ResNet'),
        (dict(backbone=dict(type='mmaction.ResNet3d')), "backbone 'mmaction.ResNet3d' is not one of mmaction2"),
        (
            dict(backbone=dict(type='MobileNetV2TSM', in_channels=10)),
            "in_channels=10: mmaction2's MobileNetV2TSM takes",
        ),
        (dict(head=None), 'branches.rgb_0.head.type=None has no counterpart'),
        (
            dict(head=dict(type='Other')),
            "branches.rgb_0.head.type='Other' has no counterpart in mmaction2; 'LinearHead'",
        ),
        (dict(encoder=dict(type='Audio')), "branches.rgb_0.encoder.type='Audio' has no counterpart"),
    ],
)
def test_what_mmaction_has_not(change, message):
    cfg = model_config(TSM, 512)
    branch = cfg.branches['rgb_0']
    branch.encoder.backbone.update(change.pop('backbone', {}))
    branch.update(change)
    with pytest.raises(ValueError, match=message):
        recognizer_config(cfg, 'rgb_0', CLASSES, 512)


def test_branch_that_there_is_not():
    with pytest.raises(ValueError, match=r"no branch 'rgb': it has \['rgb_0'\]"):
        recognizer_config(model_config(TSM, 512), 'rgb', CLASSES, 512)
