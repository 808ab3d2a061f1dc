"""Two networks teach each other on video, in minutes: ``make quickstart``.

Generates MMShapes if it is not there, trains RGB alone, Flow alone and both by mutual learning (MML) through
tools/train.py, and writes a table, ``summary.json`` and ``quickstart.png`` into the work dir. A run that is complete is
not repeated; one that was interrupted is resumed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional

from mmengine.config import Config
from quickstart_figure import draw
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = {
    name: f'configs/mml/mml_tsm-r18-narrow_scratch-8x1-30e_mmshapes-{name}.py' for name in ('rgb', 'flow', 'rgb-flow')
}
# Row of the table -> run and branch whose validation accuracy it shows.
ROWS = {
    'RGB alone': ('rgb', 'rgb'),
    'Flow alone': ('flow', 'flow'),
    'MML, RGB peer': ('rgb-flow', 'rgb'),
    'MML, Flow peer': ('rgb-flow', 'flow'),
    'MML, ensemble': ('rgb-flow', 'ensemble'),
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/quickstart'))
    parser.add_argument(
        '--data', type=Path, default=Path('data/mmshapes_quick'), help='MMShapes, clips only, made if absent'
    )
    parser.add_argument('--size', default='quick', help='size of MMShapes: quick or full')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0])
    parser.add_argument('--epochs', type=int, help='train for fewer or more epochs than the configs say')
    return parser.parse_args()


def generate(data: Path, size: str) -> None:
    """Make the data set, or let the generator find that it is there."""
    subprocess.run(
        [sys.executable, str(ROOT / 'tools/data/mmshapes/generate.py'), '--out', str(data), '--size', size]
        + ['--parts', 'clips'],
        check=True,
    )


def train(name: str, seed: int, data: Path, work_dir: Path, epochs: Optional[int]) -> None:
    """Train one config with one seed, showing epochs as they end.

    Raises:
        SystemExit: if training fails, with the end of its output, or was interrupted where nothing is left to train.
    """
    options = [f'{loader}_dataloader.dataset.data_root={data}/' for loader in ('train', 'val', 'test')]
    if epochs is None:
        epochs = Config.fromfile(ROOT / CONFIGS[name]).train_cfg.max_epochs
    else:
        options += [f'train_cfg.max_epochs={epochs}', f'param_scheduler.1.T_max={epochs}']
    done = accuracies(work_dir)
    if done and done[-1]['step'] == epochs:
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(ROOT / 'tools/train.py'), str(ROOT / CONFIGS[name]), '--work-dir', str(work_dir)]
    command += ['--seed', str(seed), '--resume', '--cfg-options', *options]
    output = work_dir / 'output.txt'
    with output.open('w') as out, tqdm(total=epochs, desc=f'{name}, seed {seed}', unit='epoch') as bar:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment())
        while process.poll() is None:
            time.sleep(0.5)
            bar.n = max([line.get('epoch', 0) for line in scalars(work_dir)], default=0)
            bar.refresh()
        bar.n = epochs if process.returncode == 0 else bar.n
    if process.returncode:
        tail = '\n'.join(output.read_text().splitlines()[-15:])
        raise SystemExit(f'{" ".join(command)}\nended with code {process.returncode}; the end of {output}:\n{tail}')
    done = accuracies(work_dir)
    if not done or done[-1]['step'] != epochs:
        raise SystemExit(f'{work_dir} was interrupted during its last validation: remove it and start again')


def environment() -> Dict[str, str]:
    """Leave one core to the loader's worker: threads that wait for a core which it holds cost more than they bring."""
    threads = max(1, (os.cpu_count() or 2) - 1)
    return {'OMP_NUM_THREADS': str(threads), **os.environ}


def scalars(work_dir: Path) -> List[dict]:
    """All log lines of a run, those of interrupted parts first."""
    lines = []
    for file in sorted(work_dir.glob('*/vis_data/scalars.json')):
        lines += [json.loads(line) for line in file.read_text().splitlines() if line.endswith('}')]
    return lines


def accuracies(work_dir: Path) -> List[dict]:
    """Validation results in the order of epochs (``step``)."""
    found = {line['step']: line for line in scalars(work_dir) if 'ensemble/top1' in line}
    return [found[step] for step in sorted(found)]


def seconds_per_step(work_dir: Path) -> float:
    """Median of the logged seconds per training step."""
    return statistics.median(line['time'] for line in scalars(work_dir) if 'iter' in line and 'time' in line)


def summarise(runs: Dict[str, List[Path]], chance: float, size: str) -> dict:
    """Top-1 of the last epoch on the validation clips: mean, spread and values over seeds."""
    rows = {}
    for row, (name, branch) in ROWS.items():
        values = [accuracies(folder)[-1][f'{branch}/top1'] for folder in runs[name]]
        rows[row] = dict(
            top1_mean=statistics.mean(values),
            top1_std=statistics.stdev(values) if len(values) > 1 else None,
            top1=values,
            seconds_per_step=statistics.median(seconds_per_step(folder) for folder in runs[name]),
        )
    return dict(
        note='MMShapes is generated: this checks the pipeline and is no score on a real data set.',
        data=f'MMShapes, size {size}, validation clips',
        chance=chance,
        rows=rows,
    )


def table(summary: dict) -> str:
    """The summary for a terminal."""
    lines = [f'{"":16}{"top-1":>16}{"s / step":>10}']
    for row, values in summary['rows'].items():
        accuracy = f'{100 * values["top1_mean"]:.1f}'
        if values['top1_std'] is not None:
            accuracy += f' +- {100 * values["top1_std"]:.1f}'
        lines.append(f'{row:16}{accuracy:>16}{values["seconds_per_step"]:>10.3f}')
    lines.append(f'{"chance":16}{100 * summary["chance"]:>16.1f}')
    return '\n'.join([summary['data'], *lines, summary['note']])


def main() -> None:
    args = parse_args()
    started = time.time()
    generate(args.data, args.size)
    runs: Dict[str, List[Path]] = {name: [] for name in CONFIGS}
    for seed in args.seeds:
        for name in CONFIGS:
            folder = args.work_dir / f'{name}_seed{seed}'
            train(name, seed, args.data, folder, args.epochs)
            runs[name].append(folder)
    classes = (args.data / 'classes.txt').read_text().split()
    summary = summarise(runs, 1 / len(classes), args.size)
    summary['minutes'] = round((time.time() - started) / 60, 2)
    (args.work_dir / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
    curves = {
        row: [[(line['step'], line[f'{branch}/top1']) for line in accuracies(folder)] for folder in runs[name]]
        for row, (name, branch) in ROWS.items()
    }
    draw(args.work_dir / 'quickstart.png', args.data, curves, summary)
    print(table(summary))
    print(f'{args.work_dir}/summary.json, {args.work_dir}/quickstart.png; {summary["minutes"]} minutes')


if __name__ == '__main__':
    main()
