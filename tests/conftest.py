"""Options and fixtures of all tests."""

from pathlib import Path

import cv2
import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption(
        '--golden-root',
        default='../shared/golden',
        help='numbers obtained from the original systems; a relative path starts at the root of the repository',
    )
    parser.addoption(
        '--data-root',
        default='../shared/data',
        help='real clips, sounds and annotation files; a relative path starts at the root of the repository',
    )


def _shared_folder(request, option):
    folder = ROOT / request.config.getoption(option)
    if not folder.is_dir():
        pytest.skip(f'{option} {folder} is not here')
    return folder


@pytest.fixture(scope='session')
def golden_root(request):
    """Folder of golden numbers; the test is skipped without it."""
    return _shared_folder(request, '--golden-root')


@pytest.fixture(scope='session')
def data_root(request):
    """Folder of real data; the test is skipped without it."""
    return _shared_folder(request, '--data-root')


@pytest.fixture(scope='session', autouse=True)
def _one_thread():
    """Tests share few cores, and one thread makes float sums repeatable."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
