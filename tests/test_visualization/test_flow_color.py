import numpy as np
import pytest

from mmmutual.visualization import color_wheel, flow_to_color


def color(x, y, full_level=50):
    return flow_to_color(np.array([[[128 + x]], [[128 + y]]], np.uint8), full_level)[0, 0].tolist()


def test_no_motion_is_white():
    assert color(0, 0) == [255, 255, 255]


@pytest.mark.parametrize(
    ('x', 'y', 'expected'),
    # hues of 0, 90, 180 and 270 degrees; y points down
    [(50, 0, [255, 0, 0]), (0, 50, [128, 255, 0]), (-50, 0, [0, 255, 255]), (0, -50, [128, 0, 255])],
)
def test_full_colors(x, y, expected):
    assert np.abs(np.array(color(x, y)) - expected).max() <= 1


def test_slow_motion_is_pale_and_fast_motion_stays_full():
    assert np.abs(np.array(color(25, 0)) - [255, 128, 128]).max() <= 1
    assert color(120, 0) == [255, 0, 0]


def test_shape_and_place():
    flow = np.full((2, 4, 6), 128, np.uint8)
    flow[0, 1, 2] = 255
    picture = flow_to_color(flow, 50)
    assert picture.shape == (4, 6, 3)
    assert picture.dtype == np.uint8
    assert picture[1, 2].tolist() == [255, 0, 0]
    assert (picture.reshape(-1, 3) != 255).any(axis=1).sum() == 1


def test_wheel():
    wheel = color_wheel(41)
    assert wheel.shape == (41, 41, 3)
    assert (wheel[0, 0] == 255).all()
    assert (wheel[20, 20] == 255).all()
    assert wheel[20, 40].tolist() == [255, 0, 0]
