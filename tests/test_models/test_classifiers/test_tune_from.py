"""First weights of a branch from a trained network, of the same modality or of another (spec/mml.md 3.5)."""

import pytest
import torch

from mmmutual.registry import MODELS
from mmmutual.utils.checkpoint_names import mmaction_name

from ..classifier_parts import CLASSES, feature_branch
from ..test_encoders.test_pretrained import original_name
from ..test_encoders.test_resnet_tsm import NON_LOCAL, spread_values

SHIFT = dict(type='ResNetTSM', depth=18, base_channels=4, num_segments=4)
TSN = dict(type='mmaction.ResNet', depth=18)
# backbone -> features
NETWORKS = {
    'blockres': (SHIFT, 32),
    'block': (dict(SHIFT, shift_place='block'), 32),
    'temporal-pool': (dict(SHIFT, temporal_pool=True), 32),
    'non-local': (dict(SHIFT, depth=50, **NON_LOCAL), 128),
    'tsn': (TSN, 512),
    'mobilenet': (dict(type='MobileNetV2TSM', num_segments=4, widen_factor=0.25), 1280),
    'mobilenet of mmaction': (dict(type='mmaction.MobileNetV2TSM', num_segments=4, widen_factor=0.25), 1280),
}
STEM = 'encoder.backbone.conv1.conv.weight'


def model(name='rgb', channels=3, network='blockres', classes=CLASSES, **options):
    backbone, width = NETWORKS[network]
    if channels != 3:
        backbone = dict(backbone, in_channels=channels)
    branch = dict(
        encoder=dict(type='FrameEncoder', backbone=backbone),
        head=dict(type='LinearHead', num_classes=classes, in_channels=width),
        **options,
    )
    losses = dict(cls=dict(type='BranchCrossEntropy'))
    return MODELS.build(dict(type='MultiModalClassifier', branches={name: branch}, losses=losses))


def trained(folder, *branches, rename=lambda name: name, **options):
    """Save a model whose every value counts; returns the file and the values by names inside a branch."""
    state = {}
    for name, channels in branches or [('rgb', 3)]:
        net = model(name, channels, **options)
        spread_values(net)
        state.update(net.state_dict())
    path = str(folder / 'trained.pth')
    torch.save(dict(state_dict={rename(key): value for key, value in state.items()}, meta={}), path)
    prefix = f'branches.{(branches or [("rgb", 3)])[-1][0]}.'
    return path, {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def tuned(name, channels, checkpoint, source='rgb', network='blockres', classes=CLASSES, **options):
    """The only branch of a model, as the Runner initialises it."""
    tune_from = dict(checkpoint=checkpoint, source_modality=source, **options)
    net = model(name, channels, network, classes, tune_from=tune_from)
    parameters = list(net.parameters())  # the optimiser is built on these
    net.init_weights()
    assert all(a is b for a, b in zip(parameters, net.parameters()))
    assert all(p.is_leaf for p in parameters)
    assert all(p.requires_grad for p in parameters) or options.get('freeze_stem')
    return net.branches[name]


def assert_filled(branch, values, left_out=()):
    state = branch.state_dict()
    assert len(state) == len(values)
    for (name, value), expected in zip(state.items(), values.values()):
        if name not in left_out:
            assert torch.equal(value, expected), name


def assert_grey(kernel, source):
    for c in range(kernel.shape[1]):
        torch.testing.assert_close(kernel[:, c], source.mean(dim=1))


@pytest.mark.parametrize('network', NETWORKS)
def test_every_network(tmp_path, network):
    channels = 3 if network == 'mobilenet of mmaction' else 10  # mmaction2's takes nothing else
    path, values = trained(tmp_path, network=network)
    branch = tuned('flow', channels, path, network=network)
    assert_filled(branch, values, left_out=[STEM])
    assert_grey(branch.state_dict()[STEM], values[STEM])


@pytest.mark.parametrize(('source', 'channels'), [('rgb', 3), ('flow', 10), ('rgbdiff', 15), ('depth', 4)])
def test_the_same_modality_keeps_its_kernel(tmp_path, source, channels):
    path, values = trained(tmp_path, (source, channels))
    assert_filled(tuned(source, channels, path, source), values)


def test_another_modality_of_as_many_channels(tmp_path):
    path, values = trained(tmp_path)
    branch = tuned('depth', 3, path)
    assert_grey(branch.state_dict()[STEM], values[STEM])
    assert not torch.equal(branch.state_dict()[STEM], values[STEM])


def test_mmaction_and_original(tmp_path):
    def to_mmaction(name):
        return mmaction_name(name[len('branches.rgb.') :])

    for rename in (
        to_mmaction,
        lambda name: f'module.{original_name(to_mmaction(name))}',
        lambda name: original_name(to_mmaction(name)).replace('.net.', '.'),  # old checkpoints
    ):
        path, values = trained(tmp_path, rename=rename)
        assert_filled(tuned('rgb', 3, path), values)


@pytest.mark.parametrize(('source', 'target'), [('blockres', 'block'), ('temporal-pool', 'blockres')])
def test_wrappers_do_not_count(tmp_path, source, target):
    path, values = trained(tmp_path, network=source)
    assert_filled(tuned('rgb', 3, path, network=target), values)


def test_one_of_several_branches(tmp_path):
    path, values = trained(tmp_path, ('flow', 10), ('rgb', 3))
    assert_filled(tuned('rgb', 3, path, source_branch='rgb'), values)
    with pytest.raises(ValueError, match=r"trained.pth' holds the branches \['flow', 'rgb'\]: name one"):
        tuned('rgb', 3, path)
    with pytest.raises(ValueError, match=r"has no branch 'RGB': it holds the branches \['flow', 'rgb'\]"):
        tuned('rgb', 3, path, source_branch='RGB')


def test_head_of_other_classes(tmp_path):
    path, values = trained(tmp_path, classes=CLASSES + 2)
    with pytest.raises(ValueError, match=r"'head.fc.weight': \(5, 32\).*\(3, 32\).*set keep_head=False"):
        tuned('rgb', 3, path)
    branch = tuned('rgb', 3, path, keep_head=False)
    assert_filled(branch.encoder, {k: v for k, v in values.items() if k.startswith('encoder.')})
    assert branch.head.fc.weight.std() < 0.01  # its own first values
    assert torch.equal(branch.head.fc.bias, torch.zeros(CLASSES))


@pytest.mark.parametrize(
    ('source', 'channels', 'message'),
    [
        ('flow', 3, "first kernel has 3 channels, but source_modality='flow' has 10"),
        ('rgbdiff', 10, "first kernel has 10 channels, but source_modality='rgbdiff' has 15"),
        ('rgb', 10, "first kernel has 10 channels, but source_modality='rgb' has 3"),
    ],
)
def test_kernel_of_another_modality_than_named(tmp_path, source, channels, message):
    path, _ = trained(tmp_path, ('a', channels))
    with pytest.raises(ValueError, match=message):
        tuned('other', 3, path, source)


def test_kernel_that_cannot_be_kept(tmp_path):
    path, _ = trained(tmp_path, ('flow', 10))
    with pytest.raises(ValueError, match=r'conv1.conv.weight has shape \(4, 10, 7, 7\), the network wants \(4, 3, 7'):
        tuned('rgb', 3, path, 'rgb')


@pytest.mark.parametrize(
    ('source', 'target', 'message'),
    [
        # 8 blocks more: 2 convolutions, 8 values and 2 counters of norms each
        (SHIFT, dict(SHIFT, depth=34), r"of another network than .*, 80 missing \['encoder.backbone.layer1.2.conv1"),
        (dict(SHIFT, depth=34), SHIFT, r"0 missing \[\], 96 unexpected \['encoder.backbone.layer1.2.conv1"),
    ],
)
def test_another_network(tmp_path, monkeypatch, source, target, message):
    """Also a larger one, which would fill all of the smaller."""
    monkeypatch.setitem(NETWORKS, 'source', (source, 32))
    monkeypatch.setitem(NETWORKS, 'target', (target, 32))
    path, _ = trained(tmp_path, network='source')
    with pytest.raises(ValueError, match=message):
        tuned('rgb', 3, path, network='target')


def test_what_is_no_such_checkpoint(tmp_path):
    torch.save({'visual.proj': torch.zeros(2)}, tmp_path / 'clip.pth')
    with pytest.raises(ValueError, match=r"clip.pth' matches nothing of the branch of input 'rgb'"):
        tuned('rgb', 3, str(tmp_path / 'clip.pth'))
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        tuned('rgb', 3, str(tmp_path / 'nowhere.pth'))


@pytest.mark.parametrize('name', ['RGB', 'rbg', 'rgb_diff'])
def test_a_misspelt_modality_would_be_another(name):
    right = 'rgbdiff' if 'diff' in name else 'rgb'
    with pytest.raises(ValueError, match=f"source_modality='{name}' is not known; did you mean '{right}'"):
        model(tune_from=dict(checkpoint='x.pth', source_modality=name))


def test_stem_is_frozen_if_asked_for(tmp_path):
    path, values = trained(tmp_path)
    branch = tuned('flow', 10, path, freeze_stem=True)
    assert [name for name, p in branch.named_parameters() if not p.requires_grad] == [STEM]
    assert_grey(branch.state_dict()[STEM], values[STEM])
    assert all(p.requires_grad for p in tuned('rgb', 3, path, freeze_stem=True).parameters())  # nothing is transferred


def test_three_dimensions(tmp_path):
    def net(name, channels, **options):
        backbone = dict(
            type='mmaction.ResNet3d',
            depth=18,
            pretrained=None,
            pretrained2d=False,
            base_channels=4,
            in_channels=channels,
        )
        head = dict(type='LinearHead', num_classes=CLASSES, in_channels=32)
        branch = dict(encoder=dict(type='ClipEncoder', backbone=backbone), head=head, **options)
        losses = dict(cls=dict(type='BranchCrossEntropy'))
        return MODELS.build(dict(type='MultiModalClassifier', branches={name: branch}, losses=losses))

    source, path = net('rgb', 3), str(tmp_path / 'trained.pth')
    spread_values(source)
    torch.save(dict(state_dict=source.state_dict()), path)
    target = net('flow', 10, tune_from=dict(checkpoint=path, source_modality='rgb'))
    target.init_weights()
    values = source.branches['rgb'].state_dict()
    assert_filled(target.branches['flow'], values, left_out=(STEM,))
    kernel = target.branches['flow'].state_dict()[STEM]
    torch.testing.assert_close(kernel, values[STEM].mean(dim=1, keepdim=True).expand_as(kernel))
    pretrained = net('rgb', 3)
    pretrained.branches['rgb'].encoder.pretrained = path
    pretrained.init_weights()
    backbone = pretrained.branches['rgb'].encoder.state_dict()
    assert all(torch.equal(value, values[f'encoder.{name}']) for name, value in backbone.items())


def test_network_without_convolutions(tmp_path):
    losses = dict(cls=dict(type='BranchCrossEntropy'))

    def classifier(**options):
        branches = dict(a=feature_branch(**options))
        return MODELS.build(dict(type='MultiModalClassifier', branches=branches, losses=losses))

    source, path = classifier(), str(tmp_path / 'x.pth')
    torch.save(dict(state_dict=source.state_dict()), path)
    target = classifier(tune_from=dict(checkpoint=path, source_modality='a'))
    target.init_weights()
    assert_filled(target.branches['a'], source.branches['a'].state_dict())
    with pytest.raises(ValueError, match='no first convolution that could be transferred'):
        classifier(tune_from=dict(checkpoint=path, source_modality='b')).init_weights()
