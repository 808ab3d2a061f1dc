"""Dicts of a config that have no ``type``, and names at its top that nothing reads."""

import difflib
import inspect
import logging
from typing import Any, Dict, Optional, Tuple

from mmengine.config import Config
from mmengine.logging import print_log

from mmmutual.datasets.modality_options import MODALITY_KEYS
from mmmutual.models.classifiers.tune_from import TuneFrom

# Keys that a dict without a type takes, by the end of its path; '*' stands for any name.
TAKEN: Dict[Tuple[str, ...], Tuple[str, ...]] = {
    ('env_cfg',): ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'),
    ('env_cfg', 'mp_cfg'): ('mp_start_method', 'opencv_num_threads'),
    ('env_cfg', 'dist_cfg'): ('backend', 'timeout', 'init_method'),
    ('auto_scale_lr',): ('enable', 'base_batch_size'),
    ('clip_grad',): ('type', 'max_norm', 'norm_type', 'clip_value', 'error_if_nonfinite', 'foreach'),
    ('modalities', '*'): tuple(dict.fromkeys(key for keys in MODALITY_KEYS.values() for key in keys)),
    ('tune_from',): tuple(inspect.signature(TuneFrom).parameters),
}
HOOKS = (
    'runtime_info', 'timer', 'logger', 'param_scheduler', 'checkpoint', 'sampler_seed', 'unify',
    'consistency', 'early_stopping', 'visualization', 'profiler', 'ema',
)  # fmt: skip
# Names whose place is elsewhere: parts of a model, and what configs of OpenMMLab 1.x called them.
PLACES = dict(
    schedule='model.schedule', modulators='model.modulators', fusion='model.fusion', losses='model.losses',
    branches='model.branches', optimizer='optim_wrapper.optimizer', optimizer_config='optim_wrapper.clip_grad',
    lr='optim_wrapper.optimizer.lr', lr_config='param_scheduler', data='train_dataloader',
    total_epochs='train_cfg.max_epochs', max_epochs='train_cfg.max_epochs', evaluation='val_evaluator',
    checkpoint_config='default_hooks.checkpoint', log_config='default_hooks.logger', dist_params='env_cfg.dist_cfg',
    seed='randomness.seed', resume_from='load_from',
)  # fmt: skip


def keys_taken(path: Tuple[str, ...]) -> Optional[Tuple[str, ...]]:
    """Keys of the untyped dict at a path, if they are known."""
    for end, keys in TAKEN.items():
        tail = path[-len(end) :]
        if len(tail) == len(end) and all(name in ('*', part) for name, part in zip(end, tail)):
            return keys
    return None


def check_untyped(node: Any, path: Tuple[str, ...] = ()) -> None:
    """Refuse unknown keys of the dicts in :data:`TAKEN`, and names of hooks that are nearly a known one.

    Raises:
        ValueError: naming the place, the key, and what it takes.
    """
    if not isinstance(node, dict):
        return
    where, taken = '.'.join(path), keys_taken(path)
    unknown = [] if taken is None else [key for key in node if key not in taken]
    if unknown:
        raise ValueError(f'{where} does not take {unknown}; it takes {list(taken)}')
    for key, value in node.items():
        if path == ('default_hooks',) and key not in HOOKS:
            close = difflib.get_close_matches(key, HOOKS, n=1, cutoff=0.8)
            if close:
                raise ValueError(f'default_hooks.{key} is not a known hook; did you mean {close[0]!r}?')
        check_untyped(value, (*path, str(key)))


def check_places(cfg: Config, read: Tuple[str, ...]) -> None:
    """Tell of a part at the top of a config that nothing below takes up.

    A variable of the same name is fine as long as its value is used; where its place is filled otherwise, that may
    be an override or arithmetic on the variable (``lr=lr * 8``).

    Args:
        cfg: the config.
        read: the names at its top that are read.

    Raises:
        ValueError: if the place where it belongs is empty as well, naming that place.
    """
    used = {name: cfg[name] for name in read if name in cfg}
    for name, place in PLACES.items():
        if name not in cfg or cfg[name] is None or _occurs(cfg[name], used):
            continue
        if _at(cfg, place) is None:
            raise ValueError(f'config key {name!r} is not used by anything: it belongs into {place}')
        if isinstance(cfg[name], dict):
            print_log(
                f'config key {name!r} stands at the top of the config, and nothing holds this value: if it is to be '
                f'used, it belongs into {place}',
                logger='current',
                level=logging.WARNING,
            )


def _at(cfg: Config, place: str) -> Any:
    """What stands at a dotted place, if anything."""
    node: Any = cfg
    for part in place.split('.'):
        node = node.get(part) if hasattr(node, 'get') else None
    return node


def _occurs(value: Any, node: Any) -> bool:
    """Whether ``value``, or every item of it if it is a dict, stands somewhere below ``node``."""
    both = isinstance(value, dict) and isinstance(node, dict) and bool(value)
    if both and all(key in node and node[key] == item for key, item in value.items()):
        return True
    if not isinstance(value, dict) and value == node:
        return True
    if isinstance(node, dict):
        return any(_occurs(value, item) for item in node.values())
    if isinstance(node, (list, tuple)):
        return any(_occurs(value, item) for item in node)
    return False
