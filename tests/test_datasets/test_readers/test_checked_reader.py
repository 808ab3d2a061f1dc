"""What decord and OpenCV share: PyAV's frames from them, or from PyAV itself."""

import importlib.util

import av
import numpy as np
import pytest

from mmmutual.datasets.readers import checked_reader, open_video
from mmmutual.datasets.readers.checked_reader import Disagreement
from mmmutual.utils.errors import UnreadableMediaError

from ...video_files import moving_frames, write_video
from .test_pyav_reader import COUNT, FORMATS, index_sets

BACKENDS = [
    pytest.param('decord', marks=pytest.mark.skipif(not importlib.util.find_spec('decord'), reason='needs decord')),
    'opencv',
]
USED = (
    *('b_frames.mp4', 'b_frames.mkv', 'b_frames.mov', 'no_b_frames.mp4', 'pyramid.mp4', 'one_gop.mp4'),
    *('variable_rate.mp4', 'variable_rate.mkv', 'negative_times.mkv'),
)
# Of these OpenCV's equal pictures in a row are left to PyAV.
REAL_USED = {
    'kinetics_abseiling_k400.mp4': ('decord', 'opencv'),
    'mmaction2_demo.mp4': ('decord',),
    'mmaction2_part_0.mp4': ('decord', 'opencv'),
    'flipping_a_pancake.mkv': ('decord',),
    'bikes.mp4': ('decord', 'opencv'),
    'carphone_qcif.mp4': ('decord', 'opencv'),
    'bigbuckbunny_51ch.mp4': ('decord', 'opencv'),
    'realshort.mp4': ('decord', 'opencv'),
    'ucf101_v_Basketball_g01_c01.avi': (),
    'mmaction2_test.avi': (),
}
pytestmark = pytest.mark.parametrize('backend', BACKENDS)


def difference(picture, other):
    return np.abs(picture.astype(np.int16) - other).mean()


@pytest.mark.parametrize('name', FORMATS)
def test_every_format_gives_the_frames_of_pyav(tmp_path, name, backend):
    path = write_video(tmp_path / name, moving_frames(COUNT), **FORMATS[name])
    with open_video(path) as reader, open_video(path, backend) as other:
        assert len(other) == len(reader)
        assert other.fps == reader.fps
        for indices in index_sets(COUNT, np.random.RandomState(0)):
            np.testing.assert_allclose(other.get_frames(indices), reader.get_frames(indices), atol=1)
        assert other._in_use == (name in USED)
        played = list(other)
        np.testing.assert_allclose(played, list(reader), atol=1)


@pytest.mark.parametrize('name', REAL_USED)
def test_good_files(data_root, name, backend):
    path = data_root / 'media' / 'good' / name
    with open_video(path) as reader, open_video(path, backend) as other:
        assert len(other) == len(reader)
        right = list(reader)
        numbers = np.random.RandomState(0).permutation(len(right))[:24]
        for number, picture in zip(numbers, other.get_frames(numbers)):
            assert picture.shape == right[number].shape
            assert picture.dtype == np.uint8
            own = difference(picture, right[number])
            assert own < 1
            for neighbour in {max(number - 1, 0), min(number + 1, len(right) - 1)} - {number}:
                if difference(right[neighbour], right[number]) > 0.1:
                    assert own < difference(picture, right[neighbour]), number
        count = sum(1 for _ in other)
        assert count == len(right)
        assert other._in_use == (backend in REAL_USED[name])


def test_every_good_file_is_listed(data_root, backend):
    assert {path.name for path in (data_root / 'media' / 'good').iterdir()} - {'mmaction2_test.wav'} == set(REAL_USED)


def test_grid_where_the_seeking_of_decord_misses(data_root, backend):
    # 12 frames beside the target, with decord 0.6.0
    path = data_root / 'media' / 'grid' / 'bbaf2n.mpg'
    with open_video(path) as reader, open_video(path, backend) as other:
        assert len(other) == 75
        for indices in ([52, 57, 22], [74, 0]):
            np.testing.assert_array_equal(other.get_frames(indices), reader.get_frames(indices))


def test_damage_inside_counts_as_with_pyav(tmp_path, backend):
    path = write_video(tmp_path / 'a.mp4', moving_frames(COUNT), gop=8, bf=0, x264_params='scenecut=0')
    wipe_packets(path, 17, 24)
    with open_video(path, backend) as reader:
        assert len(reader) == COUNT
        before = reader.get_frames([3, 12])
        assert reader._in_use or backend == 'decord'  # which reads ahead, and may have met the damage
        assert reader.get_frames([3, 20]).shape == before.shape
        assert len(reader) == COUNT - 7
        with pytest.raises(IndexError, match=r'must be in \[0, 33\)'):
            reader.get_frames([35])
    for ask in ([17, 39], list(range(40))):
        with open_video(path, backend) as reader, pytest.raises(UnreadableMediaError, match='33 of 40 frames decode'):
            reader.get_frames(ask)
    with open_video(path) as reader, open_video(path, backend) as other:
        np.testing.assert_array_equal(list(other), list(reader))


def wipe_packets(path, start, stop):

    with av.open(str(path)) as file:
        packets = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size in packets[start:stop]:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)


@pytest.mark.parametrize('indices', [[-1], [0, 10], [], [3, 999]])
def test_numbers_outside_are_refused(tmp_path, indices, backend):
    path = write_video(tmp_path / 'a.mp4', moving_frames(10))
    with open_video(path, backend) as reader:
        with pytest.raises(IndexError, match=r'a.mp4: frame numbers must be in \[0, 10\)'):
            reader.get_frames(indices)
        assert len(reader.get_frames([9, 0])) == 2
        assert reader._in_use


def test_what_is_left_to_pyav_is_said_once(tmp_path, monkeypatch, backend):
    said = []
    monkeypatch.setattr(checked_reader, '_told', set())
    monkeypatch.setattr(checked_reader, 'print_log', lambda text, **_: said.append(text))
    for name, codec in (('a.avi', 'mpeg4'), ('b.avi', 'mpeg4'), ('c.mp4', 'libx264')):
        path = write_video(tmp_path / name, moving_frames(4), codec=codec, bf=0)
        with open_video(path, backend) as reader:
            assert len(reader) == 4
            assert (len(said) == 0) == (name == 'a.avi')  # the length is PyAV's matter
            reader.get_frames([1])
            reader.get_frames([2])
    assert len(said) == 1
    assert said[0].startswith(f'{tmp_path / "a.avi"} is read by PyAV, not by {backend}: it is not H.264')


def test_a_failure_on_the_way_is_taken_over(tmp_path, monkeypatch, backend):
    path = write_video(tmp_path / 'a.mp4', moving_frames(12))
    with open_video(path) as reader:
        expected = list(reader)
    with open_video(path, backend) as reader:
        original = type(reader)._decode_frames

        def fail_from_frame_5(self, numbers):
            if numbers.max() >= 5:
                raise Disagreement('a test')
            return original(self, numbers)

        monkeypatch.setattr(type(reader), '_decode_frames', fail_from_frame_5)
        np.testing.assert_allclose(list(reader), expected, atol=1)
        assert not reader._in_use
        np.testing.assert_array_equal(reader.get_frames([2, 8]), [expected[2], expected[8]])


def test_another_picture_is_noticed(tmp_path, monkeypatch, backend):
    path = write_video(tmp_path / 'a.mp4', moving_frames(5))
    with open_video(path) as reader, open_video(path, backend) as other:
        expected = reader.get_frames([3])
        original = type(other)._open_decoder
        monkeypatch.setattr(type(other), '_open_decoder', lambda self, first: original(self, first[::-1]))
        np.testing.assert_array_equal(other.get_frames([3]), expected)
        assert not other._in_use
