import cv2
import numpy as np
import pytest
import torch

from mmmutual.datasets.transforms import LoadFrames, SampleSegments, loading
from mmmutual.utils import UnreadableMediaError
from mmmutual.utils.frame_folders import save_frames
from mmmutual.utils.optical_flow import iter_flow, save_flow

from ...video_files import decode_all, moving_frames, write_video


@pytest.fixture
def folder(tmp_path):
    """Five colour images with a letter outside ASCII in their path, red = n, green = 2n, blue = 3n; flow x, y."""
    path = tmp_path / 'Übung 1'
    path.mkdir()
    for number in range(5):
        image = np.zeros((6, 8, 3), np.uint8)
        image[:] = (3 * number, 2 * number, number)  # OpenCV writes BGR
        image[0, 0] = 200
        (path / f'img_{number}.png').write_bytes(cv2.imencode('.png', image)[1].tobytes())
        for axis, level in (('x', 100 + number), ('y', 150 + number)):
            plane = np.full((6, 8), level, np.uint8)
            (path / f'{axis}_{number}.png').write_bytes(cv2.imencode('.png', plane)[1].tobytes())
    return path


def source(path, kind='frames', **options):
    template = '{axis}_{}.png' if kind == 'flow_frames' else 'img_{}.png'
    return dict(dict(kind=kind, path=str(path), filename_tmpl=template, start_index=0), **options)


def load(sources, **frame_inds):
    results = dict(sources=sources, frame_inds={name: np.array(inds) for name, inds in frame_inds.items()})
    return LoadFrames()(results)['frames']


def test_rgb(folder):
    frames = load(dict(rgb=source(folder)), rgb=[[3], [1]])['rgb']
    assert frames.dtype == torch.uint8
    assert frames.shape == (2, 3, 6, 8)
    assert frames[:, :, 2, 3].tolist() == [[3, 6, 9], [1, 2, 3]]
    assert (frames[:, :, 0, 0] == 200).all()


def test_flow_order_and_repeated_frames(folder):
    frames = load(dict(flow=source(folder, 'flow_frames')), flow=[[2, 3, 3], [0, 1, 2]])['flow']
    assert frames.shape == (6, 2, 6, 8)
    assert frames[:, 0, 0, 0].tolist() == [102, 103, 103, 100, 101, 102]
    assert frames[:, 1, 0, 0].tolist() == [152, 153, 153, 150, 151, 152]


def test_start_index(folder):
    frames = load(dict(rgb=source(folder, start_index=2)), rgb=[[0], [2]])['rgb']
    assert frames[:, 0, 2, 3].tolist() == [2, 4]


def test_images_that_several_inputs_need_are_decoded_once(folder, monkeypatch):
    decoded = []
    read = loading.read_image
    monkeypatch.setattr(loading, 'read_image', lambda file, flag: decoded.append(file) or read(file, flag))
    frames = load(dict(rgb=source(folder), rgbdiff=source(folder)), rgb=[[3], [0]], rgbdiff=[[3, 4, 4], [0, 1, 2]])
    assert len(decoded) == len(set(decoded)) == 5
    assert frames['rgb'][:, 0, 2, 3].tolist() == [3, 0]
    assert frames['rgbdiff'][:, 0, 2, 3].tolist() == [3, 4, 4, 0, 1, 2]
    assert list(frames) == ['rgb', 'rgbdiff']


class FakeReader:
    def __init__(self):
        self.asked = []
        self.closed = False

    def get_frames(self, indices):
        self.asked.append(list(indices))
        return np.stack([np.full((4, 4, 3), index, np.uint8) for index in indices])

    def close(self):
        self.closed = True


def test_a_video_is_read_once_and_closed():
    reader = FakeReader()
    video = dict(kind='video', path='v.mp4', num_frames=None)
    results = dict(
        sources=dict(rgb=video, rgbdiff=dict(video)),
        frame_inds=dict(rgb=np.array([[7], [2]]), rgbdiff=np.array([[7, 8], [2, 3]])),
        readers={'v.mp4': reader},
    )
    results = LoadFrames()(results)
    assert reader.asked == [[2, 3, 7, 8]]
    assert reader.closed
    assert 'readers' not in results
    assert results['frames']['rgb'][:, 0, 0, 0].tolist() == [7, 2]
    assert results['frames']['rgbdiff'][:, 1, 3, 3].tolist() == [7, 8, 2, 3]


class MovingReader(FakeReader):
    """Twelve frames of a texture that moves to the right by 1.5 pixels."""

    frames = np.stack(moving_frames(12))

    def get_frames(self, indices):
        self.asked.append(list(indices))
        return self.frames[indices]


def flow_of(video, **options):
    return dict(dict(video, kind='video_flow', algorithm='dis', bound=20.0), **options)


def test_rgb_differences_and_flow_of_a_video_decode_each_frame_once_and_compute_each_pair_once(monkeypatch):
    reader, computed = MovingReader(), []

    def counting(algorithm, bound):
        estimate = flow_estimator(algorithm, bound)
        return lambda *pair: computed.append((algorithm, bound)) or estimate(*pair)

    flow_estimator = loading.flow_estimator
    monkeypatch.setattr(loading, 'flow_estimator', counting)
    video = dict(kind='video', path='v.mp4', num_frames=None)
    inds = dict(
        rgb=[[7], [2]],
        rgbdiff=[[7, 8, 9], [2, 3, 4]],
        flow=[[8, 9, 10], [2, 3, 3]],
        flow_1=[[3, 4, 5], [3, 4, 5]],
        wide=[[3, 4, 5], [3, 4, 5]],
    )
    results = dict(
        sources=dict(
            flow=flow_of(video),
            rgb=video,
            rgbdiff=dict(video),
            flow_1=flow_of(video),
            wide=flow_of(video, bound=40.0),
        ),
        frame_inds={name: np.array(rows) for name, rows in inds.items()},
        readers={'v.mp4': reader},
    )
    frames = LoadFrames()(results)['frames']
    assert reader.asked == [[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]
    assert reader.closed
    # pairs 2, 3, 4, 5, 8, 9, 10 of flow and flow_1 together; 3, 4, 5 with the other bound
    assert sorted(computed) == [('dis', 20.0)] * 7 + [('dis', 40.0)] * 3
    assert list(frames) == ['flow', 'rgb', 'rgbdiff', 'flow_1', 'wide']
    for name in ('rgb', 'rgbdiff'):
        expected = reader.frames[np.ravel(inds[name])].transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(frames[name], expected)
    for name, bound in (('flow', 20.0), ('flow_1', 20.0), ('wide', 40.0)):
        pairs = np.array([np.stack(pair) for pair in iter_flow(reader.frames, bound=bound)])
        assert frames[name].dtype == torch.uint8
        np.testing.assert_array_equal(frames[name], pairs[np.ravel(inds[name])])
        assert frames[name][:, 0].float().median() == pytest.approx(128 + 1.5 * 127.5 / bound, abs=1)


@pytest.mark.parametrize('algorithm', ['dis', 'farneback', 'tvl1'])
def test_flow_of_a_video_is_what_is_stored_up_to_jpeg(tmp_path, algorithm):
    write_video(tmp_path / 'v.mp4', moving_frames(6))
    save_flow(tmp_path / 'flow', decode_all(tmp_path / 'v.mp4'), algorithm, bound=10.0)
    video = dict(kind='video_flow', path=str(tmp_path / 'v.mp4'), num_frames=None, algorithm=algorithm, bound=10.0)
    sampler = SampleSegments(2, split='test', frames_per_segment=dict(flow=2, stored=2))
    stored = source(tmp_path / 'flow', 'flow_frames', filename_tmpl='flow_{axis}_{:05d}.jpg', start_index=1)
    sample = sampler(dict(sources=dict(flow=video, stored=dict(stored, num_frames=5))))
    assert sample['frame_inds']['flow'].tolist() == sample['frame_inds']['stored'].tolist() == [[1, 2], [3, 4]]
    frames = LoadFrames()(sample)['frames']
    difference = (frames['flow'].float() - frames['stored'].float()).abs()
    assert difference.mean() < 1
    assert frames['flow'].float().std() > 3  # there is something to differ in


def test_flow_of_a_folder_of_frames(tmp_path):
    frames = moving_frames(5)
    save_frames(tmp_path / 'clip', frames, filename_tmpl='img_{}.png')
    rgb = source(tmp_path / 'clip', start_index=1)
    flow = dict(rgb, kind='frames_flow', algorithm='farneback', bound=15.0)
    loaded = load(dict(flow=flow, rgb=rgb), flow=[[3, 1]], rgb=[[0]])
    expected = np.array([np.stack(pair) for pair in iter_flow(frames, 'farneback', 15.0)])[[3, 1]]
    np.testing.assert_array_equal(loaded['flow'], expected)
    np.testing.assert_array_equal(loaded['rgb'][0], frames[0].transpose(2, 0, 1))


def test_images_of_a_folder_are_decoded_once_for_their_flow_too(tmp_path, monkeypatch):
    save_frames(tmp_path / 'clip', moving_frames(5), filename_tmpl='img_{}.png')
    decoded = []
    read = loading.read_image
    monkeypatch.setattr(loading, 'read_image', lambda file, flag: decoded.append(file[-5]) or read(file, flag))
    rgb = source(tmp_path / 'clip', start_index=1)
    flow = dict(rgb, kind='frames_flow', algorithm='dis', bound=20.0)
    load(dict(rgb=rgb, flow=flow), rgb=[[1], [3]], flow=[[1, 2], [2, 2]])
    assert decoded == ['2', '3', '4']


def test_frames_that_are_too_small_for_the_flow_are_named():
    reader = FakeReader()
    video = flow_of(dict(path='tiny.mp4', num_frames=None))
    results = dict(sources=dict(flow=video), frame_inds=dict(flow=np.array([[0]])), readers={'tiny.mp4': reader})
    with pytest.raises(UnreadableMediaError, match="tiny.mp4: unreadable: no flow, algorithm 'dis' needs frames of"):
        LoadFrames()(results)
    assert reader.closed


def test_flow_in_one_colour_image_for_both_axes(tmp_path):
    for number in (1, 2, 3):
        image = np.zeros((6, 8, 3), np.uint8)
        image[:] = (99, 150 + number, 100 + number)  # OpenCV writes BGR
        cv2.imwrite(str(tmp_path / f'flow_{number:05d}.png'), image)
    packed = source(tmp_path, 'packed_flow_frames', filename_tmpl='flow_{:05d}.png', start_index=1)
    flow = load(dict(flow=packed), flow=[[2, 0, 0]])['flow']
    assert flow.shape == (3, 2, 6, 8)
    assert flow[:, 0, 3, 3].tolist() == [103, 101, 101]
    assert flow[:, 1, 3, 3].tolist() == [153, 151, 151]


def test_the_name_of_the_folder_in_the_names_of_the_images(tmp_path):
    """The layout of Something-Something v1; braces in a folder's own path are no field."""
    folder = tmp_path / '{x}' / '000042'
    folder.mkdir(parents=True)
    for axis, level in (('x', 100), ('y', 150)):
        cv2.imwrite(str(folder / f'000042-{axis}_00007.png'), np.full((6, 8), level, np.uint8))
    flow = source(folder, 'flow_frames', filename_tmpl='{video}-{axis}_{:05d}.png', start_index=1)
    assert load(dict(flow=flow), flow=[[6]])['flow'][0, :, 0, 0].tolist() == [100, 150]


def test_rgb_two_pixels_high_is_no_flow(tmp_path):
    cv2.imwrite(str(tmp_path / 'img_0.png'), np.zeros((2, 8, 3), np.uint8))
    assert load(dict(rgb=source(tmp_path)), rgb=[[0]])['rgb'].shape == (1, 3, 2, 8)


def test_a_real_video(data_root):
    path = str(data_root / 'media' / 'good' / 'realshort.mp4')
    video = dict(kind='video', path=path, num_frames=None)
    sample = SampleSegments(4, split='test')(dict(sources=dict(rgb=video, rgbdiff=dict(video))))
    assert sample['frame_inds']['rgb'].ravel().tolist() == [4, 13, 22, 31]  # of 36
    frames = LoadFrames()(sample)['frames']
    assert frames['rgb'].shape[:2] == (4, 3)
    assert frames['rgbdiff'].shape[:2] == (24, 3)
    assert frames['rgb'].shape[2:] == frames['rgbdiff'].shape[2:]


def test_real_flow_images(data_root):
    path = data_root / 'flow' / 'frames_tvl1'
    flow = source(path, 'flow_frames', filename_tmpl='{axis}_{:05d}.jpg', start_index=1)
    rgb = source(path, filename_tmpl='img_{:05d}.jpg', start_index=1)
    frames = load(dict(rgb=rgb, flow=flow), rgb=[[0]], flow=[[0, 1, 2, 3, 4]])
    assert frames['flow'].shape == (5, 2, *frames['rgb'].shape[2:])
    assert 120 < frames['flow'].float().median() < 136


def test_missing_image(folder):
    with pytest.raises(UnreadableMediaError, match=r'img_5.png: unreadable: No such file'):
        load(dict(rgb=source(folder)), rgb=[[5]])


def test_missing_folder(tmp_path):
    with pytest.raises(UnreadableMediaError, match='none/img_0.png: unreadable'):
        load(dict(rgb=source(tmp_path / 'none')), rgb=[[0]])


@pytest.mark.parametrize('content', [b'', b'no image at all', b'\xff\xd8\xff\xe0'])
def test_undecodable_image(folder, content):
    (folder / 'img_1.png').write_bytes(content)
    with pytest.raises(UnreadableMediaError, match=r'img_1.png: unreadable'):
        load(dict(rgb=source(folder)), rgb=[[1]])


def test_truncated_jpeg(tmp_path):
    """No picture with its lower part in grey, as some decoders give."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = cv2.imencode('.jpg', noise)[1].tobytes()
    whole = dict(rgb=source(tmp_path, filename_tmpl='img_{}.jpg'))
    (tmp_path / 'img_0.jpg').write_bytes(data + b'\0' * 100)  # padding after the end does no harm
    assert load(whole, rgb=[[0]])['rgb'].shape == (1, 3, 64, 64)
    for length in (len(data) // 2, len(data) - 10):
        (tmp_path / 'img_0.jpg').write_bytes(data[:length])
        with pytest.raises(UnreadableMediaError, match='img_0.jpg: unreadable'):
            load(whole, rgb=[[0]])


def test_sizes_that_differ_between_inputs(folder, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    cv2.imwrite(str(other / 'img_0.png'), np.zeros((6, 10, 3), np.uint8))
    with pytest.raises(ValueError, match=r"one size, got \(H, W\) {'rgb': \(6, 8\), 'wide': \(6, 10\)}") as error:
        load(dict(rgb=source(folder), wide=source(other)), rgb=[[0]], wide=[[0]])
    assert not isinstance(error.value, UnreadableMediaError)


def test_sizes_that_differ_in_a_folder(folder):
    cv2.imwrite(str(folder / 'img_1.png'), np.zeros((6, 10, 3), np.uint8))
    with pytest.raises(ValueError, match=r'one size, got \(H, W\) \(6, 10\) of .*img_1.png and \(6, 8\) of .*img_0'):
        load(dict(rgb=source(folder)), rgb=[[0], [1]])
