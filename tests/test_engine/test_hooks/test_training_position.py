"""An iteration count in another batch size or number of processes."""

from unittest.mock import patch

import pytest
from torch.utils.data import DataLoader

from mmmutual.datasets.samplers import ResumableSampler
from mmmutual.engine.hooks import training_position
from mmmutual.engine.hooks.training_position import describe_loader, fit_position


def loader(samples, batch):
    data = range(samples)
    return DataLoader(data, batch_size=batch, sampler=ResumableSampler(data, seed=9))


def saved(samples, batch, world=1):
    with patch.object(training_position, 'get_world_size', lambda: world):
        return describe_loader(loader(samples // world, batch))


def test_describe():
    assert saved(24, 4, world=2) == dict(batches=3, samples_per_batch=8, sampler_seed=9)


@pytest.mark.parametrize(
    ('epoch', 'iteration', 'before', 'now', 'expected'),
    [
        (2, 7, (24, 8), (24, 8), 7),  # unchanged
        (2, 6, (24, 8), (24, 4), 12),  # between epochs
        (1, 4, (24, 8), (24, 4), 8),  # one batch of 8 is two of 4
        (1, 8, (24, 4), (24, 8), 4),
        (1, 9, (24, 4), (24, 8), 4),  # one and a half: the half is seen again
        (1, 6, (22, 8), (22, 4), 12),  # after the last batch, which was smaller
        (0, 2, (24, 8), (24, 6), 2),  # 16 samples are two batches of 6, and four samples are seen again
        (2, 12, (24, 4), (24, 8), 6),
        # two processes with half the batch each, and one
        (1, 4, (24, 4, 2), (24, 8), 4),
        (1, 4, (24, 4, 2), (24, 4), 8),
        (1, 3, (24, 4, 2), (24, 4), 6),
    ],
)
def test_fit(epoch, iteration, before, now, expected):
    meta = dict(epoch=epoch, iter=iteration)
    words = fit_position(meta, saved(*before), loader(*now))
    assert meta == dict(epoch=epoch, iter=expected)
    assert (words is None) == (iteration == expected)
    if words:
        assert f'iteration {iteration} becomes {expected}' in words
    assert 0 <= meta['iter'] - epoch * len(loader(*now)) <= len(loader(*now))


def test_a_checkpoint_that_does_not_tell_goes_on_at_the_start_of_an_epoch():
    meta = dict(epoch=2, iter=7)
    assert 'start of an epoch; iteration 7 becomes 6' in fit_position(meta, None, loader(24, 8))
    assert fit_position(meta, None, loader(24, 8)) is None
