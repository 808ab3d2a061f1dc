import numpy as np
import pytest

from mmmutual.apis.inferencers.array_reader import ArrayReader

FRAMES = np.arange(3 * 2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2, 3)


def test_it_reads_as_a_video():
    with ArrayReader(FRAMES, 'mine') as reader:
        assert (len(reader), reader.path, reader.fps) == (3, 'mine', 25.0)
        assert np.array_equal(reader.get_frames([2, 0, 2]), FRAMES[[2, 0, 2]])
        assert np.array_equal(np.stack(list(reader)), FRAMES)


def test_frames_are_copies():
    frames = FRAMES.copy()
    ArrayReader(frames, 'mine').get_frames([0, 1, 2])[:] = 0
    assert np.array_equal(frames, FRAMES)


@pytest.mark.parametrize('indices', [[], [3], [-1]])
def test_frames_that_are_not_there(indices):
    with pytest.raises(IndexError, match=r'mine: frame numbers must be in \[0, 3\)'):
        ArrayReader(FRAMES, 'mine').get_frames(indices)
