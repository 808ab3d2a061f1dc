"""The linear head: consensus of logits, first weights, dropout."""

import pytest
import torch

from mmmutual.models.heads import LinearHead


def test_consensus_is_the_mean_of_the_segments_logits():
    head = LinearHead(3, 2, dropout_ratio=0.0)
    with torch.no_grad():
        head.fc.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        head.fc.bias.copy_(torch.tensor([0.0, 0.0, 10.0]))
    features = torch.tensor([[[1.0, 2.0], [3.0, 6.0]]])  # (B=1, T=2, D=2)
    assert head(features).tolist() == [[2.0, 4.0, 16.0]]
    assert head(features[:, 0]).tolist() == [[1.0, 2.0, 13.0]]  # (B, D)


def test_first_weights():
    head = LinearHead(100, 512)
    head.init_weights()
    assert head.fc.weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert abs(head.fc.weight.mean().item()) < 1e-4
    assert torch.count_nonzero(head.fc.bias) == 0
    head = LinearHead(100, 512, init_std=0.1)
    head.init_weights()
    assert head.fc.weight.std().item() == pytest.approx(0.1, rel=0.05)


def test_dropout_drops_single_features_in_training_only():
    torch.manual_seed(0)
    head = LinearHead(1, 1000, dropout_ratio=0.25)
    torch.nn.init.ones_(head.fc.weight)
    torch.nn.init.zeros_(head.fc.bias)
    ones = torch.ones(1, 1000)
    assert head.eval()(ones).item() == pytest.approx(1000)
    first, second = (head.train()(ones).item() * 0.75 for _ in range(2))  # what is kept is scaled by 1 / (1 - p)
    assert first != second
    assert first == pytest.approx(750, abs=60)
    assert second == pytest.approx(750, abs=60)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_classes=0, in_channels=4), 'num_classes must be at least 1, got 0'),
        (dict(num_classes=2, in_channels=4, dropout_ratio=1.0), r'dropout_ratio must be in \[0, 1\), got 1.0'),
        (dict(num_classes=2, in_channels=4, dropout_ratio=-0.1), r'dropout_ratio must be in \[0, 1\), got -0.1'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        LinearHead(**options)
