"""Scores of classes as a picture: a bar behind each name, a group per branch."""

from typing import Dict, Sequence, Tuple

import numpy as np
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont

INK, FAINT, PAPER, BAR, BEST_BAR = (32, 32, 32), (110, 110, 110), (255, 255, 255), (214, 226, 240), (150, 196, 240)
MAX_NAME = 40  # letters of a class name; longer ones are cut off


def score_panel(title: str, scores: Dict[str, Sequence[Tuple[str, float]]], text_height: int = 14) -> ndarray:
    """Draw the best classes of each branch.

    Args:
        title: the line at the top.
        scores: branch -> pairs of class name and score in [0, 1], best first.
        text_height: height of the letters in pixels.

    Returns:
        RGB, uint8 (height, width, 3), as large as the text needs.
    """
    large, normal, small = (ImageFont.load_default(round(text_height * factor)) for factor in (1.2, 1, 0.85))
    line, gap = round(text_height * 1.35), max(2, text_height // 3)
    title = _shorten(title)
    rows = {branch: [(_shorten(name), score) for name, score in pairs] for branch, pairs in scores.items()}
    names = [name for pairs in rows.values() for name, _ in pairs]
    text_width = max([normal.getlength(name) for name in names] + [8 * text_height])
    number_width = normal.getlength('0.00') + gap
    bar_width = int(max(text_width + 2 * gap + number_width, large.getlength(title)))
    heights = [line + len(pairs) * (line + 2) + gap for pairs in rows.values()]
    panel = Image.new('RGB', (bar_width + 4 * gap, round(1.3 * line) + sum(heights) + 2 * gap), PAPER)
    pen = ImageDraw.Draw(panel)
    left, top = 2 * gap, gap
    pen.text((left, top), title, INK, font=large)
    top += round(1.3 * line)
    for branch, pairs in rows.items():
        pen.text((left, top + gap // 2), branch, FAINT, font=small)
        top += line
        for rank, (name, score) in enumerate(pairs):
            length = round(bar_width * min(max(score, 0), 1))
            if length:
                pen.rectangle((left, top, left + length - 1, top + line - 1), fill=BAR if rank else BEST_BAR)
            pen.text((left + gap, top + 1), name, INK, font=normal)
            pen.text((left + bar_width - number_width, top + 1), f'{score:.2f}', INK, font=normal)
            top += line + 2
        top += gap
    return np.array(panel)


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_NAME else f'{text[: MAX_NAME - 3]}...'
