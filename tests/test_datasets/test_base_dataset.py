import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmmutual.datasets import MultiModalDataset, SampleIndex
from mmmutual.utils import UnreadableMediaError


class Numbers(MultiModalDataset):
    """Samples 0, 1, ..., of which some are unreadable."""

    input_names = ('rgb',)

    def __init__(self, length=20, unreadable=(), **kwargs):
        self.length = length
        self.broken = set(unreadable)
        super().__init__(pipeline=kwargs.pop('pipeline', [self.read]), **kwargs)

    def load_data_list(self):
        return [dict(key=f'clip {number}', gt_label=number, sources={}) for number in range(self.length)]

    def read(self, results):
        draws = np.random.rand(), random.random(), float(torch.rand(1))
        if results['gt_label'] in self.broken:
            # how far the pipeline came must not matter for the replacement
            np.random.rand(3)
            raise UnreadableMediaError(f'{results["key"]}.mp4', 'unreadable')
        return dict(key=results['key'], label=results['gt_label'], draws=draws)


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr('mmmutual.datasets.unreadable.print_log', lambda message, **_: found.append(message))
    return found


def test_plain_index_is_seed_0_of_epoch_0():
    dataset = Numbers()
    assert dataset[3] == dataset[SampleIndex(3)] == dataset[3]
    assert dataset[3]['draws'] != dataset[4]['draws']
    assert dataset[3]['draws'] != dataset[SampleIndex(3, epoch=1)]['draws']
    assert dataset[3]['draws'] != dataset[SampleIndex(3, seed=1)]['draws']


def test_two_draws_of_one_sample_in_an_epoch_differ():
    dataset = Numbers()
    assert dataset[SampleIndex(3, drawn=3)]['draws'] != dataset[SampleIndex(3, drawn=23)]['draws']


def test_the_generators_outside_are_left_alone():
    np.random.seed(3)
    expected = np.random.rand(2)
    np.random.seed(3)
    dataset = Numbers(unreadable=[0])
    first = np.random.rand()
    dataset[0]
    np.testing.assert_array_equal([first, np.random.rand()], expected)


def test_unreadable_sample_is_replaced_whole(messages):
    dataset = Numbers(unreadable=[5])
    replaced = dataset[5]
    assert replaced['label'] != 5
    assert replaced['key'] == f'clip {replaced["label"]}'
    assert dataset.unreadable.count == 1
    assert len(messages) == 1
    assert "'clip 5' (index 5)" in messages[0]


def test_replacement_depends_on_the_seeds_only(messages):
    wide = Numbers(length=1000, unreadable=range(0, 1000, 2))
    fresh = Numbers(length=1000, unreadable=range(0, 1000, 2))
    for index in range(0, 1000, 20):
        wide[index]
    assert wide[500] == fresh[500]
    labels = {wide[SampleIndex(500, epoch=epoch)]['label'] for epoch in range(5)}
    assert len(labels) > 1


def test_test_mode_replaces_too(messages):
    assert Numbers(unreadable=[5], test_mode=True)[5]['label'] != 5


def test_limit_stops_the_run(messages):
    dataset = Numbers(unreadable=[1, 2, 3], max_unreadable=2)
    dataset[1], dataset[1], dataset[2]
    with pytest.raises(RuntimeError, match='3 of 20 samples are unreadable, more than max_unreadable=2.*clip 3.mp4'):
        dataset[3]


def test_worker_processes_count_together(messages):
    dataset = Numbers(length=40, unreadable=range(0, 40, 4))
    for _ in range(2):
        list(DataLoader(dataset, batch_size=None, num_workers=2))
    assert dataset.unreadable.count == 10


def test_nothing_readable_ends(messages):
    dataset = Numbers(length=5, unreadable=range(5))
    with pytest.raises(RuntimeError, match='100 samples drawn one after the other are unreadable'):
        dataset[0]


def test_other_errors_pass():
    def fail(results):
        raise ValueError('sizes differ')

    with pytest.raises(ValueError, match='sizes differ'):
        Numbers(pipeline=[fail])[0]


def test_pipeline_that_gives_nothing():
    with pytest.raises(ValueError, match="gave None for sample 'clip 2'"):
        Numbers(pipeline=[lambda results: None])[2]


def test_index_out_of_range():
    dataset = Numbers(length=5)
    assert dataset[-1]['label'] == 4
    for index in (5, -6):
        with pytest.raises(IndexError, match=f'sample {index} of a data set of 5'):
            dataset[index]
    assert len(list(dataset)) == 5


def test_subset_has_its_own_record(messages):
    dataset = Numbers(unreadable=[1])
    dataset[1]
    subset = dataset.get_subset([0, 1, 2])
    assert len(subset) == 3
    assert subset.unreadable.count == 0


def test_lazy_init():
    dataset = Numbers(lazy_init=True)
    assert not dataset._fully_initialized
    assert dataset[2]['label'] == 2


def test_transform_of_an_unknown_type():
    with pytest.raises(KeyError, match='NoSuchTransform'):
        Numbers(pipeline=[dict(type='NoSuchTransform')])


def test_labels_outside_the_classes_are_refused():
    assert Numbers(length=3, metainfo=dict(classes=['a', 'b', 'c'])).num_classes == 3
    with pytest.raises(ValueError, match=r"'clip 3' of Numbers has gt_label 3, but there are 3 classes: .* 0 to 2"):
        Numbers(length=5, metainfo=dict(classes=['a', 'b', 'c']))


def test_data_without_classes_has_no_number_of_them():
    assert Numbers().num_classes is None
