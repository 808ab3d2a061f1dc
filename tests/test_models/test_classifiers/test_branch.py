"""A branch, and the mean over views."""

import torch
from torch import nn

from mmmutual.models import Branch

from ..classifier_parts import CLASSES, WIDTH, feature_branch


def test_features_and_logits():
    branch = Branch(**feature_branch(input='a')).eval()
    x = torch.randn(2, WIDTH)
    features, logits = branch(x)
    torch.testing.assert_close(features, torch.tanh(branch.encoder.fc(x)))
    torch.testing.assert_close(logits, branch.head.fc(features))
    assert branch.input_name == 'a'
    assert branch.has_head


def test_views_are_averaged_after_the_head():
    branch = Branch(**feature_branch(input='a')).eval()
    x = torch.randn(2, 3, WIDTH)  # B = 2 samples of V = 3 views
    features, logits = branch(x)
    assert logits.shape == (2, CLASSES)
    single = [[branch(view[None]) for view in sample] for sample in x]
    for b in range(2):
        torch.testing.assert_close(features[b], torch.cat([f for f, _ in single[b]]).mean(dim=0))
        torch.testing.assert_close(logits[b], torch.cat([z for _, z in single[b]]).mean(dim=0))


def test_views_of_clips():
    """Features (B, T, D) are averaged over views, not over segments."""
    backbone = dict(type='ResNetTSM', depth=18, base_channels=4, num_segments=2)
    head = dict(type='LinearHead', num_classes=CLASSES, in_channels=32)
    branch = Branch(dict(type='FrameEncoder', backbone=backbone), 'rgb', head).eval()
    x = torch.randn(2, 3, 2, 3, 32, 32)
    features, logits = branch(x)
    assert features.shape == (2, 2, 32)
    expected = branch(x[1])
    torch.testing.assert_close(features[1], expected[0].mean(dim=0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits[1], expected[1].mean(dim=0), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(branch(x[:, :1])[1], branch(x[:, 0])[1])


def test_shared_head():
    branch = Branch(**feature_branch(None, input='a'))
    shared = nn.Linear(5, 2)
    features, logits = branch(torch.randn(2, WIDTH), shared)
    torch.testing.assert_close(logits, shared(features))
    assert not branch.has_head
    assert all(p.shape[0] == 5 for p in branch.parameters())  # the shared head's are not among the branch's


def test_own_head_goes_before_the_shared_one():
    branch = Branch(**feature_branch(input='a')).eval()
    x = torch.randn(2, WIDTH)
    assert torch.equal(branch(x, nn.Linear(5, 2))[1], branch(x)[1])
