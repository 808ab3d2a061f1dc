"""Measure data loading, training steps, and how both compare with what they replace.

    python tools/analysis_tools/benchmark.py data CONFIG [--split train] [--num-workers 4]
    python tools/analysis_tools/benchmark.py step CONFIG [--device cuda] [--amp bfloat16] [--channels-last] [--compile]
    python tools/analysis_tools/benchmark.py ratios [--only shift step video frames]

Times are of this machine, under the load that it has: let it be idle.
"""

import argparse
import json
import os
import platform
import time
from typing import Any, Dict

import cv2
import torch
from benchmarks.loader import benchmark_data
from benchmarks.ratios import CASES, benchmark_ratios
from benchmarks.step import StepSettings, benchmark_step

from mmmutual.apis.launch import add_config_arguments, load_config
from mmmutual.utils.host_memory import keep_freed_memory
from mmmutual.utils.whole_output import write_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')

    data = commands.add_parser('data', help='samples per second of a data loader, and the share of each transform')
    add_config_arguments(data)
    data.add_argument('--split', choices=['train', 'val', 'test'], default='train', help='default: %(default)s')
    data.add_argument('--num-workers', type=_count, help='worker processes (default: as in the config)')
    data.add_argument('--max-samples', type=_positive, default=256, help='samples to time (default: %(default)s)')

    step = commands.add_parser('step', help='a training step on synthetic inputs, and the share of each stage')
    add_config_arguments(step)
    step.add_argument('--batch-size', type=_positive, help='clips (default: as in the config)')
    step.add_argument('--size', type=_positive, help='height and width in pixels (default: of the train pipeline)')
    step.add_argument('--num-segments', type=_positive, help='T of clips and model (default: as in the config)')
    step.add_argument('--amp', choices=['none', 'bfloat16', 'float16'], help='precision (default: as in the config)')
    step.add_argument('--channels-last', action='store_true', help='keep the channels of a pixel together in memory')
    step.add_argument('--compile', action='store_true', help="torch.compile each branch's backbone")
    step.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='default: %(default)s')
    step.add_argument('--steps', type=_positive, default=10, help='steps that are timed (default: %(default)s)')
    step.add_argument('--warmup', type=_positive, default=3, help='steps before them (default: %(default)s)')

    ratios = commands.add_parser('ratios', help='our parts against those of mmaction2 and of the original, one thread')
    ratios.add_argument('--only', nargs='+', choices=CASES, default=list(CASES), help='some of the comparisons')
    ratios.add_argument('--repeats', type=_positive, default=9, help='of each, alternating (default: %(default)s)')

    for command in (data, step, ratios):
        command.add_argument('--out', metavar='JSON', help='write the numbers into this file')
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f'must be at least 0, got {number}')
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'must be at least 1, got {number}')
    return number


def run(args: argparse.Namespace) -> Dict[str, Any]:
    """The report of a command."""
    if args.command == 'ratios':
        return dict(comparisons=benchmark_ratios(args.only, args.repeats))
    cfg = load_config(args.config, args.cfg_options)
    if args.command == 'data':
        cv2.setNumThreads(0)  # both as in the worker processes
        torch.set_num_threads(1)
        return benchmark_data(cfg, args.split, args.num_workers, args.max_samples)
    return benchmark_step(cfg, StepSettings(**{name: getattr(args, name) for name in StepSettings._fields}))


def machine() -> Dict[str, Any]:
    """What the numbers depend on."""
    return dict(
        time=time.strftime('%Y-%m-%d %H:%M:%S'),
        processor=platform.processor() or platform.machine(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        load=os.getloadavg()[0],
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        torch=torch.__version__,
    )


def show(report: Dict[str, Any], indent: str = '') -> None:
    """Print a report; groups whose members have equal fields become tables."""
    for name, value in report.items():
        if not isinstance(value, dict):
            print(f'{indent}{name}: {_text(value)}')
        elif all(isinstance(row, dict) for row in value.values()):
            _show_table(name, value, indent)
        else:
            print(f'{indent}{name}:')
            show(value, indent + '  ')


def _show_table(name: str, rows: Dict[str, Dict[str, Any]], indent: str) -> None:
    columns = [column for column, value in next(iter(rows.values())).items() if isinstance(value, float)]
    width = max(len(text) for text in (name, *rows))
    print(f'{indent}{name:{width}}' + ''.join(f'  {column:>12}' for column in columns))
    for row, values in rows.items():
        print(f'{indent}{row:{width}}' + ''.join(f'  {_text(values[column]):>12}' for column in columns))


def _text(value: Any) -> str:
    return f'{value:.4g}' if isinstance(value, float) else str(value)


def main() -> None:
    args = parse_args()
    kept = not torch.cuda.is_available() and keep_freed_memory()  # as tools/train.py does
    try:
        report = run(args)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f'error: {error}') from None
    report['machine'] = dict(machine(), freed_memory_kept=kept)
    show(report)
    if args.out is not None:
        try:
            write_text(args.out, json.dumps(report, indent=2) + '\n')
        except OSError as error:
            raise SystemExit(f"error: --out {args.out} can't be written: {error}") from None


if __name__ == '__main__':
    main()
