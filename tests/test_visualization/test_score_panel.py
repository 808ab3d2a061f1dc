import numpy as np
import pytest

from mmmutual.visualization import score_panel
from mmmutual.visualization.score_panel import BAR, BEST_BAR, INK


def bar_lengths(panel, colour):
    """Lengths in pixels of the bars of a colour, from top to bottom; text above them makes holes."""
    columns = [np.flatnonzero((row == colour).all(axis=1)) for row in panel]
    lengths, last = [], 0
    for found in columns:
        length = found[-1] - found[0] + 1 if len(found) else 0
        if length and last:
            lengths[-1] = max(lengths[-1], length)
        elif length:
            lengths.append(length)
        last = length
    return lengths


@pytest.mark.parametrize('text_height', [14, 40])
def test_bars_are_as_long_as_the_scores(text_height):
    scores = dict(rgb=[('run', 1.0), ('jump', 0.5), ('sit', 0.0)], flow=[('sit', 0.25), ('run', 0.125)])
    panel = score_panel('run', scores, text_height)
    assert panel.dtype == np.uint8
    full, quarter = bar_lengths(panel, BEST_BAR)
    half, eighth = bar_lengths(panel, BAR)
    assert full > 8 * text_height
    assert [half, quarter, eighth] == pytest.approx([full / 2, full / 4, full / 8], abs=1)
    assert (panel[:, -1] == 255).all()  # nothing is cut off
    assert (panel[-1] == 255).all()


def test_room_for_what_is_written():
    base = score_panel('run', dict(rgb=[('run', 1.0)]))
    lower = score_panel('run', dict(rgb=[('run', 1.0)], flow=[('run', 1.0)]))
    wider = score_panel('run', dict(rgb=[('to run with both of the arms up', 1.0)]))
    assert lower.shape[0] > base.shape[0]
    assert lower.shape[1] == base.shape[1]
    assert wider.shape[1] > base.shape[1]
    widest = score_panel('run', dict(rgb=[('m' * 400, 1.0)]))
    assert widest.shape[1] < 14 * 50  # cut at 40 letters
    assert ((widest == INK).all(axis=2)).any()
