"""HMDB51 with its three splits (spec/mml.md 2.2)."""

from pathlib import Path, PurePosixPath
from typing import Dict, List, Union

from .official import Annotations, Clip, OfficialDataset, find_file, read_lines

SPLITS = (1, 2, 3)
# The number behind a clip: training, test, or neither in this split.
PARTS = {'1': 'train', '2': 'test', '0': None}


def read_hmdb51(folder: Union[str, Path]) -> Annotations:
    """Read ``<class>_test_split<N>.txt`` of the folder ``testTrainMulti_7030_splits``.

    Their lines are ``<video>.avi <part>``, part 1 for training, 2 for test, 0 for a clip that the split leaves out.
    Labels count the classes in alphabetical order.

    Args:
        folder: of the files.

    Raises:
        FileNotFoundError: no file of a split, or one that the first split has and another lacks.
        ValueError: a line of another form.
    """
    suffix = '_test_split1.txt'
    classes = sorted(file.name[: -len(suffix)] for file in Path(folder).glob(f'*{suffix}'))
    if not classes:
        raise FileNotFoundError(f'annotation folder {folder} has no file <class>{suffix}')
    splits: Dict[str, List[Clip]] = {}
    for number in SPLITS:
        parts = {part: splits.setdefault(f'split{number}/{part}', []) for part in ('train', 'test')}
        for label, name in enumerate(classes):
            for where, line in read_lines(find_file(folder, f'{name}_test_split{number}.txt')):
                video, _, part = line.rpartition(' ')
                if not video or part not in PARTS:
                    raise ValueError(f"{where}: expected '<video>.avi 0|1|2', got {line!r}")
                if PARTS[part] is not None:
                    parts[PARTS[part]].append(Clip(PurePosixPath(video.strip()).stem, label))
    return Annotations(classes, splits)


HMDB51 = OfficialDataset(
    read_hmdb51,
    num_classes=51,
    num_clips={
        f'split{number}/{part}': count for number in SPLITS for part, count in (('train', 3570), ('test', 1530))
    },
)
