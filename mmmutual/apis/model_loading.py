"""From a config or the name of a shipped model to a network that is ready to predict."""

import difflib
import fnmatch
import logging
import os.path as osp
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

import torch
from mmengine.config import Config
from mmengine.fileio import load
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader, _load_checkpoint_to_model
from torch import nn

import mmmutual
from mmmutual.datasets.modality_options import read_classes
from mmmutual.engine.hooks.checkpoint_match import report_match
from mmmutual.registry import MODELS

from .launch import load_config, prepare_config, test_dataset

ConfigLike = Union[str, Path, Config]


def list_models(pattern: Optional[str] = None) -> List[str]:
    """Names of the shipped models, sorted.

    Args:
        pattern: with the wildcards of the shell, e.g. ``'*mmshapes*'``; None: all.

    Example:
        >>> from mmmutual.apis import list_models
        >>> list_models('mml_tsn*')
        ['mml_tsn-r18_scratch-8x1-20e_mmshapes-rgb-flow']
    """
    return sorted(fnmatch.filter(_shipped_configs(), pattern or '*'))


def load_model_config(config: ConfigLike, cfg_options: Optional[Dict[str, Any]] = None) -> Config:
    """Read a config and check it, as :func:`mmmutual.apis.launch.load_config` does.

    Args:
        config: a config file, the name of a shipped model (see :func:`list_models`), or a config, which is copied.
        cfg_options: dotted key -> value.

    Raises:
        FileNotFoundError: a name with the suffix of a config, but no such file.
        ValueError: neither a file nor a shipped model, naming similar ones; a mistake in the config or the options.
    """
    if not isinstance(config, Config):
        return load_config(_config_file(str(config)), cfg_options)
    return prepare_config(config.copy(), cfg_options)


def init_model(
    config: ConfigLike,
    checkpoint: Union[str, Path, None] = None,
    device: Union[str, torch.device, None] = None,
    cfg_options: Optional[Dict[str, Any]] = None,
) -> nn.Module:
    """Build a model and load its weights.

    Args:
        config: see :func:`load_model_config`.
        checkpoint: file or URL of the weights; no code of it is run. None: random weights, with a warning.
        device: default: ``'cuda'`` where there is a GPU, else ``'cpu'``.
        cfg_options: dotted key -> value.

    Returns:
        The model on the device in eval mode, with its config as ``cfg`` and ``dataset_meta``, whose ``classes`` are
        those of the checkpoint, or else of the config's test data, or else numbers.

    Raises:
        FileNotFoundError: no such config or checkpoint.
        ValueError: what :func:`load_model_config` refuses; a checkpoint that is unreadable, would run code or matches
            nothing of the model; a device that is not here.
    """
    device = choose_device(device)
    cfg = load_model_config(config, cfg_options)
    model_cfg = dict(cfg.model)
    if cfg.get('data_preprocessor') is not None:
        model_cfg.setdefault('data_preprocessor', cfg.data_preprocessor)  # as the Runner does
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(model_cfg)
    dataset_meta: Dict[str, Any] = {}
    if checkpoint is None:
        print_log('no checkpoint is given: the weights are random', logger='current', level=logging.WARNING)
    else:
        loaded = CheckpointLoader.load_checkpoint(str(checkpoint), map_location='cpu')
        report_match(model, loaded, f'checkpoint {checkpoint}')
        _load_checkpoint_to_model(model, loaded)
        dataset_meta = dict(loaded.get('meta', {}).get('dataset_meta') or {})
    classes = _classes(dataset_meta, cfg, getattr(model, 'num_classes', None))
    model.dataset_meta = {**dataset_meta, 'classes': classes}
    model.cfg = cfg
    return model.to(device).eval()


def choose_device(device: Union[str, torch.device, None] = None) -> torch.device:
    """The given device, or by default ``'cuda'`` where there is a GPU, else ``'cpu'``.

    Raises:
        ValueError: a name that torch does not know; a GPU that is not here.
    """
    if device is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f'device {device!r} is none of torch: {error}') from error
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device '{device}' is not here: there are {torch.cuda.device_count()} GPUs")
    return device


def _shipped_configs() -> Dict[str, Path]:
    """Name -> config file, by the metafiles of an installed wheel (``.mim``) or of the repository."""
    package = Path(mmmutual.__file__).parent
    root = package / '.mim' if (package / '.mim').is_dir() else package.parent
    index = root / 'model-index.yml'
    if not index.is_file():
        return {}
    metafiles = [load(str(root / metafile)) for metafile in load(str(index))['Import']]
    return {model['Name']: root / model['Config'] for content in metafiles for model in content['Models']}


def _config_file(name: str) -> str:
    if osp.isfile(name) or name.endswith(('.py', '.json', '.yaml', '.yml')):
        return name
    shipped = _shipped_configs()
    if name not in shipped:
        close = difflib.get_close_matches(name, shipped, n=3)
        hint = f'Similar ones: {close}' if close else 'list_models() gives their names'
        raise ValueError(f'{name!r} is neither a config file nor a shipped model. {hint}')
    return str(shipped[name])


def _classes(dataset_meta: Dict[str, Any], cfg: Config, num_classes: Optional[int]) -> Optional[List[str]]:
    """Names of the classes; those that are not ``num_classes`` many are of other data."""
    given = [dataset_meta.get('classes')]
    if cfg.get('test_dataloader') is not None:
        data = test_dataset(cfg)
        classes, folder = data.get('classes'), data.get('data_root') or ''
        if classes is not None and (not isinstance(classes, str) or Path(folder, classes).is_file()):
            given.append(read_classes(classes, folder))
    fitting = [list(names) for names in given if names and len(names) == (num_classes or len(names))]
    if fitting:
        return fitting[0]
    return None if num_classes is None else [str(number) for number in range(num_classes)]
