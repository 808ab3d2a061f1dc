"""The scope in which type names are looked up."""

import sys

from mmengine.registry import DefaultScope, init_default_scope

from mmmutual.utils import register_all_modules
from mmmutual.utils.setup_env import PACKAGES

from ..helpers import run_alone


def scope():
    current = DefaultScope.get_current_instance()
    return None if current is None else current.scope_name


def scopes():
    found = []
    register_all_modules(init_default_scope=False)
    found.append(scope())
    register_all_modules()
    found.append(scope())
    register_all_modules()
    found.append(len(DefaultScope._instance_dict))
    init_default_scope('mmaction')
    found.append(scope())
    register_all_modules()
    found.append(scope())
    with DefaultScope.overwrite_default_scope('mmengine'):
        found.append(scope())
    found.append([name for name in PACKAGES if f'mmmutual.{name}' not in sys.modules])
    return found


def test_the_newest_scope_counts():
    assert run_alone(scopes) == [None, 'mmmutual', 1, 'mmaction', 'mmmutual', 'mmengine', []]
