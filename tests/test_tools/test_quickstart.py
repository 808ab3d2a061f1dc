"""``make quickstart`` on the smallest data, for one epoch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
ROWS = ['RGB alone', 'Flow alone', 'MML, RGB peer', 'MML, Flow peer', 'MML, ensemble']


def quickstart(tmp_path):
    command = [sys.executable, str(ROOT / 'tools/quickstart.py'), '--work-dir', 'runs', '--data', 'shapes']
    command += ['--size', 'tiny', '--epochs', '1', '--seeds', '0', '1']
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_table_summary_and_picture(tmp_path):
    printed = quickstart(tmp_path)
    summary = json.loads((tmp_path / 'runs/summary.json').read_text())
    assert list(summary['rows']) == ROWS
    assert summary['chance'] == pytest.approx(0.1)
    for row in ROWS:
        values = summary['rows'][row]
        assert len(values['top1']) == 2
        assert values['top1_mean'] == pytest.approx(np.mean(values['top1']))
        assert values['top1_std'] == pytest.approx(np.std(values['top1'], ddof=1))
        assert values['seconds_per_step'] > 0
        assert f'{100 * values["top1_mean"]:.1f}' in next(line for line in printed.splitlines() if line.startswith(row))
    assert np.asarray(Image.open(tmp_path / 'runs/quickstart.png')).std() > 0

    # What the summary says is what validation logged.
    logged = [
        json.loads(line)['rgb/top1']
        for file in sorted((tmp_path / 'runs').glob('rgb-flow_seed*/*/vis_data/scalars.json'))
        for line in file.read_text().splitlines()
        if 'rgb/top1' in line
    ]
    assert summary['rows']['MML, RGB peer']['top1'] == pytest.approx(logged)

    # Complete runs are not repeated.
    before = {file: file.stat().st_mtime for file in (tmp_path / 'runs').glob('*/last_checkpoint')}
    assert len(before) == 6
    quickstart(tmp_path)
    assert {file: file.stat().st_mtime for file in (tmp_path / 'runs').glob('*/last_checkpoint')} == before


def test_legend_lies_on_nothing(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    import quickstart_figure

    figure, axes = plt.subplots()
    curves = {row: [[(1, level), (2, level)]] for row, level in zip(ROWS, (0.0, 0.1, 0.5, 0.9, 1.0))}
    quickstart_figure._draw_curves(axes, curves, 0.1)
    figure.canvas.draw()
    assert len(axes.get_legend().get_texts()) == len(ROWS) + 1  # and chance
    assert axes.get_legend().get_window_extent().y0 >= axes.bbox.y1
    plt.close(figure)
