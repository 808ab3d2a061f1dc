"""Parts of a batch."""

import pytest
import torch

from mmmutual.engine.micro_batch import batch_size, split_batch


def batch(size):
    text = dict(ids=torch.arange(size * 2).view(size, 2))
    return dict(
        inputs=dict(rgb=torch.arange(size), text=text), data_samples=list(range(size)), name='x', t=torch.ones(())
    )


@pytest.mark.parametrize(('size', 'parts', 'sizes'), [(8, 3, [2, 3, 3]), (6, 2, [3, 3]), (2, 5, [1, 1]), (5, 1, [5])])
def test_split(size, parts, sizes):
    found = split_batch(batch(size), parts)
    assert [len(part['data_samples']) for _, part in found] == sizes
    assert [share for share, _ in found] == [n / size for n in sizes]
    for key in ('rgb', 'text'):
        values = [part['inputs'][key] for _, part in found]
        joined = torch.cat([value['ids'] if key == 'text' else value for value in values])
        whole = batch(size)['inputs'][key]
        assert torch.equal(joined, whole['ids'] if key == 'text' else whole)
    assert sum((part['data_samples'] for _, part in found), []) == list(range(size))
    for _, part in found:
        assert (part['name'], part['t']) == ('x', 1)


def test_size_of_a_batch():
    assert batch_size(batch(3)) == 3
    assert batch_size(dict(inputs=dict(a=1, b=dict(c=torch.zeros(4, 2))))) == 4
    assert batch_size([1, 2]) == 2
    for nothing in (dict(a=1), dict(a=torch.ones(()))):
        with pytest.raises(ValueError, match='without tensors or lists'):
            batch_size(nothing)


def test_a_value_of_another_length_is_refused():
    data = dict(inputs=dict(rgb=torch.zeros(3)), data_samples=[1, 2])
    with pytest.raises(ValueError, match='2 samples holds a value of length 3'):
        split_batch(data, 2)
