import copy

import pytest
import torch.multiprocessing as mp

from mmmutual.datasets.unreadable import UnreadableRecord
from mmmutual.utils import UnreadableMediaError

ERROR = UnreadableMediaError('v/a.mp4', 'unreadable')


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr('mmmutual.datasets.unreadable.print_log', lambda message, **_: found.append(message))
    return found


@pytest.mark.parametrize(('num_samples', 'limit'), [(10, 100), (10_000, 100), (25_050, 250)])
def test_default_limit_is_one_percent_or_100(num_samples, limit):
    assert UnreadableRecord(num_samples).limit == limit


def test_distinct_samples_are_counted_and_named_once(messages):
    record = UnreadableRecord(10)
    for index in (3, 3, 7, 3):
        record.add(index, f'clip {index}', ERROR)
    assert record.count == 2
    assert len(messages) == 2
    assert "'clip 3' (index 3)" in messages[0]
    assert 'v/a.mp4: unreadable' in messages[0]


def test_limit(messages):
    record = UnreadableRecord(10, limit=1)
    record.add(0, 'a', UnreadableMediaError('a.mp4', 'unreadable'))
    record.add(0, 'a', UnreadableMediaError('a.mp4', 'unreadable'))
    with pytest.raises(RuntimeError, match='2 of 10 samples are unreadable, more than max_unreadable=1') as error:
        record.add(1, 'b', UnreadableMediaError('b.mp4', 'no video stream'))
    assert 'a.mp4: unreadable; b.mp4: no video stream' in str(error.value)


def test_limit_zero_stops_at_the_first(messages):
    with pytest.raises(RuntimeError, match='1 of 10'):
        UnreadableRecord(10, limit=0).add(0, 'a', ERROR)


def test_negative_limit():
    with pytest.raises(ValueError, match='max_unreadable must be an integer >= 0 or None, got -1'):
        UnreadableRecord(10, limit=-1)


def _add(record, index):
    record.add(index, str(index), ERROR)


@pytest.mark.parametrize(('method', 'indices'), [('fork', (1, 2, 1)), ('spawn', (1,))])
def test_processes_share_it(method, indices):
    record = UnreadableRecord(10, limit=3)
    context = mp.get_context(method)
    for index in indices:
        process = context.Process(target=_add, args=(record, index))
        process.start()
        process.join()
        assert process.exitcode == 0
    assert record.count == len(set(indices))


def test_copy_is_an_empty_record(messages):
    record = UnreadableRecord(10, limit=5)
    record.add(1, 'a', ERROR)
    twin = copy.deepcopy(record)
    assert (twin.count, twin.limit) == (0, 5)
    twin.add(2, 'b', ERROR)
    assert record.count == 1
