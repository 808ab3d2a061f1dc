"""The picture of the quickstart: what the clips look like, and how well each network does."""

from pathlib import Path
from typing import Dict, List, Tuple

import cv2
import matplotlib
import numpy as np

from mmmutual.datasets.readers import open_video
from mmmutual.visualization.flow_color import flow_to_color

matplotlib.use('Agg')

import matplotlib.pyplot as plt  # noqa: E402  after the choice of a backend without a screen

COLORS = {
    'RGB alone': '#9ecae1',
    'Flow alone': '#fdbe85',
    'MML, RGB peer': '#2171b5',
    'MML, Flow peer': '#d94701',
    'MML, ensemble': '#333333',
}
SHOWN_FRAMES = 6


def draw(target: Path, data: Path, curves: Dict[str, List[List[Tuple[int, float]]]], summary: dict) -> None:
    """Write the picture.

    Args:
        target: PNG file.
        data: folder of MMShapes.
        curves: row of the table -> for each seed the pairs of (epoch, top-1).
        summary: as ``summary.json``.
    """
    figure = plt.figure(figsize=(12, 7.2), dpi=110)
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.25])
    _draw_clips(top, data)
    left, right = bottom.subplots(1, 2, gridspec_kw=dict(width_ratios=[1.25, 1]))
    _draw_curves(left, curves, summary['chance'])
    _draw_bars(right, summary)
    bottom.subplots_adjust(left=0.07, right=0.98, bottom=0.16, top=0.86, wspace=0.32)
    figure.text(0.5, 0.012, summary['note'], ha='center', fontsize=8, color='#666666')
    figure.savefig(target)
    plt.close(figure)


def _draw_clips(figure, data: Path) -> None:
    """Frames and flow of the first clips of a pair of classes that differ only in motion."""
    lines = [line.rsplit(' ', 2) for line in (data / 'lists/val_rgb.txt').read_text().splitlines()]
    names = (data / 'classes.txt').read_text().split()
    chosen = [next(line for line in lines if int(line[2]) == label) for label in (0, 1)]
    grid = figure.subplots(4, SHOWN_FRAMES)
    for row, (path, frames, label) in enumerate(chosen):
        moments = np.linspace(0, int(frames) - 2, SHOWN_FRAMES).round().astype(int).tolist()
        with open_video(str(data / path)) as reader:
            pictures = reader.get_frames(moments)
        flow_folder = data / 'flow' / Path(path).relative_to('clips').with_suffix('')
        for column, (moment, picture) in enumerate(zip(moments, pictures)):
            pair = [
                cv2.imread(str(flow_folder / f'flow_{axis}_{moment + 1:05d}.jpg'), cv2.IMREAD_GRAYSCALE)
                for axis in 'xy'
            ]
            grid[2 * row, column].imshow(picture)
            grid[2 * row + 1, column].imshow(flow_to_color(np.stack(pair), 24))
        grid[2 * row, 0].set_ylabel(f'{names[int(label)]}\nRGB', rotation=0, ha='right', va='center', fontsize=8)
        grid[2 * row + 1, 0].set_ylabel('Flow', rotation=0, ha='right', va='center', fontsize=8)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set_visible(False)
    figure.suptitle('Two of the ten classes: no single frame tells them apart, the motion does', fontsize=10)
    figure.subplots_adjust(left=0.2, right=0.8, bottom=0.02, top=0.9, wspace=0.04, hspace=0.06)


def _draw_curves(axes, curves: Dict[str, List[List[Tuple[int, float]]]], chance: float) -> None:
    for row, runs in curves.items():
        epochs = [epoch for epoch, _ in runs[0]]
        values = np.array([[100 * value for _, value in run] for run in runs])
        mean = values.mean(axis=0)
        axes.plot(epochs, mean, color=COLORS[row], label=row, marker='o', markersize=3, linewidth=1.8)
        if len(runs) > 1:
            spread = values.std(axis=0, ddof=1)
            axes.fill_between(epochs, mean - spread, mean + spread, color=COLORS[row], alpha=0.15, linewidth=0)
    axes.axhline(100 * chance, color='#999999', linestyle=':', linewidth=1, label='chance')
    axes.set(xlabel='epoch', ylabel='validation top-1 (%)', ylim=(0, 100))
    # above the axes: inside, it would lie on a curve or on the line of chance
    axes.legend(fontsize=8, frameon=False, ncol=3, loc='lower center', bbox_to_anchor=(0.5, 1))
    _plain(axes)


def _draw_bars(axes, summary: dict) -> None:
    rows = list(summary['rows'])[::-1]
    means = [100 * summary['rows'][row]['top1_mean'] for row in rows]
    spreads = [100 * (summary['rows'][row]['top1_std'] or 0) for row in rows]
    axes.barh(rows, means, xerr=spreads if any(spreads) else None, color=[COLORS[row] for row in rows], height=0.6)
    for i, (mean, spread) in enumerate(zip(means, spreads)):
        axes.text(mean + spread + 1.5, i, f'{mean:.1f}', va='center', fontsize=9)
    axes.axvline(100 * summary['chance'], color='#999999', linestyle=':', linewidth=1)
    axes.set(xlabel='top-1 after the last epoch (%)', xlim=(0, 110))
    _plain(axes)


def _plain(axes) -> None:
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
