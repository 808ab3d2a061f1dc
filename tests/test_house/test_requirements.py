"""Every import is declared, and everything declared is pinned."""

import ast
import re
import sys

import pytest

from .import_graph import modules_of

# Where the name to import is not the name to install.
DISTRIBUTIONS = {
    'PIL': 'pillow',
    'cv2': 'opencv-python',
    'mmaction': 'mmaction2',
    'mmcv': 'mmcv-lite',
    'sklearn': 'scikit-learn',
    'yaml': 'pyyaml',
}


def normal(name):
    return re.sub(r'[-_.]+', '-', name).lower()


def declared(root, *names):
    """Normalised names of the distributions in requirements files."""
    lines = [line for name in names for line in (root / 'requirements' / f'{name}.txt').read_text().splitlines()]
    matches = (re.match(r'[A-Za-z][\w.-]*', line) for line in lines)
    return {normal(match.group()) for match in matches if match}


def imported(path):
    """Top-level names of the foreign modules that a file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split('.')[0])
    return names - set(sys.stdlib_module_names) - {'mmmutual'}


@pytest.mark.parametrize(
    ('folder', 'files'),
    [
        ('mmmutual', ('runtime', 'mminstall', 'optional')),
        ('tests', ('runtime', 'mminstall', 'optional', 'tests')),
    ],
)
def test_every_import_is_declared(root, folder, files):
    names = {name for path in modules_of(root / folder).values() for name in imported(path)}
    # tests import the tools' own modules, too
    local = {path.stem for name in (folder, 'tools') for path in (root / name).rglob('*')} | {'tests', 'tools', 'setup'}
    wanted = {normal(DISTRIBUTIONS.get(name, name)) for name in names - local}
    assert wanted <= declared(root, *files)


def test_everything_declared_is_pinned(root):
    pins = {}
    for line in (root / 'requirements' / 'constraints.txt').read_text().splitlines():
        if line and not line.startswith('#'):
            name, separator, version = line.partition('==')
            assert separator, f'not an exact version: {line}'
            pins[normal(name)] = version
    wanted = declared(root, 'runtime', 'mminstall', 'optional', 'tests', 'docs')
    assert wanted <= set(pins)
    assert {'pip', 'setuptools', 'wheel'} <= set(pins)
    assert int(pins['setuptools'].split('.')[0]) < 81
    assert '+' not in pins['torch'], 'a local label would shut out every other build'
    # The two share one folder; different versions would mix.
    assert pins['opencv-python'] == pins['opencv-contrib-python']


def test_the_aggregate_names_every_file(root):
    included = set(re.findall(r'-r requirements/(\w+)\.txt', (root / 'requirements.txt').read_text()))
    assert included == {path.stem for path in (root / 'requirements').glob('*.txt')} - {'constraints'}


def test_nothing_names_an_index(root):
    # Wheels come from whichever index pip is configured with.
    for path in [root / 'Makefile', root / 'requirements.txt', *(root / 'requirements').glob('*.txt')]:
        assert not re.search(r'index-url|find-links|https?://', path.read_text()), path.name


def test_no_second_torch_is_pulled_in(root):
    pins = (root / 'requirements' / 'constraints.txt').read_text()
    assert not re.search(r'(?m)^(nvidia|cuda|triton|torchvision|timm)', pins)
