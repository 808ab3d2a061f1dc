"""Freed memory stays with the process."""

import os
import platform
import sys

import pytest
import torch

from mmmutual.utils.host_memory import keep_freed_memory

from ..helpers import run_alone

BYTES = 100 * 2**20


def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def grown_by(keep):
    """How much larger the process is after it used and freed memory."""
    if keep:
        assert keep_freed_memory()
    torch.ones(10)
    before = resident()
    block = torch.ones(BYTES // 4)
    assert resident() - before > 0.9 * BYTES
    del block
    return resident() - before


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='only glibc has what is set here')
def test_freed_memory_is_kept():
    assert run_alone(grown_by, False) < 0.1 * BYTES
    assert run_alone(grown_by, True) > 0.9 * BYTES


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'darwin')
    assert not keep_freed_memory()
