"""Output that appears whole or not at all, so that a kill leaves no half-written file or folder."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Iterator, Union


@contextlib.contextmanager
def whole_file(file: Union[str, Path]) -> Iterator[Path]:
    """A name to write to that becomes the file when the block ends well, in the place of one that is there.

    A killed run leaves ``<file>.partial``, which the next one overwrites.

    Args:
        file: file to write; its parent folders are made.
    """
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f'{file.name}.partial')
    try:
        yield partial
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def write_text(file: Union[str, Path], text: str) -> None:
    """Write UTF-8 text with unix line ends; parent folders are made."""
    with whole_file(file) as partial:
        partial.write_bytes(text.encode('utf-8'))


@contextlib.contextmanager
def whole_folder(folder: Union[str, Path]) -> Iterator[Path]:
    """A folder to write to that gets its name when the block ends well.

    A killed run leaves ``<folder>.partial``, which the next one replaces.

    Args:
        folder: folder to make; its parents are made as well.

    Raises:
        FileExistsError: it is there already.
    """
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f'{folder} is there already: remove it to make it again')
    partial = folder.with_name(f'{folder.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
