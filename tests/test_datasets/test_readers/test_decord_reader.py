"""Where decord is used, and where it isn't; the rest is in test_checked_reader.py."""

import importlib.util
import struct
import subprocess
import sys

import numpy as np
import pytest

from mmmutual.datasets.readers import open_video

from ...video_files import decode_all, moving_frames, write_video

needs_decord = pytest.mark.skipif(not importlib.util.find_spec('decord'), reason='needs decord')


def test_without_decord_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'decord', None)
    with pytest.raises(ImportError, match='pip install decord'):
        open_video('a.mp4', backend='decord')


def test_it_is_not_imported_before_it_is_asked_for():
    code = "import sys, mmmutual.datasets.readers; sys.exit('decord' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


@needs_decord
def test_sparse_frames_are_those_of_the_whole_film(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(60), gop=7, bf=3)
    expected = decode_all(path)
    numbers = np.random.RandomState(0).permutation(60).tolist()
    with open_video(path, 'decord') as reader:
        for number in numbers:
            np.testing.assert_allclose(reader.get_frames([number])[0], expected[number], atol=1)
        np.testing.assert_allclose(reader.get_frames(numbers), [expected[number] for number in numbers], atol=1)
        assert reader._in_use


@needs_decord
def test_an_edit_list_that_it_miscounts(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(40), bf=0, gop=10, x264_params='scenecut=0')
    whole = decode_all(path)
    data = bytearray(path.read_bytes())
    entry = data.index(b'elst') + 4 + 4 + 4  # name, version and flags, number of entries
    media_time = struct.unpack_from('>i', data, entry + 4)[0]
    struct.pack_into('>i', data, entry + 4, media_time + 13 * 512)  # the film starts at frame 13
    path.write_bytes(data)
    with open_video(path, 'decord') as reader:
        assert len(reader) == 27
        np.testing.assert_array_equal(reader.get_frames([0, 5, 26]), [whole[13], whole[18], whole[39]])
        assert not reader._in_use


@needs_decord
def test_a_mirrored_picture_that_it_does_not_mirror(tmp_path):
    path = write_video(tmp_path / 'a.mp4', [np.full((48, 64, 3), 128, np.uint8), *moving_frames(3)], bf=0)
    stored = decode_all(path)
    data = bytearray(path.read_bytes())
    unit = 1 << 16
    matrix = (-unit, 0, 0, 0, unit, 0, 0, 0, 1 << 30)
    struct.pack_into('>9i', data, data.index(b'tkhd') + 4 + 4 + 20 + 8 + 8, *matrix)
    path.write_bytes(data)
    with open_video(path, 'decord') as reader:  # by the first picture it could not be told
        np.testing.assert_array_equal(reader.get_frames([2])[0], stored[2][:, ::-1])
