"""A local file backend of mmengine that leaves no half-written file when the process is killed."""

from pathlib import Path
from typing import Union

from mmengine.fileio import LocalBackend, register_backend

from .whole_output import whole_file

NAME = 'mmmutual_atomic'


class AtomicLocalBackend(LocalBackend):
    """Writes beside the target and renames; known to mmengine as ``dict(backend='mmmutual_atomic')``."""

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes to ``filepath``, which is the old file until all of them are written."""
        with whole_file(filepath) as partial:
            super().put(obj, partial)


register_backend(NAME, AtomicLocalBackend, force=True)
