"""One picture of what a pipeline yields: a row per input, a column per segment."""

from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Union

import numpy as np
import torch
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from mmmutual.utils.whole_output import whole_file

from .flow_color import NO_MOTION, color_wheel, flow_to_color

TILE_HEIGHT = 140
GAP = 6
LABEL_WIDTH = 120
TITLE_HEIGHT = 40
HEADER_HEIGHT = 22
LINE_HEIGHT = 17
INK, FAINT, PAPER = (32, 32, 32), (120, 120, 120), (255, 255, 255)


class _Row(NamedTuple):
    label: str
    note: str
    tiles: List[ndarray]  # RGB (H, W, 3) uint8
    legend: Optional[ndarray] = None


def clip_sheet(inputs: Dict[str, Tensor], title: str) -> ndarray:
    """Draw the inputs of one sample.

    Of each segment the first frame is shown, of ``flow`` the first pair by colour (full at the 99th percentile of the
    sample's displacements), of ``rgbdiff`` the first difference around grey. Views stand below one another. Inputs
    that are no frames are named with their shape.

    Args:
        inputs: input name -> uint8 (T, L * C, H, W), or (V, T, L * C, H, W) of V views.
        title: of the picture; its first line is large, further ones small.

    Returns:
        RGB, uint8 (height, width, 3).
    """
    rows: List[_Row] = []
    others: List[str] = []
    for name, data in inputs.items():
        if isinstance(data, Tensor) and data.dtype == torch.uint8 and data.ndim in (4, 5):
            rows += _rows_of(name, data if data.ndim == 5 else data[None])
        else:
            shape = f'{tuple(data.shape)} {data.dtype}' if isinstance(data, Tensor) else type(data).__name__
            others.append(f'{name}: {shape}')
    return _draw(title, rows, others)


def save_clip_sheet(file: Union[str, Path], inputs: Dict[str, Tensor], title: str) -> None:
    """Write :func:`clip_sheet` as a PNG that appears whole or not at all."""
    with whole_file(file) as unfinished:
        Image.fromarray(clip_sheet(inputs, title)).save(unfinished, format='PNG')


def _rows_of(name: str, views: Tensor) -> List[_Row]:
    """One row per view of views (V, T, L * C, H, W)."""
    draw, note, legend = _first_frame, '', None
    if name == 'flow':
        full_level = max(8.0, float(np.percentile(np.abs(views.numpy().astype(np.float32) - NO_MOTION), 99)))
        draw = partial(_first_flow, full_level=full_level)
        note, legend = f'pair 1 of {views.shape[2] // 2}', color_wheel(48)
    elif name == 'rgbdiff':
        draw, note = _first_difference, f'difference 1 of {views.shape[2] // 3 - 1}'
    elif views.shape[2] > 3:
        note = f'frame 1 of {views.shape[2] // 3}'
    several = len(views) > 1
    return [
        _Row(f'{name}, view {number}' if several else name, note, _tiles(view, draw), legend)
        for number, view in enumerate(views, start=1)
    ]


def _tiles(view: Tensor, draw: Callable[[ndarray], ndarray]) -> List[ndarray]:
    """Pictures of the segments of a view (T, L * C, H, W), all of one height."""
    tiles = []
    for segment in view.numpy():
        picture = Image.fromarray(draw(segment))
        size = max(1, round(picture.width * TILE_HEIGHT / picture.height)), TILE_HEIGHT
        tiles.append(np.asarray(picture.resize(size, Image.BILINEAR)))
    return tiles


def _first_frame(segment: ndarray) -> ndarray:
    return np.ascontiguousarray(segment[:3].transpose(1, 2, 0))


def _first_flow(segment: ndarray, full_level: float) -> ndarray:
    return flow_to_color(segment[:2], full_level)


def _first_difference(segment: ndarray) -> ndarray:
    first, second = segment[:3].astype(np.int16), segment[3:6].astype(np.int16)
    return np.clip(NO_MOTION + second - first, 0, 255).astype(np.uint8).transpose(1, 2, 0)


def _draw(title: str, rows: List[_Row], others: List[str]) -> ndarray:
    large, normal, small = (ImageFont.load_default(size) for size in (18, 14, 12))
    columns = max((len(row.tiles) for row in rows), default=0)
    tile_width = max((row.tiles[0].shape[1] for row in rows), default=0)
    head, *notes = title.split('\n')
    longest = max([large.getlength(head), *(normal.getlength(note) for note in notes)])
    width = max(LABEL_WIDTH + columns * (tile_width + GAP) + GAP, int(longest) + 3 * GAP, 320)
    title_height = TITLE_HEIGHT + len(notes) * LINE_HEIGHT + (GAP if notes else 0)
    top = title_height + (HEADER_HEIGHT if rows else 0)
    height = top + len(rows) * (TILE_HEIGHT + GAP) + len(others) * LINE_HEIGHT + GAP
    sheet = Image.new('RGB', (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((2 * GAP, 10), head, INK, font=large)
    for number, note in enumerate(notes):
        pen.text((2 * GAP, TITLE_HEIGHT - 4 + number * LINE_HEIGHT), note, INK, font=normal)
    for column in range(columns):
        left = LABEL_WIDTH + column * (tile_width + GAP)
        pen.text((left, title_height), f'segment {column + 1}', FAINT, font=small)
    for row in rows:
        pen.text((2 * GAP, top), row.label, INK, font=normal)
        pen.text((2 * GAP, top + LINE_HEIGHT + 2), row.note, FAINT, font=small)
        if row.legend is not None:
            sheet.paste(Image.fromarray(row.legend), (2 * GAP, top + 3 * LINE_HEIGHT))
        for column, tile in enumerate(row.tiles):
            sheet.paste(Image.fromarray(tile), (LABEL_WIDTH + column * (tile_width + GAP), top))
        top += TILE_HEIGHT + GAP
    for line in others:
        pen.text((2 * GAP, top), line, INK, font=small)
        top += LINE_HEIGHT
    return np.array(sheet)
