"""Something-Something v1 and v2 and Jester: files of one publisher (spec/mml.md 2.2)."""

import functools
import json
from pathlib import Path
from typing import Any, List, Union

from .official import Annotations, Clip, OfficialDataset, find_file, index_classes, label_of, read_lines

SPLITS = {'train': 'train', 'val': 'validation', 'test': 'test'}
# Frames are what the publisher gives out of v1 and of Jester, in this form.
FRAMES_TMPL = '{:05d}.jpg'


def read_csv_release(folder: Union[str, Path], prefix: str) -> Annotations:
    """Read ``<prefix>-labels.csv`` (a class per line) and ``<prefix>-{train,validation,test}.csv`` (``id;class``).

    Labels count the classes in alphabetical order, not in that of the file. Clips of test come without class and get
    label 0.

    Args:
        folder: of the files.
        prefix: ``'something-something-v1'`` or ``'jester-v1'``.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a line without class, or with one that is not in the file of classes.
    """
    file = find_file(folder, f'{prefix}-labels.csv')
    labels = index_classes(sorted(line for _, line in read_lines(file)), file)
    splits = {}
    for split, name in SPLITS.items():
        clips = splits[split] = []
        for where, line in read_lines(find_file(folder, f'{prefix}-{name}.csv')):
            key, _, class_name = line.partition(';')
            clips.append(Clip(key, 0 if split == 'test' else label_of(class_name, labels, where)))
    return Annotations(list(labels), splits)


def read_json_release(folder: Union[str, Path]) -> Annotations:
    """Read the files of v2: ``labels.json`` and ``{train,validation,test}.json``.

    In the first release their names begin with ``something-something-v2-``. The class of an entry is its ``template``
    without brackets. Clips of test come without and get label 0.

    Args:
        folder: of the files.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file that is no JSON; labels that don't count 0, 1, 2 in the order of the file; an entry without
            id or template, or whose class is not in the file of labels.
    """
    file = _find_json(folder, 'labels')
    numbers = _load_json(file)
    if [str(number) for number in numbers.values()] != [str(number) for number in range(len(numbers))]:
        raise ValueError(f'{file}: labels must count 0, 1, 2, ... in the order of the file, got {numbers}')
    labels = index_classes(list(numbers), file)
    splits = {}
    for split, name in SPLITS.items():
        file = _find_json(folder, name)
        splits[split] = [_clip(entry, split, labels, file) for entry in _load_json(file)]
    return Annotations(list(labels), splits)


def _find_json(folder: Union[str, Path], name: str) -> Path:
    return find_file(folder, f'something-something-v2-{name}.json', f'{name}.json')


def _load_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding='utf-8-sig'))
    except json.JSONDecodeError as error:
        raise ValueError(f'{file} is no JSON: {error}') from error


def _clip(entry: dict, split: str, labels: dict, file: Path) -> Clip:
    needed: List[str] = ['id'] if split == 'test' else ['id', 'template']
    if any(field not in entry for field in needed):
        raise ValueError(f'{file}: entries must have {" and ".join(needed)}, got {entry}')
    if split == 'test':
        return Clip(str(entry['id']), 0)
    name = entry['template'].replace('[', '').replace(']', '')
    return Clip(str(entry['id']), label_of(name, labels, f'{file}, id {entry["id"]}'))


STHV1 = OfficialDataset(
    functools.partial(read_csv_release, prefix='something-something-v1'),
    num_classes=174,
    num_clips=dict(train=86017, val=11522, test=10960),
    frames_tmpl=FRAMES_TMPL,
)
STHV2 = OfficialDataset(read_json_release, num_classes=174, num_clips=dict(train=168913, val=24777, test=27157))
JESTER = OfficialDataset(
    functools.partial(read_csv_release, prefix='jester-v1'),
    num_classes=27,
    num_clips=dict(train=118562, val=14787, test=14743),
    frames_tmpl=FRAMES_TMPL,
)
