import copy
import pickle

import pytest
from mmengine.dataset import BaseDataset, ConcatDataset, DefaultSampler, RepeatDataset
from torch.utils.data import DataLoader

from mmmutual.datasets import ResumableSampler, SampleIndex
from mmmutual.registry import DATA_SAMPLERS


class Echo(BaseDataset):
    """Gives back the index that it is asked for, as it arrives in a worker process."""

    _metainfo: dict = dict()

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def full_init(self):
        pass

    def __getitem__(self, idx):
        return int(idx), idx.seed, idx.epoch, idx.drawn


def test_index_survives_pickling_and_copying():
    index = SampleIndex(5, seed=3, epoch=2, drawn=9)
    for twin in (pickle.loads(pickle.dumps(index)), copy.deepcopy(index)):
        assert (twin, twin.seed, twin.epoch, twin.drawn) == (5, 3, 2, 9)
    assert [10, 11, 12, 13, 14, 15][index] == 15


def test_index_reaches_worker_processes():
    sampler = ResumableSampler(Echo(4), shuffle=False, seed=7)
    sampler.set_epoch(2)
    loader = DataLoader(Echo(4), batch_size=2, sampler=sampler, num_workers=1, collate_fn=list)
    assert [item for batch in loader for item in batch] == [(i, 7, 2, i) for i in range(4)]


def test_seeds_survive_wrapper_data_sets():
    concat = ConcatDataset([Echo(3), Echo(3)])
    assert concat[SampleIndex(4, seed=7, epoch=2)] == (1, 7, 2, 4)
    assert concat[SampleIndex(1, seed=7, epoch=2)] == (1, 7, 2, 1)
    repeat = RepeatDataset(Echo(3), times=2)
    assert repeat[SampleIndex(4, seed=7, epoch=2)] == (1, 7, 2, 4)


@pytest.mark.parametrize('options', [dict(shuffle=True), dict(shuffle=False), dict(shuffle=True, round_up=False)])
@pytest.mark.parametrize(('rank', 'world_size'), [(0, 1), (1, 3)])
def test_order_is_that_of_the_default_sampler(options, rank, world_size, monkeypatch):
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, world_size))
    ours, stock = ResumableSampler(Echo(10), seed=1, **options), DefaultSampler(Echo(10), seed=1, **options)
    for epoch in range(2):
        ours.set_epoch(epoch), stock.set_epoch(epoch)
        indices = list(ours)
        assert indices == list(stock)
        assert {(index.seed, index.epoch) for index in indices} == {(1, epoch)}


def test_skip_drops_the_front_of_one_epoch_only():
    sampler = ResumableSampler(Echo(10), seed=1)
    whole = list(sampler)
    sampler.skip(4)
    assert list(sampler) == whole[4:]
    assert list(sampler) == whole
    assert len(sampler) == 10


def test_the_epoch_is_that_of_its_beginning():
    sampler = ResumableSampler(Echo(3), seed=1)
    iterator = iter(sampler)
    sampler.set_epoch(5)
    assert {index.epoch for index in iterator} == {0}


@pytest.mark.parametrize('number', [-1, 11])
def test_impossible_skip_is_refused(number):
    with pytest.raises(ValueError, match=rf'\[0, 10\].*got {number}'):
        ResumableSampler(Echo(10), seed=1).skip(number)


def test_registered():
    assert DATA_SAMPLERS.get('ResumableSampler') is ResumableSampler
