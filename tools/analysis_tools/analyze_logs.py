"""Curves and times of training runs, from their ``scalars.json``.

    python tools/analysis_tools/analyze_logs.py plot_curve LOG... --keys rgb/top1 loss --out curves.png
    python tools/analysis_tools/analyze_logs.py cal_train_time LOG...

LOG is a ``scalars.json``, or a work dir, of which the newest run is read, joined to the runs that it was resumed from.
LocalVisBackend writes it, which every shipped config has. A config that sets ``visualizer.vis_backends`` must keep it
beside the others: ``[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]``.
"""

import argparse
import statistics
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

import matplotlib
from run_logs import RunLog, read_log

from mmmutual.utils.whole_output import whole_file

matplotlib.use('Agg')

import matplotlib.pyplot as plt  # noqa: E402  after the choice of a backend without a screen
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402


class Curve(NamedTuple):
    """One key of one log."""

    panel: str
    axis: str
    steps: List[int]
    values: List[float]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    plot = commands.add_parser('plot_curve', help='draw values of training over iterations, of validation over epochs')
    time = commands.add_parser('cal_train_time', help='seconds per training iteration')
    for command in (plot, time):
        command.add_argument('logs', nargs='+', type=Path, metavar='LOG', help='scalars.json or work dir')
    plot.add_argument('--keys', nargs='+', required=True, help='what to draw, e.g. rgb/top1 ensemble/top1 loss')
    plot.add_argument('--legend', nargs='+', help='names of the curves: all keys of the first log, then of the next')
    plot.add_argument('--title', help='title of the picture')
    plot.add_argument('--out', type=Path, required=True, help='picture to write, e.g. curves.png or curves.pdf')
    time.add_argument(
        '--include-outliers',
        action='store_true',
        help='count the first line of every epoch too, which holds the start of the loader',
    )
    args = parser.parse_args()
    if args.command == 'plot_curve':
        curves = len(args.logs) * len(args.keys)
        if args.legend is not None and len(args.legend) != curves:
            parser.error(f'--legend must name {curves} curves (logs times keys), got {len(args.legend)} names')
        formats = FigureCanvasAgg.get_supported_filetypes()
        if args.out.suffix[1:].lower() not in formats:
            parser.error(f'--out must end in one of {", ".join(sorted(formats))}, got {args.out}')
    return args


def curve_of(log: RunLog, key: str) -> Curve:
    """The curve of a key.

    Raises:
        ValueError: the log doesn't have it, or it is no number.
    """
    lines = log.find(key)
    values = [line[key] for line in lines.values()]
    if not all(isinstance(value, (int, float)) for value in values):
        raise ValueError(f'{key!r} of {log.name} is no number: {values[0]!r}')
    if 'iter' in next(iter(lines.values())):
        return Curve('training', 'iteration', list(lines), values)
    return Curve('validation', 'epoch' if log.in_epochs else 'iteration', list(lines), values)


def plot_curves(curves: Sequence[Curve], names: Sequence[str], title: Optional[str], out: Path) -> None:
    """Draw curves, those of training and of validation beside each other."""
    panels = sorted({curve.panel for curve in curves})
    figure, grid = plt.subplots(1, len(panels), figsize=(6.4 * len(panels), 4.8), squeeze=False, layout='constrained')
    for axes, panel in zip(grid[0], panels):
        inside = [(name, curve) for name, curve in zip(names, curves) if curve.panel == panel]
        for name, curve in inside:
            marker = 'o' if len(curve.steps) <= 50 else None
            axes.plot(curve.steps, curve.values, label=name, linewidth=1.5, marker=marker, markersize=3)
        axes.set_title(panel)
        axes.set_xlabel(' / '.join(sorted({curve.axis for _, curve in inside})))
        axes.locator_params(axis='x', integer=True)
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
        # below the axes: inside, it would lie on a curve
        axes.legend(loc='upper left', bbox_to_anchor=(0, -0.12), fontsize=8, frameon=False)
    figure.suptitle(title)
    with whole_file(out) as partial:
        figure.savefig(partial, format=out.suffix[1:], dpi=120)
    plt.close(figure)


def train_time(log: RunLog, include_outliers: bool) -> str:
    """Seconds per iteration of the slowest epoch, of the fastest and of all, as a text.

    Raises:
        ValueError: the log holds no training.
    """
    if not log.train:
        raise ValueError(f'{log.name} holds no line of training')
    epochs: Dict[int, List[float]] = {}
    for line in log.find('time').values():
        epochs.setdefault(line.get('epoch', 1), []).append(line['time'])
    if not include_outliers:
        epochs = {epoch: times[1:] or times for epoch, times in epochs.items()}
    means = {epoch: statistics.mean(times) for epoch, times in epochs.items()}
    ranked: Sequence[int] = sorted(means, key=lambda epoch: means[epoch])
    return '\n'.join(
        [
            f'-----Analyze train time of {log.name}-----',
            f'slowest epoch {ranked[-1]}, average time is {means[ranked[-1]]:.4f} s/iter',
            f'fastest epoch {ranked[0]}, average time is {means[ranked[0]]:.4f} s/iter',
            f'time std over epochs is {statistics.pstdev(means.values()):.4f}',
            f'average iter time: {statistics.mean(time for times in epochs.values() for time in times):.4f} s/iter',
        ]
    )


def main() -> None:
    args = parse_args()
    try:
        logs = [read_log(path) for path in args.logs]
        if args.command == 'cal_train_time':
            print('\n'.join(train_time(log, args.include_outliers) for log in logs))
            return
        curves = [curve_of(log, key) for log in logs for key in args.keys]
    except (OSError, ValueError) as error:
        raise SystemExit(f'error: {error}') from None
    names = args.legend or [f'{log.name}: {key}' if len(logs) > 1 else key for log in logs for key in args.keys]
    try:
        plot_curves(curves, names, args.title, args.out)
    except OSError as error:
        raise SystemExit(f"error: --out {args.out} can't be written: {error}") from None
    print(f'{len(curves)} curves in {args.out}')


if __name__ == '__main__':
    main()
