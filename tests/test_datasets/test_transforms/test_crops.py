import random

import pytest
import torch

from mmmutual.datasets.transforms import CenterCrop, MultiScaleCrop


def grid(height, width):
    """Frames whose pixels say where they are: (1, 2, H, W), first channel the row, second the column."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    return torch.stack([rows, columns]).to(torch.uint8)[None]


def test_boxes_lie_inside_and_have_the_listed_sides():
    crop = MultiScaleCrop(224)
    random.seed(0)
    boxes = [crop.draw_box(256, 340) for _ in range(2000)]
    sides = {256, 224, 192, 168}
    assert {(w, h) for _, _, w, h in boxes} == {
        (w, h) for w in sides for h in sides if abs(sorted(sides).index(w) - sorted(sides).index(h)) <= 1
    }
    for x, y, w, h in boxes:
        assert 0 <= x <= 340 - w
        assert 0 <= y <= 256 - h
    smallest = {(x, y) for x, y, w, h in boxes if (w, h) == (168, 168)}
    assert len(smallest) == 13
    assert (0, 0) in smallest
    assert (172, 88) in smallest


def test_side_near_the_size_becomes_the_size():
    crop = MultiScaleCrop(224, scales=(1,))
    assert crop.draw_box(226, 300)[2:] == (224, 224)
    assert crop.draw_box(227, 300)[2:] == (227, 227)


@pytest.mark.parametrize(('height', 'width'), [(222, 222), (223, 300), (10, 12), (1, 1)])
def test_boxes_never_leave_a_small_frame(height, width):
    crop = MultiScaleCrop(224)
    random.seed(0)
    for _ in range(50):
        x, y, w, h = crop.draw_box(height, width)
        assert w >= 1
        assert h >= 1
        assert 0 <= x <= width - w
        assert 0 <= y <= height - h


def test_one_box_for_all_inputs():
    crop = MultiScaleCrop(20, scales=(0.5,))  # sides of 20: cut without resizing
    frames = dict(a=grid(40, 60), b=grid(40, 60).repeat(3, 1, 1, 1))
    random.seed(1)
    x, y, _, _ = crop.draw_box(40, 60)
    random.seed(1)
    cut = crop(dict(frames=frames))['frames']
    for name, count in dict(a=1, b=3).items():
        assert torch.equal(cut[name], frames[name][:, :, y : y + 20, x : x + 20])
        assert len(cut[name]) == count


def test_two_draws_of_pythons_generator():
    random.seed(3)
    MultiScaleCrop(224).draw_box(256, 340)
    after = random.random()
    random.seed(3)
    random.choice(range(10)), random.choice(range(13))
    assert random.random() == after


def test_result_has_the_size():
    random.seed(0)
    for _ in range(5):
        out = MultiScaleCrop(24)(dict(frames=dict(rgb=torch.zeros(2, 3, 50, 70, dtype=torch.uint8))))
        assert out['frames']['rgb'].shape == (2, 3, 24, 24)


@pytest.mark.parametrize(
    ('size', 'top', 'left'),
    # halves go to the even number: 2.5 to 2, 3.5 to 4
    [((15, 17), 2, 4), ((16, 20), 3, 5), ((10, 10), 0, 0)],
)
def test_center_crop(size, top, left):
    cut = CenterCrop(10)(dict(frames=dict(rgb=grid(*size))))['frames']['rgb']
    assert cut.shape == (1, 2, 10, 10)
    assert cut[0, :, 0, 0].tolist() == [top, left]


def test_frame_smaller_than_the_center_crop():
    with pytest.raises(ValueError, match=r"CenterCrop\(size=10\) .*at least 10 x 10 .*got 12 x 9 in sample 'v1'"):
        CenterCrop(10)(dict(frames=dict(rgb=grid(9, 12)), key='v1'))


@pytest.mark.parametrize('scales', [(), (1.2,), (0,)])
def test_wrong_scales(scales):
    with pytest.raises(ValueError, match=r'scales of MultiScaleCrop must lie in \(0, 1\]'):
        MultiScaleCrop(scales=scales)


def test_wrong_size():
    with pytest.raises(ValueError, match='size of CenterCrop must be at least 1 pixel, got -2'):
        CenterCrop(-2)
