import numpy as np
import pytest
import torch
from PIL import Image

from mmmutual.visualization import clip_sheet, save_clip_sheet
from mmmutual.visualization.clip_sheet import GAP, HEADER_HEIGHT, LABEL_WIDTH, TILE_HEIGHT, TITLE_HEIGHT


def tile(sheet, row, column, width=TILE_HEIGHT):
    """Middle pixel of a tile of frames as wide as high."""
    top = TITLE_HEIGHT + HEADER_HEIGHT + row * (TILE_HEIGHT + GAP)
    left = LABEL_WIDTH + column * (width + GAP)
    return sheet[top + TILE_HEIGHT // 2, left + width // 2].tolist()


def plain(segments, levels):
    """(T, channels, 8, 8) of constant levels."""
    return torch.tensor(levels, dtype=torch.uint8)[None, :, None, None].expand(segments, -1, 8, 8).clone()


def test_rows_and_columns():
    rgb = plain(3, [10, 20, 30])
    rgb[2] = 200
    flow = plain(3, [128, 128] * 5)
    flow[1, 0] = 255  # to the right
    diff = plain(3, [100] * 18)
    diff[1, 3:6] = 90
    sheet = clip_sheet(dict(rgb=rgb, flow=flow, rgbdiff=diff), 'a clip')
    assert sheet.dtype == np.uint8
    assert sheet.shape[0] == TITLE_HEIGHT + HEADER_HEIGHT + 3 * (TILE_HEIGHT + GAP) + GAP
    assert sheet.shape[1] == LABEL_WIDTH + 3 * (TILE_HEIGHT + GAP) + GAP
    assert [tile(sheet, 0, column) for column in range(3)] == [[10, 20, 30], [10, 20, 30], [200, 200, 200]]
    assert [tile(sheet, 1, column) for column in range(2)] == [[255, 255, 255], [255, 0, 0]]
    assert [tile(sheet, 2, column) for column in range(2)] == [[128, 128, 128], [118, 118, 118]]


def test_title_and_labels_are_written():
    sheets = [clip_sheet(dict(rgb=plain(2, [9, 9, 9])), title) for title in ('one', 'two')]
    assert (sheets[0][:TITLE_HEIGHT] != sheets[1][:TITLE_HEIGHT]).any()
    renamed = clip_sheet(dict(other=plain(2, [9, 9, 9])), 'one')
    assert (sheets[0][:, :LABEL_WIDTH] != renamed[:, :LABEL_WIDTH]).any()


def test_views_are_rows():
    views = torch.stack([plain(2, [10, 10, 10]), plain(2, [50, 50, 50])])
    sheet = clip_sheet(dict(rgb=views), 'a clip')
    assert tile(sheet, 0, 1) == [10] * 3
    assert tile(sheet, 1, 1) == [50] * 3


def test_inputs_that_are_no_frames_are_named():
    alone = clip_sheet(dict(audio=torch.zeros(1, 16000), text='hello'), 'a clip')
    assert (alone != 255).any()
    with_frames = clip_sheet(dict(rgb=plain(2, [9, 9, 9]), audio=torch.zeros(1, 16000)), 'a clip')
    without = clip_sheet(dict(rgb=plain(2, [9, 9, 9])), 'a clip')
    assert with_frames.shape[0] > without.shape[0]


def test_long_titles_widen_the_sheet():
    sheet = clip_sheet(dict(rgb=plain(1, [9, 9, 9])), 'Pretending to put something behind something ' * 3)
    assert sheet.shape[1] > 800


@pytest.mark.parametrize('shape', [(2, 3, 8, 16), (2, 3, 16, 8)])
def test_frames_keep_their_proportions(shape):
    sheet = clip_sheet(dict(rgb=torch.zeros(shape, dtype=torch.uint8)), 'a')
    row = sheet[TITLE_HEIGHT + HEADER_HEIGHT + 50]
    assert (row == 0).all(axis=1).sum() == 2 * TILE_HEIGHT * shape[3] // shape[2]


def test_a_saved_sheet_is_the_drawn_one_and_whole(tmp_path, monkeypatch):
    inputs, file = dict(rgb=plain(2, [9, 90, 200])), tmp_path / 'new' / 'sheet.png'
    save_clip_sheet(file, inputs, 'a clip')
    assert (np.asarray(Image.open(file)) == clip_sheet(inputs, 'a clip')).all()
    monkeypatch.setattr(Image.Image, 'save', lambda image, name, format: name.write_bytes(b'half') and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_clip_sheet(file, inputs, 'another')
    assert [path.name for path in file.parent.iterdir()] == ['sheet.png']
    assert (np.asarray(Image.open(file)) == clip_sheet(inputs, 'a clip')).all()
