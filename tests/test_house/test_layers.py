"""Floors of the house: nothing imports upward, nothing in a circle (docs/en/design.md, "Floors")."""

import ast

import pytest

from .import_graph import find_cycle, imports_of, modules_of

GROUND = 0
# The longest matching prefix counts, so that a new folder below ``models`` is a task model until it is named here.
FLOORS = {
    'mmmutual': GROUND,
    'mmmutual.registry': GROUND,
    'mmmutual.structures': GROUND,
    'mmmutual.utils': GROUND,
    'mmmutual.version': GROUND,
    'mmmutual.engine': 1,
    'mmmutual.models.losses': 2,
    'mmmutual.models.fusions': 2,
    'mmmutual.models.quantizers': 2,
    'mmmutual.models.modulators': 2,
    'mmmutual.models.encoders': 3,
    'mmmutual.models.heads': 3,
    'mmmutual.models': 4,
    'mmmutual.apis': 5,
}
# They stand beside the models, and import the ground floor and themselves.
BESIDE = ('mmmutual.datasets', 'mmmutual.evaluation', 'mmmutual.visualization')


def within(name, prefix):
    return name == prefix or name.startswith(f'{prefix}.')


def side_of(name):
    """The folder beside the models that holds ``name``, or None."""
    return next((prefix for prefix in BESIDE if within(name, prefix)), None)


def floor_of(name):
    """The floor of a module that stands in the house itself."""
    prefix = max((prefix for prefix in FLOORS if within(name, prefix)), key=len)
    if prefix == 'mmmutual' and name != 'mmmutual':
        raise AssertionError(f'{name} stands on no floor: name its folder in FLOORS or BESIDE, and in design.md')
    return FLOORS[prefix]


def complaint(importer, target):
    """Why ``importer`` may not import ``target``, or None."""
    side, target_side = side_of(importer), side_of(target)
    if side is not None:
        if target_side == side or (target_side is None and floor_of(target) == GROUND):
            return None
        return f'{side} imports only the ground floor'
    floor = floor_of(importer)
    if target_side is not None:
        return None if floor >= FLOORS['mmmutual.apis'] else f'floor {floor} does not import {target_side}'
    return None if floor_of(target) <= floor else f'floor {floor} imports floor {floor_of(target)}'


@pytest.fixture(scope='module')
def package(root):
    return modules_of(root / 'mmmutual')


def test_no_upward_import(package):
    found = []
    for name in package:
        for entry in imports_of(name, package):
            reason = complaint(name, entry.target)
            if reason:
                found.append(f'{name}:{entry.line} imports {entry.target}: {reason}')
    assert not found, '\n'.join(found)


def test_no_circle(package):
    graph = {name: {entry.target for entry in imports_of(name, package) if entry.at_top} for name in package}
    assert not find_cycle(graph)


def test_the_package_does_not_import_tools_or_tests(package):
    found = []
    for name, path in package.items():
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            found += [f'{name}: {entry}' for entry in names if entry.split('.')[0] in ('tools', 'tests', 'configs')]
    assert not found


def test_every_folder_with_modules_is_a_package(root):
    # find_packages drops a folder without __init__.py: mmaction2 1.2.0 was released that way.
    folders = {path.parent for path in (root / 'mmmutual').rglob('*.py') if '.mim' not in path.parts}
    assert not [str(folder) for folder in folders if not (folder / '__init__.py').exists()]


def write(folder, files):
    for name, text in files.items():
        path = folder / 'pkg' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return modules_of(folder / 'pkg')


def test_relative_and_lazy_imports_are_resolved(tmp_path):
    modules = write(
        tmp_path,
        {
            '__init__.py': '',
            'a/__init__.py': 'from .one import x',
            'a/one.py': 'from ..b import two\nfrom ..b.two import y\nimport os',
            'b/__init__.py': '',
            'b/two.py': 'def f():\n    from ..a import one\n',
        },
    )
    assert [entry.target for entry in imports_of('pkg.a', modules)] == ['pkg.a.one']
    assert [(entry.target, entry.at_top) for entry in imports_of('pkg.a.one', modules)] == [('pkg.b.two', True)] * 2
    assert [(entry.target, entry.at_top) for entry in imports_of('pkg.b.two', modules)] == [('pkg.a.one', False)]


def test_find_cycle():
    assert find_cycle({'a': {'b'}, 'b': {'c'}, 'c': {'b'}}) == ['b', 'c', 'b']
    assert find_cycle({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}) == []


@pytest.mark.parametrize(
    ('importer', 'target', 'allowed'),
    [
        ('mmmutual.models.losses.mutual_kl', 'mmmutual.engine.driver', True),
        ('mmmutual.engine.driver', 'mmmutual.models.losses', False),
        ('mmmutual.models.encoders.tsm', 'mmmutual.models.base_model', False),
        ('mmmutual.models.base_model', 'mmmutual.models.heads', True),
        ('mmmutual.models.base_model', 'mmmutual.datasets', False),
        ('mmmutual.datasets.x', 'mmmutual.datasets.transforms', True),
        ('mmmutual.datasets.x', 'mmmutual.evaluation', False),
        ('mmmutual.datasets.x', 'mmmutual.engine', False),
        ('mmmutual.evaluation.x', 'mmmutual.structures', True),
        ('mmmutual.apis.x', 'mmmutual.datasets', True),
        ('mmmutual.utils.x', 'mmmutual.apis', False),
    ],
)
def test_rules(importer, target, allowed):
    assert (complaint(importer, target) is None) == allowed
