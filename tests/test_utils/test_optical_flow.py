"""Optical flow against displacements that are known, and its 8-bit form by hand."""

import cv2
import numpy as np
import pytest

from mmmutual.utils.optical_flow import flow_estimator, iter_flow, quantize_flow, save_flow

from ..video_files import decode_all

HEIGHT, WIDTH, MARGIN = 96, 128, 16


def texture(dx=0.0, dy=0.0):
    """A smooth random picture, moved by (dx, dy) pixels; RGB uint8 (96, 128, 3)."""
    noise = np.random.RandomState(0).randint(0, 256, (HEIGHT + 40, WIDTH + 40)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    smooth = (smooth - smooth.min()) / np.ptp(smooth) * 255
    moved = cv2.warpAffine(smooth, np.float32([[1, 0, dx], [0, 1, dy]]), smooth.shape[::-1], flags=cv2.INTER_CUBIC)
    grey = moved[20:-20, 20:-20].round().clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def inner_pixels(image, bound=20.0):
    """Displacements in pixels that an 8-bit flow image stands for, without the border."""
    return (image[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float64) - 128) * bound / 127.5


@pytest.mark.parametrize('algorithm', ['dis', 'farneback', 'tvl1'])
@pytest.mark.parametrize(('dx', 'dy'), [(1, 0), (0, -2), (-3.5, 2.25), (6, 4)])
def test_shifted_texture_gives_the_shift(algorithm, dx, dy):
    ((x, y),) = iter_flow([texture(), texture(dx, dy)], algorithm)
    assert x.dtype == y.dtype == np.uint8
    assert x.shape == y.shape == (HEIGHT, WIDTH)
    assert np.median(inner_pixels(x)) == pytest.approx(dx, abs=0.3)
    assert np.median(inner_pixels(y)) == pytest.approx(dy, abs=0.3)


def test_each_pair_runs_from_the_frame_before():
    x_of = [np.median(inner_pixels(x)) for x, _ in iter_flow([texture(d) for d in (0, 1, 3, 2)])]
    np.testing.assert_allclose(x_of, [1, 2, -1], atol=0.3)


def test_quantisation_by_hand():
    # bound 20: 6.375 levels a pixel, floor(v * 6.375 + 128)
    displacements = np.array([0, 1, -1, 0.07, 0.08, 10, -10, 20, -20, 25, -1000])
    expected = [128, 134, 121, 128, 128, 191, 64, 255, 0, 255, 0]
    x, y = quantize_flow(np.stack([displacements, -displacements], axis=-1)[None].astype(np.float32))
    np.testing.assert_array_equal(x, [expected])
    np.testing.assert_array_equal(y, [[128, 121, 134, 127, 127, 64, 191, 0, 255, 0, 255]])


@pytest.mark.parametrize('bound', [3, 7.0, 15, 20, 33.3])
def test_zero_is_128_for_every_bound_and_the_bounds_are_the_ends(bound):
    x, y = quantize_flow(np.array([[[0, bound], [-bound, 2 * bound]]], dtype=np.float32), bound)
    assert (x.tolist(), y.tolist()) == ([[128, 0]], [[255, 255]])


@pytest.mark.parametrize(('algorithm', 'level_error'), [('dis', 0), ('farneback', 1), ('tvl1', 0)])
def test_no_motion_is_128_everywhere(algorithm, level_error):
    # Farneback gives -1e-9 px for 0 here and there, which is on the other side of the step between 127 and 128.
    frame, blank = texture(), np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    same_texture, _, same_blank = iter_flow([frame, frame, blank, blank], algorithm)
    for image in (*same_texture, *same_blank):
        assert image.shape == (HEIGHT, WIDTH)
        assert np.abs(image.astype(int) - 128).max() <= level_error


def test_bound_sets_the_scale_and_clips():
    ((x, _),) = iter_flow([texture(), texture(6)], bound=12.0)
    assert np.median(x) == pytest.approx(128 + 6 * 127.5 / 12, abs=3.2)
    ((x, _),) = iter_flow([texture(), texture(6)], bound=2.0)
    assert np.median(x) == 255


def test_one_frame_has_no_pair():
    assert list(iter_flow([texture()])) == []


def test_unknown_algorithm_and_bound_are_named():
    with pytest.raises(ValueError, match=r"\['dis', 'farneback', 'tvl1'\], got 'brox'"):
        iter_flow([], 'brox')
    for bound in (0, -1.0, float('nan')):
        with pytest.raises(ValueError, match='bound must be a positive number'):
            iter_flow([], bound=bound)


def test_tvl1_names_the_package_that_it_needs(monkeypatch):
    monkeypatch.delattr(cv2, 'optflow')
    with pytest.raises(ImportError, match=rf"pip install 'opencv-contrib-python=={cv2.__version__}\.\*'"):
        iter_flow([], 'tvl1')
    assert len(list(iter_flow([texture(), texture(1)], 'dis'))) == 1


@pytest.mark.parametrize(('algorithm', 'error'), [('tvl1', 0.3), ('dis', 0.7)])
def test_true_flow_of_a_real_pair(data_root, algorithm, error):
    """Median distance to flow that is known, in pixels; its mean length is 1.8. Measured: TV-L1 0.16, DIS 0.46."""
    folder = data_root / 'flow'
    true = cv2.readOpticalFlow(str(folder / 'mmflow_00001_flow.flo'))
    pair = [cv2.imread(str(folder / f'mmflow_00001_img{n}.ppm'))[..., ::-1] for n in (1, 2)]
    bound = 12.0  # 10.3 is the largest
    x, y = flow_estimator(algorithm, bound)(*pair)
    found = (np.stack([x, y], axis=-1).astype(np.float64) - 128) * bound / 127.5
    assert np.median(np.linalg.norm(found - true, axis=-1)) < error
    assert np.median(np.linalg.norm(found + true, axis=-1)) > 1  # of the other direction


@pytest.mark.parametrize(('clip', 'correlation'), [('kinetics_abseiling_k400', 0.9), ('mmaction2_demo', 0.8)])
def test_tvl1_agrees_with_dis_on_real_clips(data_root, clip, correlation):
    """Measured: 0.99, 0.98 and 0.98, 0.84 (x, y)."""
    video = data_root / 'media' / 'good' / f'{clip}.mp4'
    frames = [cv2.resize(frame, (226, 128), interpolation=cv2.INTER_AREA) for frame in decode_all(video)[20:22]]
    tvl1, dis = (flow_estimator(algorithm)(*frames) for algorithm in ('tvl1', 'dis'))
    for one, other in zip(tvl1, dis):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > correlation


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match=r'one size, got \(H, W\) \(96, 128\) and then \(96, 100\)'):
        list(iter_flow([texture(), texture()[:, :100]]))


def test_dis_refuses_frames_that_crash_it():
    tiny = np.zeros((15, 100, 3), np.uint8)
    with pytest.raises(ValueError, match='at least 16 pixels a side, got 100 x 15'):
        list(iter_flow([tiny, tiny]))


def test_save_flow_writes_numbered_pairs(tmp_path):
    frames = [texture(d) for d in (0, 2, 4)]
    folder = tmp_path / 'deep' / 'clip'
    assert save_flow(folder, iter(frames)) == 2
    names = sorted(p.name for p in folder.iterdir())
    assert names == ['flow_x_00001.jpg', 'flow_x_00002.jpg', 'flow_y_00001.jpg', 'flow_y_00002.jpg']
    for number, pair in enumerate(iter_flow(frames), start=1):
        for axis, image in zip('xy', pair):
            stored = cv2.imread(str(folder / f'flow_{axis}_{number:05d}.jpg'), cv2.IMREAD_UNCHANGED)
            assert stored.shape == (HEIGHT, WIDTH)
            assert np.abs(stored.astype(int) - image).mean() < 1
    assert [p.name for p in folder.parent.iterdir()] == ['clip']


def test_save_flow_leaves_nothing_half_written(tmp_path):
    def broken_video():
        yield texture()
        yield texture(1)
        assert (tmp_path / 'clip.partial').is_dir()
        assert not (tmp_path / 'clip').exists()
        raise RuntimeError('decoder died')

    with pytest.raises(RuntimeError, match='decoder died'):
        save_flow(tmp_path / 'clip', broken_video())
    assert list(tmp_path.iterdir()) == []


def test_save_flow_replaces_what_a_killed_run_left(tmp_path):
    (tmp_path / 'clip.partial').mkdir()
    (tmp_path / 'clip.partial' / 'flow_x_00009.jpg').touch()
    assert save_flow(tmp_path / 'clip', [texture(), texture(1)], filename_tmpl='{axis}_{:03d}.png') == 1
    assert sorted(p.name for p in (tmp_path / 'clip').iterdir()) == ['x_001.png', 'y_001.png']


def test_save_flow_refuses_a_single_frame_and_a_folder_in_use(tmp_path):
    with pytest.raises(ValueError, match='at least 2 frames'):
        save_flow(tmp_path / 'clip', [texture()])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / 'clip').mkdir()
    with pytest.raises(FileExistsError, match='clip is there already'):
        save_flow(tmp_path / 'clip', [texture(), texture()])
