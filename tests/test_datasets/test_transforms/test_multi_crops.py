import pytest
import torch

from mmmutual.datasets.transforms import FiveCrop, TenCrop, ThreeCrop

from .test_crops import grid


def corners(crop, height, width):
    results = crop(dict(frames=dict(rgb=grid(height, width))))
    return results['num_crops'], [tuple(place) for place in results['frames']['rgb'][:, :, 0, 0].tolist()]


def test_three_crops_left_right_center():
    # steps of (30 - 16) // 4 = 3 along the width and (22 - 16) // 4 = 1 along the height
    assert corners(ThreeCrop(16), 22, 30) == (3, [(2, 0), (2, 12), (2, 6)])


def test_three_crops_of_a_portrait_are_the_same():
    assert corners(ThreeCrop(16), 26, 16) == (3, [(4, 0)] * 3)


def test_five_crops_corners_and_center():
    assert corners(FiveCrop(16), 22, 30) == (5, [(0, 0), (0, 12), (4, 0), (4, 12), (2, 6)])


def test_ten_crops_each_with_its_mirror_image():
    frames = torch.randint(0, 256, (2, 3, 22, 30), dtype=torch.uint8)
    results = TenCrop(16)(dict(frames=dict(rgb=frames)))
    crops = results['frames']['rgb'].unflatten(0, (10, 2))
    five = FiveCrop(16)(dict(frames=dict(rgb=frames)))['frames']['rgb'].unflatten(0, (5, 2))
    assert results['num_crops'] == 10
    assert torch.equal(crops[0::2], five)
    assert torch.equal(crops[1::2], five.flip(4))


def test_crops_are_the_outermost_part():
    frames = torch.arange(4, dtype=torch.uint8)[:, None, None, None].expand(4, 3, 20, 20)
    crops = ThreeCrop(16)(dict(frames=dict(rgb=frames)))['frames']['rgb']
    assert crops[:, 0, 0, 0].tolist() == [0, 1, 2, 3] * 3


def test_frame_smaller_than_the_crop():
    with pytest.raises(ValueError, match=r'ThreeCrop\(size=16\) .*got 12 x 40'):
        corners(ThreeCrop(16), 40, 12)
