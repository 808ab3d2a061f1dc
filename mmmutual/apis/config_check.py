"""A config's mistakes, told before anything is built."""

import difflib
import inspect
from typing import Any, Dict, List, Optional, Set

from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.registry import Registry
from mmengine.runner import Runner, TestLoop, ValLoop
from torch.utils.data import DataLoader

from mmmutual import registry

from .untyped_parts import check_places, check_untyped, keys_taken

# What the Runner and the tools read; every other name at the top of a config is a variable of its author.
RUNNER_KEYS = (
    'activation_checkpointing', 'auto_scale_lr', 'compile', 'custom_hooks', 'custom_imports', 'data_preprocessor',
    'default_hooks', 'default_scope', 'efficient_conv_bn_eval', 'env_cfg', 'experiment_name', 'find_unused_parameters',
    'launcher', 'load_from', 'log_level', 'log_processor', 'model', 'model_wrapper_cfg', 'optim_wrapper',
    'param_scheduler', 'randomness', 'resume', 'sync_bn', 'test_cfg', 'test_dataloader', 'test_evaluator', 'train_cfg',
    'train_dataloader', 'tta_model', 'tta_pipeline', 'val_cfg', 'val_dataloader', 'val_evaluator', 'visualizer',
    'work_dir',
)  # fmt: skip
# Usual names of variables, though close to one of those.
VARIABLES = ('test_pipeline', 'val_pipeline')
# What takes the dicts at the top that have no ``type``.
TAKERS = dict(
    train_dataloader=DataLoader, val_dataloader=DataLoader, test_dataloader=DataLoader, val_cfg=ValLoop,
    test_cfg=TestLoop, randomness=Runner.set_randomness,
)  # fmt: skip
# Taken out of a dict before the class of its ``type`` sees the rest.
CONSUMED: Set[str] = {
    'type', '_scope_', 'priority', 'constructor', 'paramwise_cfg', 'optimizer', 'convert_to_iter_based', 'modules',
    'num_batch_per_epoch',
}  # fmt: skip


def check_config(cfg: Config) -> None:
    """Check type names, the arguments given to them, and misspelt names at the top.

    Dicts below a key that ends in ``_cfg`` belong to the class that takes them and are left alone; so are those below
    a class of another package whose ``type`` is in no registry (mmaction2's ``consensus``).

    Raises:
        ValueError: naming the place, what stands there and what would be right.
    """
    for key in cfg:
        close = difflib.get_close_matches(key, RUNNER_KEYS, n=1, cutoff=0.85)
        if close and key not in (*RUNNER_KEYS, *VARIABLES):
            raise ValueError(f'config key {key!r} is not used by anything; did you mean {close[0]!r}?')
    check_places(cfg, RUNNER_KEYS)
    read = {key: cfg._cfg_dict[key] for key in cfg if key in RUNNER_KEYS}
    check_untyped(read)
    for key, taker in TAKERS.items():
        if isinstance(cfg.get(key), dict) and 'type' not in cfg[key]:
            _check_arguments(key, cfg[key], taker)
    for key, node in read.items():
        _check_typed(node, key, _scope(cfg))


def apply_options(cfg: Config, options: Dict[str, Any]) -> None:
    """Check options and merge them into a config, those that change a ``type`` first: others may be its arguments.

    Args:
        cfg: is changed.
        options: dotted key -> value, as ``--cfg-options`` gives them.

    Raises:
        ValueError: from :func:`check_option`.
    """
    types = {option: value for option, value in options.items() if option.split('.')[-1] == 'type'}
    others = {option: value for option, value in options.items() if option not in types}
    for group in (types, others):
        for option in group:
            check_option(cfg, option)
        cfg.merge_from_dict(group)


def check_option(cfg: Config, option: str) -> None:
    """Check that a dotted key of ``--cfg-options`` names something, and that to change it changes the run.

    Raises:
        ValueError: if it doesn't, naming what there is at the place where the path ends.
    """
    node: Any = cfg._cfg_dict
    parts = option.split('.')
    if parts[0] in node and parts[0] not in RUNNER_KEYS:
        raise ValueError(
            f'--cfg-options {option}: {parts[0]!r} is a variable of the config file, whose value has been used already '
            f'and would change nothing now. Name the place where it is used, below one of {list(RUNNER_KEYS)}'
        )
    for i, part in enumerate(parts):
        here = '.'.join(parts[:i]) or 'the config'
        if isinstance(node, (list, tuple)):
            if not part.isdigit() or int(part) >= len(node):
                raise ValueError(f'--cfg-options {option}: {here} is a list of {len(node)}, and {part!r} none of them')
            node = node[int(part)]
        elif isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, dict) and i == len(parts) - 1 and _may_add(cfg, parts, node):
            return
        else:
            known = sorted(node) if isinstance(node, dict) else f'a {type(node).__name__}'
            raise ValueError(f'--cfg-options {option}: there is no {part!r} in {here}, which has {known}')


def _may_add(cfg: Config, parts: List[str], node: dict) -> bool:
    """Whether the last of ``parts``, which is not there yet, is something that can be in ``node``.

    Raises:
        ValueError: the ``type`` of ``node`` is in no registry, so that nobody knows.
    """
    if len(parts) == 1:
        return parts[0] in RUNNER_KEYS
    taken = keys_taken(tuple(parts[:-1]))
    if taken is not None:
        return parts[-1] in taken
    if any(part.endswith('_cfg') for part in parts[1:-1]):
        return True  # the class that takes it checks it
    if isinstance(node.get('type'), str):
        cls = _find(node['type'], _scope(cfg))
        if cls is None:
            where = '.'.join(parts[:-1])
            raise ValueError(f'--cfg-options {".".join(parts)}: {_unknown_type(where, node["type"])}')
    else:
        cls = TAKERS.get(parts[0]) if len(parts) == 2 else None
    if cls is None:
        return False
    accepted = _arguments(cls)
    return accepted is None or parts[-1] in accepted


def _check_arguments(where: str, node: dict, cls: Any) -> None:
    accepted = _arguments(cls)
    if accepted is None:
        return
    unused = [key for key in node if key not in accepted and key not in CONSUMED]
    if unused:
        raise ValueError(
            f'{where}: {cls.__name__} does not take {unused}; it takes {sorted(accepted - {"self", "kwargs", "args"})}'
        )


def _check_typed(node: Any, where: str, scope: str, inside_foreign: bool = False) -> None:
    """Check every dict with a ``type`` below a place; ``inside_foreign``: a class of another package takes it."""
    if isinstance(node, dict):
        if isinstance(node.get('type'), str):
            cls = _find(node['type'], scope)
            if cls is None and not inside_foreign:
                raise ValueError(_unknown_type(where, node['type']))
            if cls is not None:
                _check_arguments(where, node, cls)
            inside_foreign = inside_foreign or not _is_known(cls)
        for key, value in node.items():
            # clip_grad's type is not one of a registry: 'norm' or 'value'
            if not (str(key).endswith('_cfg') or key == 'clip_grad'):
                _check_typed(value, f'{where}.{key}', scope, inside_foreign)
    elif isinstance(node, (list, tuple)):
        for i, value in enumerate(node):
            _check_typed(value, f'{where}[{i}]', scope, inside_foreign)


def _registries() -> List[Registry]:
    return [value for value in vars(registry).values() if isinstance(value, Registry) and value.scope == 'mmmutual']


def _scope(cfg: Config) -> str:
    return cfg.get('default_scope') or 'mmmutual'


def _unknown_type(where: str, name: str) -> str:
    names = {known for root in _registries() for known in root.module_dict}
    close = difflib.get_close_matches(name.split('.')[-1], names, n=3)
    hint = f'; did you mean one of {close}?' if close else ''
    return f'{where}.type={name!r} is not registered{hint}'


def _find(name: str, scope: str) -> Optional[Any]:
    if '.' not in name and scope != 'mmmutual':
        name = f'{scope}.{name}'
    for child in _registries():
        try:
            found = child.get(name)
        except ModuleNotFoundError as error:
            if error.name != 'mmaction.mmengine':  # where mmaction2's registry of functions looks for them
                raise
            continue
        if found is not None:
            return found
    return None


def _is_known(cls: Any) -> bool:
    """Whether it is of this package or of those whose ``**kwargs`` always go to a base class."""
    return cls is not None and cls.__module__.split('.')[0] in ('mmmutual', 'mmengine', 'torch')


def _arguments(cls: Any) -> Optional[Set[str]]:
    """Names of the arguments that a class takes, those of its bases included where it passes them on; None: any."""
    names: Set[str] = set()
    for base in cls.__mro__ if inspect.isclass(cls) else [cls]:
        function = base.__dict__.get('__init__') if inspect.isclass(base) else base
        if function is None:
            continue
        if base is object or not callable(function):
            return None if names else set()
        parameters = inspect.signature(function).parameters.values()
        names |= {p.name for p in parameters}
        if base is CheckpointHook:
            return names  # its ** goes to a function that takes nothing more, which would fail after the first epoch
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names
        if not _is_known(cls):
            return None  # it may read them itself
    return None
