import numpy as np
import pytest
import torch
from PIL import Image

from mmmutual.datasets.transforms import ResizeShortSide
from mmmutual.datasets.transforms.resize import resize_frames

# Ratios such as 6 / 7 and 4 / 5 have values half way between two grey levels, where implementations differ most.
SIZES = [
    ((192, 192), (224, 224)),
    ((168, 192), (224, 224)),
    ((256, 256), (224, 224)),
    ((60, 80), (48, 64)),
    ((256, 192), (224, 224)),
    ((90, 101), (33, 57)),
    ((52, 44), (44, 44)),
    ((7, 5), (3, 9)),
]


def by_pillow(plane, size):
    return np.asarray(Image.fromarray(plane).resize(size[::-1], Image.BILINEAR)).astype(int)


def picture(kind, shape):
    rng = np.random.default_rng(0)
    if kind == 'noise':
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == 'black and white':
        return rng.integers(0, 2, shape, dtype=np.uint8) * 255
    # equal rows: rounding errors along the rows don't average out along the columns
    return np.broadcast_to(rng.integers(0, 256, (*shape[:2], 1, shape[3]), dtype=np.uint8), shape).copy()


@pytest.mark.parametrize(('before', 'after'), SIZES)
@pytest.mark.parametrize('kind', ['noise', 'black and white', 'columns'])
def test_agrees_with_pillow_within_a_grey_level(before, after, kind):
    planes = picture(kind, (6, 2, *before))
    ours = resize_frames(torch.from_numpy(planes), after)
    assert ours.shape == (6, 2, *after)
    for frame, expected in zip(ours.flatten(0, 1).numpy(), planes.reshape(12, *before)):
        assert np.abs(frame.astype(int) - by_pillow(expected, after)).max() <= 1


@pytest.mark.parametrize('after', [(40, 60), (20, 30), (40, 30)])
def test_layouts_give_the_same(after):
    pixels = torch.from_numpy(picture('noise', (3, 31, 44, 3)))
    interleaved = pixels.permute(0, 3, 1, 2)
    ours = resize_frames(interleaved, after)
    planes = resize_frames(interleaved.contiguous(), after)
    # OpenCV's code for one and for three channels may round differently
    assert (ours.int() - planes.int()).abs().max() <= 1
    assert ours.stride(1) == 1
    assert planes.is_contiguous()


def test_views_of_a_crop():
    frames = torch.from_numpy(picture('noise', (2, 2, 40, 50)))
    crop = frames[:, :, 3:27, 5:38]
    for after in ((30, 40), (20, 20)):
        assert torch.equal(resize_frames(crop, after), resize_frames(crop.contiguous(), after))


def test_same_size_is_left_alone():
    frames = torch.zeros(1, 2, 4, 5, dtype=torch.uint8)
    assert resize_frames(frames, (4, 5)) is frames


@pytest.mark.parametrize(
    ('size', 'expected'), [((240, 427), (256, 455)), ((427, 240), (455, 256)), ((300, 300), (256, 256))]
)
def test_short_side(size, expected):
    """The long side is rounded down: 427 * 256 / 240 = 455.47."""
    frames = dict(rgb=torch.zeros(1, 3, *size, dtype=torch.uint8), flow=torch.zeros(2, 2, *size, dtype=torch.uint8))
    resized = ResizeShortSide(256)(dict(frames=frames))['frames']
    assert resized['rgb'].shape == (1, 3, *expected)
    assert resized['flow'].shape == (2, 2, *expected)


def test_long_side_is_rounded_down_not_to_nearest():
    resized = ResizeShortSide(10)(dict(frames=dict(rgb=torch.zeros(1, 3, 20, 39, dtype=torch.uint8))))
    assert resized['frames']['rgb'].shape == (1, 3, 10, 19)


def test_size_must_be_positive():
    with pytest.raises(ValueError, match='size of ResizeShortSide must be at least 1 pixel, got 0'):
        ResizeShortSide(0)
