"""Ensemble what several tests gave: join files of scores, weigh them, say how good each and the whole is.

SCORES is a file of ``tools/test.py --dump FILE.npz``: alone for the fused scores of its model, or with the branches
that are wanted, FILE.npz:rgb or FILE.npz:rgb,flow. Checkpoints may differ in inputs and number of segments; the samples
must be the same.

Example: python tools/analysis_tools/ensemble.py rgb_8.npz:rgb mml_16.npz:rgb,flow --coefficients 1 1 0.5
"""

import argparse
import csv
import io
import json
import math
import os.path as osp
import sys
from typing import Dict, List, Tuple

import torch
from torch import Tensor

from mmmutual.datasets.modality_options import read_classes
from mmmutual.evaluation import Scores, join_scores, load_scores, save_confusion
from mmmutual.evaluation.functional import (
    confusion_matrix,
    ensemble_scores,
    mean_class_accuracy,
    search_coefficients,
    top_classes,
    topk_accuracy,
    upper_bound,
    worst_confusions,
)
from mmmutual.utils.whole_output import write_text

FUSED = 'ensemble'
COLUMNS = dict(top1='top-1', top5='top-5', mean_class_acc='class acc', upper_bound='upper bound')
NUM_WORST = 10


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('scores', nargs='+', metavar='SCORES', help='FILE.npz, FILE.npz:branch or FILE.npz:branch,...')
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument('--coefficients', nargs='+', type=_finite, help='one for each member; default: ones')
    weights.add_argument('--search', action='store_true', help='search coefficients for the best top-1')
    parser.add_argument(
        '--search-share', type=float, default=1.0, metavar='F', help='search on this share, score on the rest'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the samples that are searched on')
    parser.add_argument('--softmax', action='store_true', help='softmax of each member, after the mean over clips')
    parser.add_argument('--classes', metavar='FILE', help='names, one per line; default: those of the first file')
    parser.add_argument('--confusion', metavar='FOLDER', help="write the ensemble's confusion matrix (npz and PNG)")
    parser.add_argument('--csv', metavar='FILE', help='write the predictions of all samples')
    parser.add_argument(
        '--csv-format',
        choices=['sthv2', 'names'],
        default='sthv2',
        help='key;c1;c2;c3;c4;c5 (indices by decreasing score), or key;class name',
    )
    parser.add_argument('--out', metavar='JSON', help='write the numbers, as fractions')
    args = parser.parse_args()
    if not 0 < args.search_share <= 1:
        parser.error(f'--search-share must be in (0, 1], got {args.search_share}')
    if args.search_share < 1 and not args.search:
        parser.error('--search-share needs --search')
    return args


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f'must be a finite number, got {text}')
    return number


def read_members(arguments: List[str]) -> Tuple[Scores, Dict[str, Tensor]]:
    """The joined first file, and ``FILE:branch`` -> logits (N, C) of every member.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no such branch, a member twice, files that don't fit each other, or logits that are not finite.
    """
    unnamed = [text for text in arguments if text.endswith(':') and not osp.isfile(text)]
    if unnamed:
        raise ValueError(f"{unnamed[0]} names no branch after ':'; leave it out for the fused scores")
    split = [(text, '') if osp.isfile(text) or ':' not in text else text.rsplit(':', 1) for text in arguments]
    files = [file for file, _ in split]
    joined = join_scores(files, [load_scores(file) for file in files])
    members: Dict[str, Tensor] = {}
    for (file, wanted), scores in zip(split, joined):
        available = {**scores.branches, FUSED: scores.fused}
        for branch in wanted.split(',') if wanted else [FUSED]:
            if branch not in available:
                raise ValueError(f'{file} has no branch {branch!r}; it has {list(available)}')
            if f'{file}:{branch}' in members:
                raise ValueError(f'{file}:{branch} is given twice; weigh it by --coefficients')
            _check_finite(f'{file}:{branch}', available[branch], scores.keys)
            members[f'{file}:{branch}'] = available[branch]
    return joined[0], members


def _check_finite(member: str, logits: Tensor, keys: List[str]) -> None:
    """Refuse a diverged network: NaN has no rank, and would pass for the first class."""
    bad = (~logits.isfinite()).any(dim=1).nonzero().flatten().tolist()
    if bad:
        raise ValueError(
            f'{member} has NaN or infinite logits for {len(bad)} of {len(keys)} samples, first {keys[bad[0]]!r}: did '
            'the network diverge? Leave this member out'
        )


def choose_coefficients(args: argparse.Namespace, members: List[Tensor], labels: Tensor) -> Tuple[List[float], Tensor]:
    """Coefficients, and indices of the samples that are scored.

    Raises:
        ValueError: a wrong number of coefficients, or a share that leaves no sample on one side.
    """
    everything = torch.arange(len(labels))
    if not args.search:
        coefficients = args.coefficients or [1.0] * len(members)
        if len(coefficients) != len(members):
            raise ValueError(f'--coefficients must be one for each of the {len(members)} members, got {coefficients}')
        return coefficients, everything
    searched, scored = everything, everything
    if args.search_share < 1:
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(args.seed))
        count = round(args.search_share * len(labels))
        searched, scored = order[:count].sort().values, order[count:].sort().values
        if not len(searched) or not len(scored):
            raise ValueError(f'--search-share {args.search_share} of {len(labels)} samples leaves none on one side')
    found = search_coefficients([scores[searched] for scores in members], labels[searched], args.softmax)
    return found, scored


def measure(scores: Tensor, labels: Tensor) -> Dict[str, float]:
    """Numbers of the table, as fractions; no top-5 below five classes."""
    confusion = confusion_matrix(scores, labels)
    shares = topk_accuracy(scores, labels, [k for k in (1, 5) if k <= scores.shape[1]])
    numbers = {f'top{k}': share for k, share in shares.items()}
    return dict(numbers, mean_class_acc=mean_class_accuracy(confusion), upper_bound=upper_bound(confusion))


def print_table(rows: List[Tuple[str, str, Dict[str, float]]]) -> None:
    """Percent, a row per member and the ensemble."""
    columns = [column for column in COLUMNS if column in rows[0][2]]
    width = max(len(name) for name, _, _ in rows)
    print(f'{"percent":<{width}}  coefficient' + ''.join(f'{COLUMNS[column]:>13}' for column in columns))
    for name, coefficient, numbers in rows:
        print(f'{name:<{width}}  {coefficient:>11}' + ''.join(f'{100 * numbers[column]:13.2f}' for column in columns))


def submission(keys: List[str], scores: Tensor, form: str, classes: List[str]) -> str:
    """Text of a file of predictions, spec/mml.md 5.

    Raises:
        ValueError: fewer than five classes where five are wanted.
    """
    if form == 'sthv2':
        if len(classes) < 5:
            raise ValueError(f'--csv-format sthv2 holds five classes of each sample, but there are {len(classes)}')
        predictions = top_classes(scores, 5).tolist()
    else:
        predictions = [[classes[best]] for (best,) in top_classes(scores, 1).tolist()]
    text = io.StringIO()
    csv.writer(text, delimiter=';', lineterminator='\n').writerows([key, *row] for key, row in zip(keys, predictions))
    return text.getvalue()


def run(args: argparse.Namespace) -> None:
    first, members = read_members(args.scores)
    classes = first.classes if args.classes is None else read_classes(args.classes, '')
    if len(classes) != len(first.classes):
        raise ValueError(f'--classes {args.classes} names {len(classes)} classes, the scores have {len(first.classes)}')
    coefficients, scored = choose_coefficients(args, list(members.values()), first.labels)
    fused = ensemble_scores(list(members.values()), coefficients, args.softmax)
    if args.csv is not None:
        write_text(args.csv, submission(first.keys, fused, args.csv_format, classes))
    labels = first.labels[scored]
    numbers = {name: measure(scores[scored], labels) for name, scores in members.items()}
    of_ensemble = measure(fused[scored], labels)
    print(f'{len(labels)} of {len(first.labels)} samples, {len(classes)} classes')
    rows = [(name, f'{c:g}', numbers[name]) for name, c in zip(members, coefficients)]
    print_table([*rows, ('ensemble', '', of_ensemble)])
    if len(labels.unique()) == 1:
        print(f'Every label is {int(labels[0])}: if this is a split without labels, the numbers mean nothing.')
    if args.search and len(labels) == len(first.labels):
        print('The coefficients fit these very labels: the ensemble is optimistic. --search-share scores on the rest.')
    if args.confusion is not None:
        confusion = confusion_matrix(fused[scored], labels)
        save_confusion(args.confusion, 'ensemble', confusion, classes)
        print('Largest confusions:')
        for i, j, count in worst_confusions(confusion, NUM_WORST):
            print(f'  {count} of {int(confusion[i].sum())}  {classes[i]} ({i})  as  {classes[j]} ({j})')
    if args.out is not None:
        listed = [dict(name=name, coefficient=c, **numbers[name]) for name, c in zip(members, coefficients)]
        summary = dict(num_samples=len(labels), softmax=args.softmax, searched=args.search)
        write_text(args.out, json.dumps(dict(summary, members=listed, ensemble=of_ensemble), indent=2) + '\n')


def main() -> None:
    args = parse_args()
    try:
        run(args)
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
