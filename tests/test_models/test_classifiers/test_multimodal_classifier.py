"""The classifier: how branches, losses, heads and fusion are put together, and what it refuses."""

import pytest
import torch
from torch import nn

from mmmutual.registry import MODELS
from mmmutual.structures import MultiModalDataSample

from ..classifier_parts import CLASSES, WIDTH, clip_batch, clip_classifier, feature_branch, feature_classifier, samples


def batch(*names, size=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(size, WIDTH, generator=generator) for name in names}


@MODELS.register_module()
class FeatureDistance(nn.Module):
    """A user's loss: asks for features and the fused logits, and returns a scalar."""

    batch_mean = True

    def forward(self, features, fused_logits):
        a, b = features.values()
        return (a - b).pow(2).mean() + fused_logits.pow(2).mean()


@MODELS.register_module()
class RankLoss(nn.Module):
    """A loss that is no mean over samples, and doesn't say that it were."""

    def forward(self, logits, labels):
        return {name: z.max() for name, z in logits.items()}


@MODELS.register_module()
class ForeignLoss(nn.CrossEntropyLoss):
    """Asks for ``input`` and ``target``."""


@MODELS.register_module()
class SumFeatures(nn.Module):
    """A fusion that reads features."""

    def forward(self, features):
        return sum(features.values())[:, :CLASSES]


@MODELS.register_module()
class PlainHead(nn.Linear):
    """A head that doesn't tell its number of classes."""


def test_loss_terms_by_branch():
    model = feature_classifier(('rgb', 'flow', 'audio'))
    inputs, labels = batch('rgb', 'flow', 'audio'), samples([0, 2])
    update = model.joint_update(inputs, labels)
    branches = ('rgb', 'flow', 'audio')
    names = [f'{b}.loss_cls' for b in branches] + [f'{b}.loss_mutual' for b in branches]
    assert list(update.losses) == names + [f'{b}.top1' for b in (*branches, 'ensemble')]
    _, logits = model.run_branches(inputs)
    y = torch.tensor([0, 2])
    cls, mutual = model.losses['cls'](logits, y), model.losses['mutual'](logits)
    for name, z in logits.items():
        assert torch.equal(update.losses[f'{name}.loss_cls'], cls[name])
        assert torch.equal(update.losses[f'{name}.loss_mutual'], mutual[name])
        assert update.losses[f'{name}.top1'] == (z.argmax(1) == y).float().mean()
        assert torch.equal(update.outputs[f'logits.{name}'], z)
    mean = sum(logits.values()) / 3
    assert update.losses['ensemble.top1'] == (mean.argmax(1) == y).float().mean()
    assert torch.equal(update.outputs['labels'], y)
    assert update.batch_mean
    loss, logs = model.parse_losses(update.losses)
    torch.testing.assert_close(loss, sum(cls.values()) + sum(mutual.values()))
    torch.testing.assert_close(logs['loss'], loss)


def test_one_branch_has_no_mutual_loss():
    model = feature_classifier(('rgb',))
    losses = model(batch('rgb'), samples([0, 1]), mode='loss')
    assert list(losses) == ['rgb.loss_cls', 'rgb.top1', 'ensemble.top1']


def test_two_branches_read_one_input():
    model = feature_classifier((), branches={f'rgb_{i}': feature_branch(input='rgb') for i in range(2)})
    assert model.input_names == ['rgb']
    inputs = batch('rgb')
    out = model(inputs)
    for name, branch in model.branches.items():
        assert torch.equal(out[name], branch(inputs['rgb'])[1])
    assert not torch.equal(out['rgb_0'], out['rgb_1'])


def test_shared_head():
    branches = dict(a=feature_branch(None), b=feature_branch(None))
    head = dict(type='LinearHead', num_classes=CLASSES, in_channels=5, dropout_ratio=0.0)
    model = feature_classifier((), branches=branches, head=head)
    inputs = batch('a', 'b')
    features, logits = model.run_branches(inputs)
    for name in 'ab':
        torch.testing.assert_close(logits[name], model.head(features[name]))
    assert model.num_classes == CLASSES
    assert list(model.parameter_branches()) == ['a', 'b']
    of_branches = {id(p) for branch in model.parameter_branches().values() for p in branch.parameters()}
    assert not of_branches & {id(p) for p in model.head.parameters()}


def test_own_heads_beside_a_shared_one():
    head = dict(type='LinearHead', num_classes=CLASSES, in_channels=5)
    model = feature_classifier((), branches=dict(a=feature_branch(), b=feature_branch(None)), head=head).eval()
    inputs = batch('a', 'b')
    features, logits = model.run_branches(inputs)
    torch.testing.assert_close(logits['a'], model.branches['a'].head(features['a']))
    torch.testing.assert_close(logits['b'], model.head(features['b']))


def test_a_users_loss_gets_what_it_names():
    model = feature_classifier(('a', 'b'), losses=dict(near=dict(type='FeatureDistance')))
    inputs = batch('a', 'b')
    losses = model(inputs, samples([0, 1]), mode='loss')
    features, logits = model.run_branches(inputs)
    fused = (logits['a'] + logits['b']) / 2
    expected = (features['a'] - features['b']).pow(2).mean() + fused.pow(2).mean()
    torch.testing.assert_close(losses['loss_near'], expected)
    losses['loss_near'].backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_loss_that_is_no_mean_over_samples_is_not_split():
    losses = dict(cls=dict(type='BranchCrossEntropy'), rank=dict(type='RankLoss'))
    assert not feature_classifier(('a',), losses=losses).joint_update(batch('a'), samples([0, 1])).batch_mean


def test_fusion_gets_what_it_names():
    model = feature_classifier(('a', 'b'), fusion=dict(type='SumFeatures'))
    inputs = batch('a', 'b')
    features, _ = model.run_branches(inputs)
    torch.testing.assert_close(model(inputs)['ensemble'], (features['a'] + features['b'])[:, :CLASSES])


def test_fusion_of_named_coefficients():
    model = feature_classifier(('a', 'b'), fusion=dict(type='MeanLogits', coefficients=dict(a=3.0)))
    out = model(batch('a', 'b'))
    torch.testing.assert_close(out['ensemble'], (3 * out['a'] + out['b']) / 2)


def test_named_branches_only():
    model = feature_classifier(('a', 'b'))
    features, logits = model.run_branches(batch('b'), ['b'])
    assert list(features) == list(logits) == ['b']


def test_predict_fills_samples():
    model = feature_classifier(('a', 'b')).eval()
    inputs = batch('a', 'b')
    given = samples([0, 1], key='clip')
    out = model(inputs, given, mode='predict')
    logits = model(inputs)
    assert [a is b for a, b in zip(out, given)] == [True, True]
    for i, sample in enumerate(out):
        assert list(sample.logits) == ['a', 'b']
        assert torch.equal(sample.logits['b'], logits['b'][i])
        assert torch.equal(sample.fused_logits, logits['ensemble'][i])
        assert sample.pred_label.tolist() == [int(logits['ensemble'][i].argmax())]
        assert sample.gt_label.tolist() == [i]


def test_predict_without_samples():
    out = feature_classifier(('a',))(batch('a'), mode='predict')
    assert len(out) == 2
    assert all(isinstance(sample, MultiModalDataSample) for sample in out)


def test_forward_modes():
    model = feature_classifier(('a', 'b')).eval()
    inputs, labels = batch('a', 'b'), samples([0, 1])
    assert set(model(inputs, labels)) == {'a', 'b', 'ensemble'}
    update = model(inputs, labels, mode='update')
    assert torch.equal(update.losses['a.loss_cls'], model(inputs, labels, mode='loss')['a.loss_cls'])
    with pytest.raises(ValueError, match=r"mode must be one of \('tensor', 'loss', 'predict', 'update'\), got 'val'"):
        model(inputs, labels, mode='val')


def test_stored_clips_go_through_the_data_preprocessor():
    names = ('rgb', 'flow', 'rgbdiff')
    model = clip_classifier(names).eval()
    inputs, labels = clip_batch(names, 2, seed=0)
    out = model.test_step(dict(inputs=inputs, data_samples=samples(labels)))
    prepared = model.data_preprocessor(dict(inputs=inputs))['inputs']
    assert {name: x.shape[2] for name, x in prepared.items()} == dict(rgb=3, flow=10, rgbdiff=15)
    torch.testing.assert_close(out[1].logits['rgbdiff'], model(prepared)['rgbdiff'][1])


def test_half_precision_forward():
    model = clip_classifier(('rgb', 'flow'))
    inputs, labels = clip_batch(('rgb', 'flow'), 2, seed=0)
    data = model.data_preprocessor(dict(inputs=inputs, data_samples=samples(labels)))
    exact = model.eval()(**data, mode='loss')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        rounded = model(**data, mode='loss')
    for name, loss in rounded.items():
        if 'loss' in name:
            assert loss.dtype == torch.float32
            assert loss.item() == pytest.approx(exact[name].item(), rel=0.05, abs=0.01)


def head_of(classes):
    return dict(type='LinearHead', num_classes=classes, in_channels=5)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(branches={}), 'branches is empty'),
        (dict(branches=dict(ensemble=feature_branch())), "a branch cannot be called 'ensemble'"),
        (dict(branches=dict(shared=feature_branch())), "a branch cannot be called 'shared'"),
        (dict(branches=dict(glossy=feature_branch())), r"must not hold 'loss'.*\['glossy'\]"),
        (dict(branches=dict(a=feature_branch(), b=feature_branch(None))), r"branches \['b'\] have no head"),
        (dict(branches=dict(a=feature_branch()), head=head_of(3)), 'the shared head would be unused'),
        (
            dict(branches=dict(a=feature_branch(3), b=feature_branch(4))),
            r"heads differ in num_classes: \{'a': 3, 'b': 4\}",
        ),
        (
            dict(branches=dict(a=feature_branch(3), b=feature_branch(None)), head=head_of(5)),
            r"heads differ in num_classes: \{'a': 3, 'shared': 5\}",
        ),
        (dict(losses=dict(cls=dict(type='ForeignLoss'))), r'losses.cls: forward\(\) of ForeignLoss asks for'),
        (dict(fusion=dict(type='BranchCrossEntropy')), r'fusion: forward\(\) of BranchCrossEntropy asks for'),
    ],
)
def test_wrong_configs(options, message):
    cfg = dict(
        type='MultiModalClassifier',
        branches=dict(a=feature_branch()),
        losses=dict(cls=dict(type='BranchCrossEntropy')),
    )
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(cfg, **options))


def test_heads_that_do_not_tell_their_classes():
    silent = dict(feature_branch(None), head=dict(type='PlainHead', in_features=5, out_features=CLASSES))
    assert feature_classifier((), branches=dict(a=silent)).num_classes is None
    assert feature_classifier((), branches=dict(a=silent, b=feature_branch())).num_classes == CLASSES


def test_number_of_classes_of_all_heads():
    open_head = dict(type='LinearHead', in_channels=5)
    branches = dict(a=dict(feature_branch(None), head=open_head), b=feature_branch(None))
    model = feature_classifier((), branches=branches, head=open_head, num_classes=7)
    assert {name: z.shape for name, z in model(batch('a', 'b')).items()} == dict.fromkeys(
        ('a', 'b', 'ensemble'), (2, 7)
    )
    assert model.num_classes == 7
    assert feature_classifier((), branches=dict(a=feature_branch(4)), num_classes=7).num_classes == 4
    with pytest.raises(ValueError, match=r"heads differ in num_classes: \{'a': 7, 'b': 3\}"):
        feature_classifier((), branches=dict(a=branches['a'], b=feature_branch(3)), num_classes=7)
    assert open_head == dict(type='LinearHead', in_channels=5)  # the config is not written to


def test_unknown_option_of_a_branch():
    with pytest.raises(TypeError, match="unexpected keyword argument 'heads'"):
        feature_classifier((), branches=dict(a=feature_branch(heads=dict())))


def test_input_that_is_not_in_the_batch():
    with pytest.raises(ValueError, match=r"branch 'flow' reads the input 'flow', but the batch has \['rgb'\]"):
        feature_classifier(('rgb', 'flow'))(batch('rgb'))


@pytest.mark.parametrize('mode', ['loss', 'predict'])
def test_sample_with_a_missing_modality(mode):
    model = feature_classifier(('rgb', 'flow'))
    given = samples([0, 1], key='clip7', available=('rgb', 'audio'))
    with pytest.raises(ValueError, match=r"sample 'clip7' has no \['flow'\], and MultiModalClassifier needs every"):
        model(batch('rgb', 'flow'), given, mode=mode)


def test_samples_with_more_than_is_read():
    model = feature_classifier(('rgb',))
    assert model(batch('rgb'), samples([0, 1], available=('rgb', 'flow')), mode='loss')


def test_sample_without_label():
    with pytest.raises(ValueError, match="sample 'x' has no gt_label, which training needs"):
        feature_classifier(('rgb',))(batch('rgb', size=1), [MultiModalDataSample(metainfo=dict(key='x'))], mode='loss')


def narrow_clip_classifier(in_channels=3, num_segments=4, head_channels=32):
    backbone = dict(
        type='ResNetTSM', depth=18, base_channels=4, in_channels=in_channels, num_segments=num_segments, shift_div=4
    )
    head = dict(type='LinearHead', num_classes=CLASSES, in_channels=head_channels)
    branch = dict(input='clip', encoder=dict(type='FrameEncoder', backbone=backbone), head=head)
    return MODELS.build(
        dict(type='MultiModalClassifier', branches=dict(a=branch), losses=dict(cls=dict(type='BranchCrossEntropy')))
    )


def test_a_head_must_take_what_the_encoder_gives():
    with pytest.raises(ValueError, match="branch 'a': the encoder gives 32 channels, but head.in_channels=64"):
        narrow_clip_classifier(head_channels=64)


@pytest.mark.parametrize('views', [(), (3,)], ids=['one view', 'three views'])
def test_inputs_that_an_encoder_cannot_take_are_told(views):
    clips = torch.zeros(1, *views, 4, 3, 16, 16)
    narrow_clip_classifier().check_inputs(dict(clip=clips, other=torch.zeros(1)))
    with pytest.raises(ValueError, match="branch 'a', input 'clip': clips have C=3 channels, .* takes 10"):
        narrow_clip_classifier(in_channels=10).check_inputs(dict(clip=clips))
    with pytest.raises(ValueError, match="branch 'a', input 'clip': clips have T=4 segments, .* num_segments=8"):
        narrow_clip_classifier(num_segments=8).check_inputs(dict(clip=clips))
