"""Make ``mmmutual`` the scope in which type names are looked up."""

import importlib

from mmengine.registry import DefaultScope

PACKAGES = ('datasets', 'engine', 'evaluation', 'models', 'structures', 'visualization')


def register_all_modules(init_default_scope: bool = True) -> None:
    """Import every package that registers something and, by default, set the default scope to ``mmmutual``.

    Args:
        init_default_scope (bool): whether plain type names are looked up in ``mmmutual`` from now on. Scopes that
            were set before stay known: mmengine keeps a stack, of which the newest counts.

    Example:
        >>> from mmmutual.utils import register_all_modules
        >>> register_all_modules()
    """
    for package in PACKAGES:
        importlib.import_module(f'mmmutual.{package}')
    if not init_default_scope:
        return
    current = DefaultScope.get_current_instance()
    if current is None or current.scope_name != 'mmmutual':
        name = 'mmmutual'
        while DefaultScope.check_instance_created(name):
            name += '+'  # an instance of this name is older than the current scope and can't be moved up
        DefaultScope.get_instance(name, scope_name='mmmutual')
