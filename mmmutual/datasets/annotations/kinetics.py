"""Kinetics-400 (spec/mml.md 2.2)."""

import csv
from pathlib import Path
from typing import Dict, Union

from .official import Annotations, Clip, OfficialDataset, find_file, index_classes, label_of

# The releases call the list of validation by two names.
FILES = {'train': ('train.csv',), 'val': ('val.csv', 'validate.csv'), 'test': ('test.csv',)}
COLUMNS = ('youtube_id', 'time_start', 'time_end')
REMOVED = str.maketrans(' ', '_', '"\'()')


def normalize_name(name: str) -> str:
    """Name of a class with ``_`` for spaces, without quotes, apostrophes and parentheses."""
    return name.translate(REMOVED)


def clip_key(youtube_id: str, start: int, end: int) -> str:
    """Name of a clip: the video, and where the clip starts and ends in it, in seconds."""
    return f'{youtube_id}_{start:06d}_{end:06d}'


def read_kinetics(folder: Union[str, Path]) -> Annotations:
    """Read ``train.csv``, ``val.csv`` (or ``validate.csv``) and ``test.csv``.

    They have a header and the columns ``label, youtube_id, time_start, time_end, split``, seconds. The classes are
    those of training, in alphabetical order *before* :func:`normalize_name`, which is the official one: ``skiing (not
    ...`` comes before ``skiing crosscountry``. Where test comes without labels they are 0.

    Args:
        folder: of the files.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a column is missing, a time is no integer, or a class is not among those of training.
    """
    rows = {split: _read_rows(find_file(folder, *names), split != 'test') for split, names in FILES.items()}
    train_file = find_file(folder, *FILES['train'])
    names = sorted({row['label'] for row in rows['train'].values()})
    labels = index_classes([normalize_name(name) for name in names], train_file)
    splits = {split: [_clip(row, labels, where) for where, row in found.items()] for split, found in rows.items()}
    return Annotations(list(labels), splits)


def _read_rows(file: Path, labelled: bool) -> Dict[str, dict]:
    """Place of a row in the file -> row."""
    with file.open(encoding='utf-8-sig', newline='') as stream:
        reader = csv.DictReader(stream)
        columns = ('label', *COLUMNS) if labelled else COLUMNS
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f'{file}: the first line must name the columns {columns}, got {reader.fieldnames}')
        return {f'{file}, line {reader.line_num}': row for row in reader}


def _clip(row: dict, labels: Dict[str, int], where: str) -> Clip:
    try:
        start, end = int(row['time_start']), int(row['time_end'])
    except (TypeError, ValueError) as error:
        raise ValueError(f'{where}: time_start and time_end must be whole seconds, got {row}') from error
    label = label_of(normalize_name(row['label']), labels, where) if 'label' in row else 0
    return Clip(clip_key(row['youtube_id'], start, end), label)


KINETICS400 = OfficialDataset(read_kinetics, num_classes=400, num_clips=dict(train=246534, val=19906, test=39805))
