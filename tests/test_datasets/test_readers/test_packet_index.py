"""The index by hand: times of display, places in the file, where decoding starts."""

from types import SimpleNamespace

import numpy as np
import pytest

from mmmutual.datasets.readers.packet_index import build_index


def packets(times, keys=(0,), hidden=(), corrupt=()):
    """Packets in file order."""
    return [
        SimpleNamespace(pts=pts, is_keyframe=i in keys, is_discard=i in hidden, is_corrupt=i in corrupt)
        for i, pts in enumerate(times)
    ]


def test_closed_groups():
    # file order I P B | I P B, shown I B P | I B P
    index = build_index(packets([0, 20, 10, 30, 50, 40], keys=(0, 3)))
    np.testing.assert_array_equal(index.pts, [0, 10, 20, 30, 40, 50])
    np.testing.assert_array_equal(index.positions, [0, 2, 1, 3, 5, 4])
    np.testing.assert_array_equal(index.key_before(np.arange(6)), [0, 0, 0, 3, 3, 3])


def test_open_group_starts_at_the_keyframe_before():
    # B at time 20 follows the second keyframe (time 30) in the file and refers to the first group
    index = build_index(packets([0, 10, 30, 20, 40], keys=(0, 2)))
    np.testing.assert_array_equal(index.positions, [0, 1, 3, 2, 4])
    np.testing.assert_array_equal(index.key_before(np.arange(5)), [0, 0, 0, 2, 2])


def test_hidden_packets_are_decoded_but_not_shown():
    index = build_index(packets([-20, -10, 0, 10], hidden=(0, 1)))
    np.testing.assert_array_equal(index.pts, [0, 10])
    np.testing.assert_array_equal(index.positions, [2, 3])
    np.testing.assert_array_equal(index.key_before(np.array([0, 1])), [0, 0])


@pytest.mark.parametrize(
    'stream',
    [
        packets([]),
        packets([0, None, 20]),
        packets([0, 10, 10]),
        packets([0, 10, 20], corrupt=(2,)),
        packets([0, 10, 20], keys=()),
        packets([0, 10, 20], keys=(1,)),
        packets([10, 0, 20], keys=(0,)),
        packets([0, 30, 20], keys=(0, 1, 2)),
        packets([0, 10], hidden=(0, 1)),
    ],
    ids=[
        'empty',
        'no time',
        'equal times',
        'cut off',
        'no keyframe',
        'late keyframe',
        'shown before the keyframe',
        'keyframes out of order',
        'all hidden',
    ],
)
def test_streams_that_do_not_tell(stream):
    assert build_index(stream) is None
