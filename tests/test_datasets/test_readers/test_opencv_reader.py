"""Where OpenCV is used, and where it isn't; the rest is in test_checked_reader.py."""

import cv2
import numpy as np

from mmmutual.datasets.readers import open_video

from ...video_files import decode_all, moving_frames, write_video

original_capture = cv2.VideoCapture


def test_any_order(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(30), gop=7, bf=3)
    expected = decode_all(path)
    with open_video(path, 'opencv') as reader:
        for number in (20, 3, 3, 29, 0, 0, 11):
            np.testing.assert_allclose(reader.get_frames([number])[0], expected[number], atol=1)
        np.testing.assert_allclose(reader.get_frames([7, 2, 7]), [expected[7], expected[2], expected[7]], atol=1)
        assert reader._in_use


def test_red_is_the_first_channel(tmp_path):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    frames = [red, np.roll(red, 1, axis=2)]
    with open_video(write_video(tmp_path / 'a.mp4', frames), 'opencv') as reader:
        assert reader.get_frames([0, 1]).mean(axis=(1, 2)).argmax(axis=1).tolist() == [0, 1]
        assert reader._in_use


def test_interlaced_frames_that_it_returns_as_old_memory(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(10), x264_params='tff=1:interlaced=1')
    with open_video(path, 'opencv') as reader, open_video(path) as by_pyav:
        np.testing.assert_array_equal(reader.get_frames([0, 6]), by_pyav.get_frames([0, 6]))
        assert not reader._in_use


def test_equal_pictures_are_left_to_pyav_as_they_may_be_old_memory(tmp_path):
    frames = moving_frames(6)
    path = write_video(tmp_path / 'a.mp4', [*frames, frames[-1], frames[-1]], codec='libx264', qp=0, pix_fmt='yuv444p')
    expected = decode_all(path)
    assert np.array_equal(expected[-1], expected[-2])
    with open_video(path, 'opencv') as reader:
        reader.get_frames([0, 5])
        assert reader._in_use
        np.testing.assert_array_equal(reader.get_frames([5, 6, 7]), expected[5:8])
        assert not reader._in_use


class _OneFrameLess:
    """A capture that leaves out the fourth frame; OpenCV's own class doesn't survive being inherited from."""

    def __init__(self, *args):
        self.capture = original_capture(*args)
        self.get, self.retrieve, self.release = self.capture.get, self.capture.retrieve, self.capture.release
        self.grabbed = 0

    def grab(self):
        self.grabbed += 1
        return self.capture.grab() and (self.grabbed != 4 or self.capture.grab())


def test_a_frame_left_out_is_noticed_by_its_time(tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', moving_frames(10))
    expected = decode_all(path)
    monkeypatch.setattr(cv2, 'VideoCapture', _OneFrameLess)
    with open_video(path, 'opencv') as reader:
        np.testing.assert_allclose(reader.get_frames([2])[0], expected[2], atol=1)
        assert reader._in_use
        np.testing.assert_array_equal(reader.get_frames([5])[0], expected[5])
        assert not reader._in_use
