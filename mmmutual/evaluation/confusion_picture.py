"""A confusion matrix as a picture and as a file."""

from pathlib import Path
from typing import List, Sequence, Union

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from mmmutual.utils.whole_output import whole_file

from .functional import worst_confusions

MAX_CLASSES_WITH_COUNTS = 40
LARGE_CELL, SMALL_CELL = 36, 13
MAX_NAME = 42  # letters of a class name beside the matrix
NUM_WORST = 25
MARGIN, LINE_HEIGHT, TITLE_HEIGHT = 12, 19, 34
PAPER, INK, FAINT, NO_SAMPLES = (255, 255, 255), (32, 32, 32), (120, 120, 120), (226, 226, 226)
FULL = np.array((8, 48, 107))  # colour of a share of 1
LEGEND = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)


def save_confusion(folder: Union[str, Path], name: str, confusion: Tensor, classes: Sequence[str]) -> None:
    """Write ``<name>.npz`` (``confusion`` (C, C) int64, ``classes`` (C,) str) and ``<name>.png`` into a folder."""
    with whole_file(Path(folder, f'{name}.npz')) as partial, open(partial, 'wb') as stream:
        np.savez(stream, confusion=confusion.numpy(), classes=np.array(classes, dtype=str))
    with whole_file(Path(folder, f'{name}.png')) as partial:
        confusion_picture(confusion, classes, name).save(partial, format='PNG')


def confusion_picture(confusion: Tensor, classes: Sequence[str], title: str) -> Image.Image:
    """Draw a confusion matrix: rows are the classes, columns what was predicted, colours the share of the row.

    The counts stand in the cells of up to 40 classes. Beside the matrix the largest confusions are named.

    Args:
        confusion: (C, C) int64.
        classes: C names.
        title: of the picture.
    """
    with_counts = len(classes) <= MAX_CLASSES_WITH_COUNTS
    cell = LARGE_CELL if with_counts else SMALL_CELL
    font = ImageFont.load_default(13 if with_counts else 11)
    names = [f'{_shorten(name)}  {i}' if name != str(i) else name for i, name in enumerate(classes)]
    name_width = int(max(font.getlength(name) for name in names)) + MARGIN
    matrix = Image.fromarray(_colours(confusion.numpy()).repeat(cell, axis=0).repeat(cell, axis=1))
    _draw_lines(matrix, cell, every=1 if with_counts else 10)
    if with_counts:
        _draw_counts(matrix, confusion, cell)
    lines = _lines_of_worst(confusion, classes)
    text_font = ImageFont.load_default(14)
    text_left = MARGIN + name_width + matrix.width + 3 * MARGIN
    text_width = int(max(text_font.getlength(line) for line in lines))
    matrix_top = TITLE_HEIGHT + name_width
    height = max(matrix_top + matrix.height, TITLE_HEIGHT + (len(lines) + len(LEGEND) + 3) * LINE_HEIGHT) + MARGIN
    picture = Image.new('RGB', (text_left + text_width + MARGIN, height), PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((MARGIN, MARGIN), f'{title}: rows true, columns predicted', INK, font=ImageFont.load_default(16))
    picture.paste(matrix, (MARGIN + name_width, matrix_top))
    picture.paste(_name_column(names, font, cell, name_width), (MARGIN, matrix_top))
    columns = _name_column(names[::-1], font, cell, name_width).transpose(Image.Transpose.ROTATE_270)
    picture.paste(columns, (MARGIN + name_width, TITLE_HEIGHT))
    for number, line in enumerate(lines):
        pen.text((text_left, TITLE_HEIGHT + number * LINE_HEIGHT), line, INK, font=text_font)
    _draw_legend(pen, (text_left, TITLE_HEIGHT + (len(lines) + 1) * LINE_HEIGHT))
    return picture


def _colours(confusion: np.ndarray) -> np.ndarray:
    """RGB uint8 (C, C, 3)."""
    totals = confusion.sum(axis=1, keepdims=True)
    colours = _colour_of(confusion / np.maximum(totals, 1))
    colours[totals[:, 0] == 0] = NO_SAMPLES
    return colours


def _colour_of(share: np.ndarray) -> np.ndarray:
    # the square root keeps confusions of a few percent visible
    strength = np.sqrt(share)[..., None]
    return (np.array(PAPER) * (1 - strength) + FULL * strength).round().astype(np.uint8)


def _draw_lines(matrix: Image.Image, cell: int, every: int) -> None:
    pen = ImageDraw.Draw(matrix)
    for offset in range(0, matrix.width, every * cell):
        pen.line((offset, 0, offset, matrix.height), NO_SAMPLES)
        pen.line((0, offset, matrix.width, offset), NO_SAMPLES)
    pen.rectangle((0, 0, matrix.width - 1, matrix.height - 1), outline=FAINT)


def _draw_counts(matrix: Image.Image, confusion: Tensor, cell: int) -> None:
    pen = ImageDraw.Draw(matrix)
    totals = confusion.sum(dim=1)
    for i, j in confusion.nonzero().tolist():
        count = int(confusion[i, j])
        text = str(count) if count < 10000 else f'{count // 1000}k'
        colour = PAPER if count > 0.25 * totals[i] else INK
        centre = (j * cell + cell // 2, i * cell + cell // 2)
        pen.text(centre, text, colour, font=ImageFont.load_default(13), anchor='mm')


def _name_column(names: Sequence[str], font: ImageFont.FreeTypeFont, cell: int, width: int) -> Image.Image:
    """Names below one another, their ends at the right border."""
    column = Image.new('RGB', (width, cell * len(names)), PAPER)
    pen = ImageDraw.Draw(column)
    for i, name in enumerate(names):
        pen.text((width - MARGIN // 2, i * cell + cell // 2), name, INK, font=font, anchor='rm')
    return column


def _lines_of_worst(confusion: Tensor, classes: Sequence[str]) -> List[str]:
    totals = confusion.sum(dim=1)
    lines = [
        f'{count} of {int(totals[i])}   {classes[i]} ({i})  as  {classes[j]} ({j})'
        for i, j, count in worst_confusions(confusion, NUM_WORST)
    ]
    return [f'{int(confusion.diagonal().sum())} of {int(totals.sum())} samples are right', '', *lines]


def _draw_legend(pen: ImageDraw.ImageDraw, corner: tuple) -> None:
    left, top = corner
    font = ImageFont.load_default(14)
    pen.text((left, top), 'share of the samples of a class', INK, font=font)
    for number, share in enumerate(LEGEND, start=1):
        box_top = top + number * LINE_HEIGHT
        colour = tuple(_colour_of(np.array(share)).tolist())
        pen.rectangle((left, box_top, left + 30, box_top + LINE_HEIGHT - 3), colour, FAINT)
        pen.text((left + 40, box_top), f'{share:.0%}', INK, font=font)
    box_top += LINE_HEIGHT
    pen.rectangle((left, box_top, left + 30, box_top + LINE_HEIGHT - 3), NO_SAMPLES, FAINT)
    pen.text((left + 40, box_top), 'no samples', INK, font=font)


def _shorten(name: str) -> str:
    return name if len(name) <= MAX_NAME else f'{name[: MAX_NAME - 1].rstrip()}…'
