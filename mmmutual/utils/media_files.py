"""Finding media by the suffix of their names."""

import os
from pathlib import Path
from typing import List, Sequence, Union

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.webm', '.mov', '.mpg', '.mpeg', '.flv', '.wmv', '.m4v', '.3gp', '.ts')
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png')


def find_files(folder: Union[str, Path], suffixes: Sequence[str]) -> List[Path]:
    """Files below a folder with one of the suffixes (lower-case, with their dot; any case in the name), sorted."""
    return sorted(path for path in Path(folder).rglob('*') if path.suffix.lower() in suffixes and path.is_file())


def find_folders(folder: Union[str, Path], suffixes: Sequence[str]) -> List[Path]:
    """Folders, this one included, that directly hold a file with one of the suffixes, sorted.

    Remembers no files: the frames of a data set are tens of millions.
    """
    ends = tuple(suffixes)
    walk = os.walk(folder)
    return sorted(Path(parent) for parent, _, names in walk if any(name.lower().endswith(ends) for name in names))
