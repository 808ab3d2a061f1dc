"""What the tools ``tools/data/<data set>/build_lists.py`` have in common: options and a table of the outcome."""

import argparse
import os
from pathlib import Path
from typing import Dict, Optional, Sequence

from mmmutual.utils.text_table import align

from ..modality_options import DEFAULT_TEMPLATES
from .lists import INPUTS, SplitCounts, build_lists, input_options
from .official import OfficialDataset


def run_command(description: str, dataset: OfficialDataset, argv: Optional[Sequence[str]] = None) -> str:
    """Build the lists that the command line asks for; a user's mistake ends the program with one line.

    Args:
        description: of the tool, for ``--help``.
        dataset: whose lists.
        argv: arguments of the command line, default those of the program.

    Returns:
        Table of what was found, for printing.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--annotations', type=Path, required=True, metavar='DIR', help='folder of the official files')
    parser.add_argument('--root', type=Path, required=True, metavar='ROOT', help='folder of the data set')
    parser.add_argument(
        '--inputs', nargs='+', choices=list(INPUTS), default=['rgb'], help='lists to write (default: rgb)'
    )
    for name, default in (('frames', dataset.frames_tmpl), ('flow', DEFAULT_TEMPLATES['flow_frames'])):
        help_text = f'names of the images in ROOT/{name} (default: %(default)s)'
        parser.add_argument(f'--{name}-tmpl', default=default, metavar='TMPL', help=help_text)
    parser.add_argument('--num-workers', type=int, default=os.cpu_count(), help='processes (default: one per core)')
    args = parser.parse_args(argv)
    if args.num_workers < 1:
        parser.error(f'--num-workers must be at least 1, got {args.num_workers}')
    templates = dict(rgb=args.frames_tmpl, flow=args.flow_tmpl)
    try:
        inputs = {name: input_options(name, templates.get(name)) for name in args.inputs}
        annotations = dataset.read(args.annotations)
        counts = build_lists(annotations, args.root, inputs, args.num_workers)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    return _table(counts, dataset, len(annotations.classes), args.root)


def _table(counts: Dict[str, SplitCounts], dataset: OfficialDataset, num_classes: int, root: Path) -> str:
    inputs = list(next(iter(counts.values())).missing)
    rows = [['split', 'official', 'annotated', *(f'no {name}' for name in inputs), 'listed']]
    for split, found in counts.items():
        missing = [str(found.missing[name]) for name in inputs]
        official = str(dataset.num_clips[split])
        rows.append([split, official, str(found.annotated), *missing, str(found.listed)])
    lines = [align(rows)]
    lines.append(f'{num_classes} classes (official {dataset.num_classes}); lists in {root / "lists"}')
    empty = [split for split, found in counts.items() if not found.listed]
    if empty:
        lines.append(f'no list written, as no clip of it is there: {", ".join(empty)}')
    return '\n'.join(lines)
