"""Who imports whom, read from the source: no module is run."""

import ast
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set


class Import(NamedTuple):
    """One import statement, resolved to a module of the same tree."""

    target: str
    line: int
    at_top: bool  # runs when the module is imported, not when a function is called


def modules_of(package: Path) -> Dict[str, Path]:
    """Dotted name of every module below the folder ``package``; a package goes by its folder's name."""
    modules = {}
    for path in sorted(package.rglob('*.py')):
        parts = path.relative_to(package.parent).with_suffix('').parts
        if '.mim' not in parts:
            modules['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return modules


def _top_level_nodes(tree: ast.Module) -> Set[ast.AST]:
    """Every node outside of functions: bodies of ``if``, ``try`` and classes run at import, too."""
    found, waiting = set(), [tree]
    while waiting:
        for child in ast.iter_child_nodes(waiting.pop()):
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                found.add(child)
                waiting.append(child)
    return found


def _targets(node: ast.AST, package: str) -> Iterator[str]:
    """Dotted names that a statement asks for; ``package`` is what a relative import starts from."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ''
        if node.level:
            parents = package.split('.')
            base = '.'.join(parents[: len(parents) - node.level + 1] + ([base] if base else []))
        yield from (f'{base}.{alias.name}' for alias in node.names)


def imports_of(name: str, modules: Dict[str, Path]) -> List[Import]:
    """What the module ``name`` imports from its own tree; ``from package import x`` is the module x or the package."""
    path = modules[name]
    tree = ast.parse(path.read_text(encoding='utf-8'))
    package = name if path.name == '__init__.py' else name.rpartition('.')[0]
    at_top = _top_level_nodes(tree)
    found = []
    for node in ast.walk(tree):
        for target in _targets(node, package):
            while target and target not in modules:
                target = target.rpartition('.')[0]
            if target and target != name:
                found.append(Import(target, node.lineno, node in at_top))
    return found


def find_cycle(graph: Dict[str, Set[str]]) -> List[str]:
    """A closed walk through ``graph``, first node repeated at the end, or an empty list."""
    done: Set[str] = set()

    def visit(node: str, trail: List[str]) -> List[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for successor in sorted(graph.get(node, ())):
            cycle = visit(successor, [*trail, node])
            if cycle:
                return cycle
        done.add(node)
        return []

    for node in sorted(graph):
        cycle = visit(node, [])
        if cycle:
            return cycle
    return []
