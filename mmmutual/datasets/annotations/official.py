"""What the official files of a data set say, in one form for all of them."""

from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple, Union

from ..modality_options import DEFAULT_TEMPLATES


class Clip(NamedTuple):
    """One annotated clip.

    ``key``: name of its video without suffix, and of its folders of frames and flow. ``label``: counted from 0.
    """

    key: str
    label: int


class Annotations(NamedTuple):
    """All clips of a data set.

    ``splits``: name, as lists are named (``train``; ``split1/train`` where there are several), -> clips in the official
    order. ``classes``: names by label.
    """

    classes: List[str]
    splits: Dict[str, List[Clip]]


class OfficialDataset(NamedTuple):
    """How the official files of a data set are read, and what they hold when they are whole.

    ``read``: annotation folder -> annotations. ``num_clips``: by split. ``frames_tmpl``: names of the frames, of those
    data sets that are given out as frames.
    """

    read: Callable[[Path], Annotations]
    num_classes: int
    num_clips: Dict[str, int]
    frames_tmpl: str = DEFAULT_TEMPLATES['frames']


def find_file(folder: Union[str, Path], *names: str) -> Path:
    """The first of the files that is in the folder: releases name them differently.

    Raises:
        FileNotFoundError: none of them is.
    """
    for name in names:
        if Path(folder, name).is_file():
            return Path(folder, name)
    raise FileNotFoundError(f'annotation folder {folder} has no file {" or ".join(names)}')


def read_lines(file: Path) -> List[Tuple[str, str]]:
    """Lines that are not empty, stripped, each after its place (``<file>, line <number>``) for messages."""
    lines = enumerate(file.read_text(encoding='utf-8-sig').splitlines(), start=1)
    return [(f'{file}, line {number}', line.strip()) for number, line in lines if line.strip()]


def label_of(name: str, labels: Dict[str, int], where: str) -> int:
    """Label of a class.

    Raises:
        ValueError: no such class.
    """
    if name not in labels:
        raise ValueError(f'{where}: {name!r} is none of the {len(labels)} classes')
    return labels[name]


def index_classes(classes: Sequence[str], where: Union[str, Path]) -> Dict[str, int]:
    """Class -> label, its position.

    Raises:
        ValueError: a class twice.
    """
    labels = {name: label for label, name in enumerate(classes)}
    if len(labels) < len(classes):
        twice = sorted(name for name in labels if list(classes).count(name) > 1)
        raise ValueError(f'{where}: classes must be named once, got twice {twice}')
    return labels
