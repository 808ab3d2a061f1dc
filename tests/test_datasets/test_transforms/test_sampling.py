import numpy as np
import pytest

from mmmutual.datasets.transforms import SampleSegments
from mmmutual.registry import TRANSFORMS
from mmmutual.utils import UnreadableMediaError


def run(sampler, **num_frames):
    sources = {name: dict(kind='frames', path=name, num_frames=count) for name, count in num_frames.items()}
    return sampler(dict(sources=sources))


def test_shapes_and_bookkeeping():
    sampler = TRANSFORMS.build(dict(type='SampleSegments', num_segments=4))
    results = run(sampler, rgb=40, flow=39, rgbdiff=40)
    assert {name: inds.shape for name, inds in results['frame_inds'].items()} == dict(
        rgb=(4, 1), flow=(4, 5), rgbdiff=(4, 6)
    )
    assert all(inds.dtype == np.int64 for inds in results['frame_inds'].values())
    assert (results['num_views'], results['num_segments']) == (1, 4)


def test_sound_is_left_alone():
    sources = dict(
        audio=dict(kind='audio', path='a.wav', num_frames=2),
        rgb=dict(kind='frames', path='a', num_frames=40),
    )
    np.random.seed(0)
    with_sound = SampleSegments(num_segments=4)(dict(sources=sources))['frame_inds']
    np.random.seed(0)
    alone = run(SampleSegments(num_segments=4), rgb=40)['frame_inds']
    assert list(with_sound) == ['rgb']
    assert with_sound['rgb'].tolist() == alone['rgb'].tolist()
    with pytest.raises(ValueError, match=r"needs an input with frames, got only sound: \['audio'\]"):
        SampleSegments(num_segments=4)(dict(sources=dict(audio=sources['audio'])))


@pytest.mark.parametrize('mode', ['uniform', 'dense', 'random'])
@pytest.mark.parametrize('count', [1, 2, 5, 8, 13, 40, 100])
def test_training_frames_exist_and_inputs_stay_aligned(mode, count):
    sampler = SampleSegments(num_segments=8, mode=mode)
    for seed in range(20):
        np.random.seed(seed)
        inds = run(sampler, rgb=count, flow=max(1, count - 1), rgbdiff=count)['frame_inds']
        for name, total in dict(rgb=count, flow=max(1, count - 1), rgbdiff=count).items():
            assert inds[name].min() >= 0
            assert inds[name].max() < total
        shift = inds['rgb'][:, 0] - inds['flow'][:, 0]
        assert len(set(shift.tolist())) == 1
        assert shift[0] in (0, 1)


def test_range_length_of_inputs_that_are_equally_short():
    """With 'max' no frame difference is ever taken of a repeated last frame (spec/mml.md 6.19)."""
    ends = {}
    for rule in ('max', 'first'):
        sampler = SampleSegments(num_segments=4, range_length=rule)
        np.random.seed(0)
        ends[rule] = [run(sampler, rgb=40, rgbdiff=40)['frame_inds']['rgbdiff'][-1] for _ in range(300)]
    assert all(np.diff(frames).min() == 1 for frames in ends['max'])
    assert any(np.diff(frames).min() == 0 for frames in ends['first'])


def test_the_coin_of_random_mode_is_fair():
    sampler = SampleSegments(num_segments=8, mode='random', dense_length=32)
    np.random.seed(0)
    dense = 0
    for _ in range(400):
        steps = np.diff(run(sampler, rgb=400)['frame_inds']['rgb'][:, 0])
        dense += bool((steps == 4).all())
    assert 160 < dense < 240


@pytest.mark.parametrize(
    ('options', 'views'),
    [
        (dict(), 1),
        (dict(twice_sample=True), 2),
        (dict(mode='dense', dense_number=3), 3),
        (dict(mode='random', dense_number=3), 4),
        (dict(mode='random', dense_number=3, twice_sample=True), 5),
    ],
)
def test_views_of_a_test(options, views):
    results = run(SampleSegments(num_segments=8, split='test', **options), rgb=57, flow=56)
    assert results['num_views'] == views
    assert results['frame_inds']['flow'].shape == (8 * views, 5)


def test_order_of_views():
    sampler = SampleSegments(8, mode='random', split='test', twice_sample=True, dense_number=2, dense_length=32)
    views = run(sampler, rgb=57)['frame_inds']['rgb'].reshape(4, 8).tolist()
    assert views == [
        [0, 4, 8, 12, 16, 20, 24, 28],
        [25, 29, 33, 37, 41, 45, 49, 53],
        [3, 10, 17, 24, 32, 39, 46, 53],
        [0, 7, 14, 21, 28, 35, 42, 49],
    ]


def test_validation_and_test_are_deterministic():
    for options in (dict(split='val'), dict(split='val', mode='dense'), dict(split='test', mode='random')):
        np.random.seed(0)
        before = np.random.get_state()[2]
        first = run(SampleSegments(8, **options), rgb=100)['frame_inds']['rgb']
        assert np.random.get_state()[2] == before
        np.testing.assert_array_equal(first, run(SampleSegments(8, **options), rgb=100)['frame_inds']['rgb'])


def test_dense_validation_starts_in_the_middle():
    inds = run(SampleSegments(8, mode='dense', split='val'), rgb=100)['frame_inds']['rgb'][:, 0]
    assert inds.tolist() == list(range(34, 66, 4))


def test_every_input_is_cut_by_its_own_length_in_validation():
    inds = run(SampleSegments(8, split='val'), rgb=57, flow=57)['frame_inds']
    assert (inds['rgb'][:, 0] + 1).tolist() == [4, 11, 18, 25, 33, 40, 47, 54]
    assert (inds['flow'][:, 0] + 1).tolist() == [4, 10, 17, 24, 30, 37, 44, 50]


class FakeReader:
    opened = 0

    def __init__(self, path, backend):
        FakeReader.opened += 1
        self.arguments = (path, backend)

    def __len__(self):
        return 30


def test_a_video_says_itself_how_many_frames_it_has(monkeypatch):
    """What the list claims is not believed: the reader counts what decodes."""
    monkeypatch.setattr('mmmutual.datasets.transforms.sampling.open_video', FakeReader)
    FakeReader.opened = 0
    sources = {name: dict(kind='video', path='v.mp4', num_frames=99) for name in ('rgb', 'rgbdiff')}
    results = SampleSegments(8, split='test', video_backend='pyav')(dict(sources=sources))
    assert results['frame_inds']['rgb'].max() < 30
    assert FakeReader.opened == 1
    assert results['readers']['v.mp4'].arguments == ('v.mp4', 'pyav')


def test_no_frames_is_unreadable():
    with pytest.raises(UnreadableMediaError, match='rgb: unreadable: no frames'):
        run(SampleSegments(8), rgb=0)


def test_input_without_a_length():
    with pytest.raises(ValueError, match=r"frames_per_segment .* inputs \['pose'\]"):
        run(SampleSegments(8), rgb=10, pose=10)
    results = run(SampleSegments(8, frames_per_segment=dict(pose=2, rgb=3)), rgb=10, pose=10)
    assert results['frame_inds']['pose'].shape == (8, 2)
    assert results['frame_inds']['rgb'].shape == (8, 3)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(mode='twice'), r"mode .* must be one of \('uniform', 'dense', 'random'\), got 'twice'"),
        (dict(split='testing'), r"split .* must be one of .*'testing'"),
        (dict(range_length='min'), r"range_length .* must be one of .*'min'"),
        (dict(dense_val_start='end'), r"dense_val_start .* must be one of .*'end'"),
        (dict(num_segments=0), 'num_segments .* at least 1, got 0'),
        (dict(dense_number=0), 'dense_number .* at least 1, got 0'),
        (dict(frames_per_segment=dict(rgb=0)), 'rgb .* at least 1, got 0'),
        (dict(mode='dense', dense_length=4), 'dense_length must be at least num_segments=8, got 4'),
        (dict(split='test', dense_number=3), "dense_number > 1 needs split='test' and mode 'dense' .*'uniform'"),
        (dict(mode='dense', dense_number=3), "dense_number > 1 needs split='test'.*'train'"),
        (dict(twice_sample=True), "twice_sample needs split='test'"),
        (dict(split='test', mode='dense', twice_sample=True), "twice_sample needs .*'dense'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        SampleSegments(**options)


class _Reader:
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count


def test_flow_of_a_video_has_one_pair_less_than_frames():
    video = dict(kind='video', path='v.mp4', num_frames=99)
    sources = dict(rgb=video, flow=dict(video, kind='video_flow', algorithm='dis', bound=20.0))
    sampler = SampleSegments(num_segments=2, split='test')
    inds = sampler(dict(sources=sources, readers={'v.mp4': _Reader(12)}))['frame_inds']
    assert inds['rgb'].tolist() == [[3], [9]]
    # as of a flow folder of 11 pairs: (11 - 5 + 1) / 2 = 3.5, middles 1.75 and 5.25
    assert inds['flow'].tolist() == [[1, 2, 3, 4, 5], [5, 6, 7, 8, 9]]
    with pytest.raises(UnreadableMediaError, match='v.mp4: unreadable: no frame pairs'):
        sampler(dict(sources=sources, readers={'v.mp4': _Reader(1)}))
