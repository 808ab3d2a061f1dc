"""Files of scores."""

import numpy as np
import pytest
import torch

from mmmutual.evaluation import Scores, join_scores, load_scores, save_scores

KEYS = ['a', 'vidéo 2', 'c']


def scores(**other):
    generator = torch.Generator().manual_seed(0)
    branches = {name: torch.randn(3, 4, generator=generator) for name in ('rgb', 'flow')}
    given = dict(
        keys=KEYS,
        labels=torch.tensor([3, 0, 1]),
        branches=branches,
        fused=branches['rgb'] + branches['flow'],
        classes=['up', 'down', 'left', 'right'],
    )
    return Scores(**{**given, **other})


def test_round_trip_without_pickle(tmp_path):
    file = tmp_path / 'new' / 'scores.npz'
    saved = scores()
    save_scores(file, saved)
    assert sorted(path.name for path in file.parent.iterdir()) == ['scores.npz']
    read = load_scores(file)
    assert (read.keys, read.classes, list(read.branches)) == (KEYS, saved.classes, ['rgb', 'flow'])
    assert torch.equal(read.labels, saved.labels)
    assert torch.equal(read.fused, saved.fused)
    assert all(torch.equal(read.branches[name], saved.branches[name]) for name in ('rgb', 'flow'))
    with np.load(file, allow_pickle=False) as data:
        assert data['logits'].shape == (2, 3, 4)
        assert not any(data[name].dtype.hasobject for name in data.files)


def edited(folder, **arrays):
    save_scores(folder / 'whole.npz', scores())
    with np.load(folder / 'whole.npz') as data:
        np.savez(folder / 'edited.npz', **{**data, **arrays})
    return folder / 'edited.npz'


@pytest.mark.parametrize(
    ('arrays', 'message'),
    [
        (dict(labels=np.zeros(2, int)), r"labels must have kind 'i', shape \(3,\); got int64, \(2,\)"),
        (dict(fused=np.zeros((3, 5), 'f')), r'fused must have .* got float32, \(3, 5\)'),
        (dict(logits=np.zeros((2, 3, 4), int)), r"logits must have kind 'f'"),
        (dict(keys=np.array(['a', 'b', 'a'])), r"1 keys name several samples, which cannot be joined: \['a'\]"),
        (dict(keys=np.array(['a', None, 'b'], dtype=object)), 'not a readable .npz file of plain arrays: ValueError'),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        load_scores(edited(tmp_path, **arrays))


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='file of scores .*none.npz does not exist'):
        load_scores(tmp_path / 'none.npz')
    np.savez(tmp_path / 'other.npz', keys=np.array(KEYS))
    with pytest.raises(ValueError, match='other.npz is not a file of scores as DumpScores writes it: labels'):
        load_scores(tmp_path / 'other.npz')
    save_scores(tmp_path / 'whole.npz', scores())
    whole = (tmp_path / 'whole.npz').read_bytes()
    np.save(tmp_path / 'array.npy', np.zeros(3))
    damaged = bytearray(whole)
    damaged[whole.index(b'keys.npy') + 150] ^= 255
    contents = dict(empty=b'', text=b'no scores', cut=whole[:-100], array=(tmp_path / 'array.npy').read_bytes())
    for name, content in {**contents, 'damaged': bytes(damaged)}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f'{name} is not a readable .npz file of plain arrays'):
            load_scores(tmp_path / name)


def test_joined_in_the_order_of_the_first():
    first = scores()
    order = [2, 0, 1]
    branches = {'depth': first.branches['rgb'][order]}
    other = Scores([KEYS[i] for i in order], first.labels[order], branches, first.fused[order], first.classes)
    one, two = join_scores(['1.npz', '2.npz'], [first, other])
    assert one.keys == two.keys == KEYS
    assert torch.equal(two.labels, first.labels)
    assert torch.equal(two.fused, first.fused)
    assert torch.equal(two.branches['depth'], first.branches['rgb'])


@pytest.mark.parametrize(
    ('other', 'message'),
    [
        (dict(keys=['a', 'x', 'c']), r"1 only in 1.npz \['vidéo 2'\], 1 only in 2.npz \['x'\]"),
        (dict(labels=torch.tensor([3, 2, 1])), "labels differ, first of 'vidéo 2': 0 in 1.npz, 2 in 2.npz"),
        (dict(classes=list('abcde'), fused=torch.zeros(3, 5)), '1.npz has 4 classes, 2.npz has 5'),
    ],
)
def test_files_that_do_not_fit_each_other(other, message):
    with pytest.raises(ValueError, match=message):
        join_scores(['1.npz', '2.npz'], [scores(), scores(**other)])
