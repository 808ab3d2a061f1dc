"""No file and no array of golden/mml is forgotten: each belongs to a part, and each part is read by a test."""

import re
from pathlib import Path

import numpy as np
import pytest

from .mml_arrays import PARTS, Arrays, arrays


@pytest.fixture(scope='module')
def sources():
    """Text of the tests of MML and their fixtures, but for this file."""
    paths = [*Path(__file__).parent.glob('test_mml*.py'), Path(__file__).with_name('conftest.py')]
    return ''.join(path.read_text(encoding='utf-8') for path in paths if path != Path(__file__))


def patterns_of(path):
    """Regular expressions of the arrays of this file that tests read."""
    glob = {part: file.format(case='*') for part, (file, _) in PARTS.items()}
    return [names.format(case='.*') for part, (_, names) in PARTS.items() if path.match(glob[part])]


def test_every_array_belongs_to_a_part(golden):
    files = sorted(golden.glob('*.npz'))
    assert files
    for path in files:
        patterns = patterns_of(path)
        with np.load(path) as stored:
            left = [name for name in stored.files if not any(re.fullmatch(pattern, name) for pattern in patterns)]
        assert not left, f'{path.name}: {left}'


def test_every_part_is_opened(sources):
    assert set(re.findall(r"\barrays\(golden, '(\w+)'", sources)) == set(PARTS)


def test_every_json_file_is_loaded(golden, sources):
    loaded = set(re.findall(r"\bload_json\(golden, '([\w.]+)'\)", sources))
    assert {path.name for path in golden.iterdir() if path.suffix not in ('.npz', '.md')} <= loaded


def test_a_part_that_is_not_read_as_a_whole_fails(tmp_path):
    np.savez(tmp_path / 'testing.npz', ens_scores=0, ens_coeff=1, ens_out=2, ens_label=3, one_view=4, other_view=5)
    with arrays(tmp_path, 'ensemble') as data:
        assert data['ens_scores'] + data['ens_coeff'] + data['ens_out'] == 3
    with pytest.raises(AssertionError, match=r"nothing reads \['ens_coeff', 'ens_out'\]"):
        look_up(tmp_path, 'ensemble', names=['ens_scores'])
    look_up(tmp_path, 'ensemble', names=['ens_scores', 'ens_out'], without=['ens_coeff'])
    look_up(tmp_path, 'views', case='one_view', names=['one_view'])
    with pytest.raises(AssertionError, match='no array'):
        look_up(tmp_path, 'views', case='ens_out', names=[])


def look_up(folder, part, names, **options):
    with arrays(folder, part, **options) as data:
        assert isinstance(data, Arrays)
        for name in names:
            data[name]
