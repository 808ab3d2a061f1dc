"""Fixtures of the golden tests of MML: one test per case of the set at hand, whatever its names are."""

from pathlib import Path

import numpy as np
import pytest

from .mml_arrays import load_json


@pytest.fixture(scope='session')
def golden(golden_root):
    return golden_root / 'mml'


@pytest.fixture(scope='session')
def settings(golden):
    return load_json(golden, 'settings.json')


def find_cases(golden):
    """Argument of a test -> names of its cases, of arrays and of settings: one without the other is a failure."""

    def stems(prefix):
        return {path.stem[len(prefix) :] for path in golden.glob(f'{prefix}*.npz')}

    def suffixes(prefix, names):
        return {name[len(prefix) :] for name in names if name.startswith(prefix)}

    with np.load(golden / 'testing.npz') as testing:
        views = {name for name in testing.files if not name.startswith('ens_')}
    return dict(
        forward_case=stems('fwd_') | suffixes('fwd_', load_json(golden, 'forward_cfg.json')),
        gradient_case=stems('grad_') | suffixes('grad_', load_json(golden, 'keys.json')),
        train_case=stems('train_') | set(load_json(golden, 'train_cfg.json')),
        testing_case=views | set(load_json(golden, 'testing_cfg.json')),
    )


def pytest_generate_tests(metafunc):
    arguments = {'forward_case', 'gradient_case', 'train_case', 'testing_case'} & set(metafunc.fixturenames)
    if arguments:
        golden = Path(__file__).parents[2] / metafunc.config.getoption('--golden-root') / 'mml'
        cases = find_cases(golden) if golden.is_dir() else {}
        for argument in arguments:
            metafunc.parametrize(argument, sorted(cases.get(argument, ())))
