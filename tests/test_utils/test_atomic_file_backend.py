"""No half-written files."""

import os
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.fileio import get_file_backend
from mmengine.fileio.backends import local_backend

from mmmutual.utils.atomic_file_backend import NAME


class Killed(Exception):
    """Stands for the end of the process."""


@contextmanager
def breaking(path, mode):
    """Like open(), but the first write stops half-way."""
    with Path(path).open(mode) as file:

        def write(data):
            file.write(data[:2])
            raise Killed

        yield SimpleNamespace(write=write)


def test_a_file_is_replaced_in_one_piece(tmp_path, monkeypatch):
    file = tmp_path / 'sub' / 'a.pth'
    backend = get_file_backend(str(file), backend_args=dict(backend=NAME))
    backend.put(b'old', str(file))
    backend.put(b'newer', file)
    assert file.read_bytes() == b'newer'
    assert os.listdir(file.parent) == ['a.pth']

    monkeypatch.setattr(local_backend, 'open', breaking, raising=False)
    with pytest.raises(Killed):
        backend.put(b'broken', str(file))
    assert file.read_bytes() == b'newer'
