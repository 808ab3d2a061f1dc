"""Frames to numbered images and back, and resizing."""

import cv2
import numpy as np
import pytest

from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.frame_folders import (
    list_images,
    read_frames,
    resize_height,
    resize_short_side,
    save_frames,
    write_image,
)

from ..video_files import moving_frames


def test_frames_survive_as_jpeg(tmp_path):
    frames = moving_frames(3)
    assert save_frames(tmp_path / 'clip', iter(frames)) == 3
    names = [path.name for path in sorted((tmp_path / 'clip').iterdir())]
    assert names == ['img_000001.jpg', 'img_000002.jpg', 'img_000003.jpg']
    for frame, stored in zip(frames, read_frames(list_images(tmp_path / 'clip'))):
        assert np.abs(frame.astype(int) - stored).mean() < 4


def test_channels_keep_their_places(tmp_path):
    red = np.zeros((20, 20, 3), np.uint8)
    red[..., 0] = 255
    save_frames(tmp_path / 'clip', [red], filename_tmpl='{:02d}.png')
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'clip' / '01.png'))[0, 0], [0, 0, 255])  # OpenCV reads BGR
    (stored,) = read_frames([tmp_path / 'clip' / '01.png'])
    np.testing.assert_array_equal(stored, red)


def test_grey_stays_one_channel(tmp_path):
    write_image(tmp_path / 'a.png', np.arange(100, dtype=np.uint8).reshape(10, 10))
    stored = cv2.imread(str(tmp_path / 'a.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, np.arange(100).reshape(10, 10))


def test_no_frame_leaves_no_folder(tmp_path):
    with pytest.raises(ValueError, match='no frame to write'):
        save_frames(tmp_path / 'clip', [])
    assert list(tmp_path.iterdir()) == []


def test_images_are_listed_by_number(tmp_path):
    for name in ('10.jpg', '2.JPG', 'b1.png', 'notes.txt', '1.jpeg', 'a20.png', 'a3.png'):
        (tmp_path / name).touch()
    names = [path.name for path in list_images(tmp_path)]
    assert names == ['1.jpeg', '2.JPG', '10.jpg', 'a3.png', 'a20.png', 'b1.png']
    assert [path.name for path in list_images(tmp_path, ('.png',))] == ['a3.png', 'a20.png', 'b1.png']


@pytest.mark.parametrize('data', [b'', b'no image'])
def test_what_is_no_image_is_named(tmp_path, data):
    file = tmp_path / 'a.jpg'
    file.write_bytes(data)
    with pytest.raises(UnreadableMediaError, match='a.jpg: unreadable'):
        list(read_frames([file]))


@pytest.mark.parametrize(
    ('shape', 'short_side', 'expected'),
    [
        ((240, 427), 128, (128, 228)),  # 227.7
        ((427, 240), 128, (228, 128)),
        ((100, 100), 128, (128, 128)),
        ((128, 300), 128, (128, 300)),
        ((1, 1), 16, (16, 16)),
    ],
)
def test_short_side(shape, short_side, expected):
    frame = np.full((*shape, 3), 77, np.uint8)
    resized = resize_short_side(frame, short_side)
    assert resized.shape == (*expected, 3)
    assert (resized == 77).all()


def test_shrinking_averages():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::2] = 200
    np.testing.assert_allclose(resize_short_side(stripes, 16), 100, atol=1)


@pytest.mark.parametrize(('size', 'height', 'width'), [((48, 64), 24, 32), ((240, 427), 256, 455), ((7, 2), 3, 1)])
def test_resize_height_rounds_the_width(size, height, width):
    assert resize_height(np.zeros((*size, 3), np.uint8), height).shape == (height, width, 3)


def test_a_frame_of_that_height_is_left_as_it_is():
    frame = moving_frames(1)[0]
    assert resize_height(frame, 48) is frame


def test_quality_sets_the_size_of_the_file(tmp_path):
    sizes = []
    for quality in (30, 95):
        save_frames(tmp_path / str(quality), moving_frames(1), quality=quality)
        sizes.append((tmp_path / str(quality) / 'img_000001.jpg').stat().st_size)
    assert 2 * sizes[0] < sizes[1]
