"""UCF101 with its three splits (spec/mml.md 2.2)."""

from pathlib import Path, PurePosixPath
from typing import Dict, List, Sequence, Union

from .official import Annotations, Clip, OfficialDataset, find_file, index_classes, label_of, read_lines

NUM_CLIPS = {1: (9537, 3783), 2: (9586, 3734), 3: (9624, 3696)}


def read_ucf101(folder: Union[str, Path], splits: Sequence[int] = tuple(NUM_CLIPS)) -> Annotations:
    """Read ``classInd.txt`` and ``{train,test}list0<N>.txt``.

    The first has lines ``<number> <Class>``, the lists ``<Class>/<video>.avi``, in training followed by the number.
    Numbers count from 1, labels from 0. The label is that of the class folder.

    Args:
        folder: of the files.
        splits: which of the three to read; they become ``split<N>/train`` and ``split<N>/test``.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: numbers of classes that don't count 1, 2, 3, an unknown class, or a number that is not that of the
            class.
    """
    labels = _read_classes(find_file(folder, 'classInd.txt'))
    found = {}
    for number in splits:
        for part in ('train', 'test'):
            file = find_file(folder, f'{part}list{number:02d}.txt')
            found[f'split{number}/{part}'] = [_clip(line, labels, where) for where, line in read_lines(file)]
    return Annotations(list(labels), found)


def _read_classes(file: Path) -> Dict[str, int]:
    names: List[str] = []
    for where, line in read_lines(file):
        number, _, name = line.partition(' ')
        if number != str(len(names) + 1):
            raise ValueError(f'{where}: classes must be numbered 1, 2, 3, ..., got {line!r}')
        names.append(name.strip())
    return index_classes(names, file)


def _clip(line: str, labels: Dict[str, int], where: str) -> Clip:
    path, _, number = line.partition(' ')
    path = PurePosixPath(path)
    label = label_of(path.parent.name, labels, where)
    if number and number.strip() != str(label + 1):
        raise ValueError(f'{where}: {path.parent.name} is class {label + 1} in classInd.txt, got {number}')
    return Clip(path.stem, label)


UCF101 = OfficialDataset(
    read_ucf101,
    num_classes=101,
    num_clips={
        f'split{number}/{part}': count
        for number, counts in NUM_CLIPS.items()
        for part, count in zip(('train', 'test'), counts)
    },
)
