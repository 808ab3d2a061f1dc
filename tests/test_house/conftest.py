"""Where the repository is, and a copy of its sources."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ('mmmutual', 'configs', 'tools', 'requirements', 'docs')
GENERATED = shutil.ignore_patterns('.mim', '__pycache__', '_build', 'generated')


@pytest.fixture(scope='session')
def root():
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope='session')
def source_tree(tmp_path_factory):
    """A copy of the sources, so that a build leaves nothing in the working copy."""
    tree = tmp_path_factory.mktemp('source')
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=GENERATED)
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith('.git'):
            shutil.copy(path, tree)
    return tree
