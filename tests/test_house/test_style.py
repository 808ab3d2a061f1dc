"""Habits that a linter does not see: docstrings of what is public, short files, no paths of somebody's machine."""

import ast
import re
import shutil
import statistics
import subprocess

import pytest

from .import_graph import modules_of

MAX_ASSERTS = 3
MAX_MEDIAN_LINES = 130
BROAD = ('Exception', 'BaseException')
# Absolute paths of home folders and of the folders that machines for development use.
FOREIGN_PATH = re.compile(rb'(?<![\w./}-])/(?:home|Users|root|work|mnt|opt)/[A-Za-z_]')


@pytest.fixture(scope='module')
def sources(root):
    """Dotted name -> (text, syntax tree) of every module of the package."""
    texts = {name: path.read_text(encoding='utf-8') for name, path in modules_of(root / 'mmmutual').items()}
    return {name: (text, ast.parse(text)) for name, text in texts.items()}


def nodes(sources, kind):
    for name, (_, tree) in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, kind):
                yield name, node


def broad_handlers(tree):
    """Lines of handlers that swallow everything: bare, or of Exception, and without a bare ``raise``."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            broad = any(kind is None or getattr(kind, 'id', '') in BROAD for kind in kinds)
            again = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
            if broad and not again:
                found.append(node.lineno)
    return found


def undocumented(tree):
    """Public classes, functions and methods without a docstring; what overrides a documented parent may go without."""
    found = [] if ast.get_docstring(tree) else ['the module itself']
    for node in tree.body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)) or node.name.startswith('_'):
            continue
        if not ast.get_docstring(node):
            found.append(node.name)
        if isinstance(node, ast.ClassDef) and not node.bases:
            methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
            found += [f'{node.name}.{inner.name}' for inner in methods if needs_docstring(inner)]
    return found


def needs_docstring(method):
    return not method.name.startswith('_') and not method.decorator_list and not ast.get_docstring(method)


def test_no_broad_except(sources):
    assert not {name: lines for name, (_, tree) in sources.items() if (lines := broad_handlers(tree))}


def test_no_print(sources):
    calls = nodes(sources, ast.Call)
    assert not [f'{name}:{node.lineno}' for name, node in calls if getattr(node.func, 'id', '') == 'print']


def test_assert_is_rare(sources):
    found = [f'{name}:{node.lineno}' for name, node in nodes(sources, ast.Assert)]
    assert len(found) <= MAX_ASSERTS, f"a user's mistake raises ValueError, TypeError or FileNotFoundError: {found}"


def test_what_is_public_is_documented(sources):
    assert not {name: missing for name, (_, tree) in sources.items() if (missing := undocumented(tree))}


def test_files_are_short(root):
    modules = [path for path in modules_of(root / 'mmmutual').values() if path.name != '__init__.py']
    lengths = {str(path.relative_to(root)): len(path.read_text(encoding='utf-8').splitlines()) for path in modules}
    assert statistics.median(lengths.values()) <= MAX_MEDIAN_LINES, sorted(lengths.items(), key=lambda item: item[1])


def test_no_path_of_a_developers_machine(root):
    if shutil.which('git') is None or not (root / '.git').exists():
        pytest.skip('needs a git checkout, to know which files belong to the project')
    command = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split('\0')
    found = []
    for name in filter(None, listed):
        path = root / name
        if path.is_file() and FOREIGN_PATH.search(path.read_bytes()):
            found.append(name)
    assert not found


def test_the_checks_can_fail():
    assert broad_handlers(ast.parse('try:\n    f()\nexcept (OSError, Exception):\n    pass')) == [3]
    assert broad_handlers(ast.parse('try:\n    f()\nexcept:\n    g()\n    raise')) == []
    code = '"""m"""\nclass A:\n    """a"""\n    def f(self): pass\n    def _g(self): pass\ndef h(): pass'
    assert undocumented(ast.parse(code)) == ['A.f', 'h']
    assert FOREIGN_PATH.search(b'cd /' + b'home/me/data')
    assert not FOREIGN_PATH.search(b'see https://host/' + b'home/page and ../work/x')
