import numpy as np
import pytest

from mmmutual.datasets.transforms import sampling_rules as rules


def test_uniform_train_draws_one_start_per_part():
    # 34 starts in 8 parts of 4
    for seed in range(50):
        np.random.seed(seed)
        offsets = rules.uniform_train_offsets(num_frames=38, length=5, num_segments=8)
        assert (offsets // 4).tolist() == list(range(8))


def test_uniform_train_of_a_clip_with_few_starts():
    # 10 frames are more than 8 segments, but leave 6 starts: sorted draws of these
    np.random.seed(0)
    offsets = np.stack([rules.uniform_train_offsets(10, 5, 8) for _ in range(200)])
    assert (np.diff(offsets) >= 0).all()
    assert set(np.unique(offsets)) == set(range(6))


@pytest.mark.parametrize(
    ('num_frames', 'length', 'num_segments'), [(8, 5, 8), (1, 1, 8), (1, 6, 8), (5, 6, 4), (4, 6, 3)]
)
def test_uniform_train_of_short_clips_starts_at_0(num_frames, length, num_segments):
    assert rules.uniform_train_offsets(num_frames, length, num_segments).tolist() == [0] * num_segments


def test_dense_clip_wraps_around():
    assert rules.dense_offsets(start=30, num_frames=40, num_segments=8, dense_length=32).tolist() == [
        30, 34, 38, 2, 6, 10, 14, 18,
    ]  # fmt: skip


def test_dense_start_leaves_room_and_never_is_the_last():
    np.random.seed(0)
    assert {rules.random_dense_start(36, 32) for _ in range(200)} == {0, 1, 2, 3}
    assert {rules.random_dense_start(33, 32) for _ in range(20)} == {0}
    assert {rules.random_dense_start(10, 32) for _ in range(20)} == {0}


def test_dense_starts_of_a_test():
    assert rules.dense_starts(100, 32, 1) == [34]
    assert rules.dense_starts(100, 32, 3) == [0, 34, 68]
    assert rules.dense_starts(10, 32, 3) == [0, 0, 0]


def test_documented_examples():
    """spec/mml.md 2.4, counted from 1 there."""
    half = rules.half_offsets
    assert (half(57, 1, 8) + 1).tolist() == [4, 11, 18, 25, 33, 40, 47, 54]
    assert (half(57, 5, 8) + 1).tolist() == [4, 10, 17, 24, 30, 37, 44, 50]
    assert (half(5, 1, 8) + 1).tolist() == [1, 1, 2, 3, 3, 4, 5, 5]
    assert rules.uniform_val_offsets(5, 1, 8).tolist() == [0] * 8
    assert (rules.uniform_val_offsets(57, 5, 8) == half(57, 5, 8)).all()


def test_val_starts_to_spread_one_frame_after_the_test_rule():
    assert rules.uniform_val_offsets(12, 5, 8).tolist() == [0] * 8
    assert rules.uniform_val_offsets(13, 5, 8).max() > 0


def test_zero_offsets_are_the_beginnings():
    assert rules.zero_offsets(57, 1, 8).tolist() == [0, 7, 14, 21, 28, 35, 42, 49]


@pytest.mark.parametrize('num_frames', [1, 2, 3, 4])
def test_clips_shorter_than_a_segment_start_at_0_at_the_least(num_frames):
    for offsets in (rules.half_offsets(num_frames, 6, 8), rules.zero_offsets(num_frames, 6, 8)):
        assert (offsets == 0).all()


def test_shortest_input():
    counts, lengths = dict(rgb=50, flow=49, rgbdiff=50), dict(rgb=1, flow=5, rgbdiff=6)
    assert rules.shortest(counts, lengths, 'max') == dict(num_frames=49, length=5)
    counts['flow'] = 60
    assert rules.shortest(counts, lengths, 'max') == dict(num_frames=50, length=6)
    assert rules.shortest(counts, lengths, 'first') == dict(num_frames=50, length=1)


def test_jitter_spans_the_surplus_and_draws_for_each_input():
    np.random.seed(0)
    draws = [rules.jitter(dict(a=12, b=10, c=11)) for _ in range(100)]
    assert {draw['a'] for draw in draws} == {0, 1, 2}
    assert {draw['b'] for draw in draws} == {0}
    assert {draw['c'] for draw in draws} == {0, 1}
    np.random.seed(7)
    rules.jitter(dict(a=10, b=10))
    after = np.random.rand()
    np.random.seed(7)
    np.random.randint(1), np.random.randint(1)
    assert after == np.random.rand()


def test_frames_repeat_the_last_one():
    frames = rules.frames_from(np.array([0, 6, 9]), length=3, num_frames=8)
    assert frames.tolist() == [[0, 1, 2], [6, 7, 7], [7, 7, 7]]
    assert frames.dtype == np.int64
