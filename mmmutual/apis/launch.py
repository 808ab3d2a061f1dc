"""What the tools share: arguments, configs, process groups, work directories."""

import argparse
import inspect
import os
import os.path as osp
from datetime import timedelta
from typing import Any, Dict, Optional

import torch
import torch.distributed as dist
from mmengine.config import Config, DictAction
from mmengine.dist import init_dist

from mmmutual.models import MutualModel
from mmmutual.registry import MODEL_WRAPPERS, MODELS
from mmmutual.utils import register_all_modules
from mmmutual.utils.dependencies import require_pkg_resources
from mmmutual.utils.host_memory import keep_freed_memory

from .config_check import apply_options, check_config

MODEL_WRAPPER = dict(type='mmmutual.MutualDistributedDataParallel')


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``config`` and ``--cfg-options``, the arguments of :func:`load_config`."""
    parser.add_argument('config', help='config file path')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings, key=value; lists as key="[a,b]" or key=a,b. What does not exist is refused',
    )


def add_launch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--launcher`` and ``--local_rank``, which a job launcher gives."""
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(path: str, options: Optional[Dict[str, Any]] = None) -> Config:
    """Read a config, apply ``--cfg-options`` and check the result.

    Args:
        path: a config file.
        options: dotted key -> value; a key must exist, or be an argument that the ``type`` around it takes.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for an unknown option, type name or argument, naming it and what there is.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'config {path!r} does not exist')
    with open(path) as file:
        if '::' in file.read():
            require_pkg_resources()
    cfg = Config.fromfile(path)
    # Config.fromfile has done the custom_imports: a user's own types are registered by now.
    return prepare_config(cfg, options)


def prepare_config(cfg: Config, options: Optional[Dict[str, Any]] = None) -> Config:
    """Register our modules, apply options to a config and check the result, as :func:`load_config` says.

    Args:
        cfg: is changed, and returned.
        options: dotted key -> value.

    Raises:
        ValueError: for an unknown option, type name or argument, naming it and what there is.
    """
    cfg.setdefault('default_scope', 'mmmutual')  # without one the Runner would take mmengine's
    register_all_modules(init_default_scope=cfg.default_scope == 'mmmutual')
    apply_options(cfg, options or {})
    check_config(cfg)
    return cfg


def set_work_dir(cfg: Config, config_path: str, work_dir: Optional[str]) -> None:
    """The command line goes before the config, and that before ./work_dirs/<name of the config>."""
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('./work_dirs', osp.splitext(osp.basename(config_path))[0])


def init_processes(cfg: Config, launcher: str) -> None:
    """Start the process group before the Runner does, whose way needs CUDA; without a GPU, keep freed memory.

    Args:
        cfg: ``env_cfg.dist_cfg.backend`` is 'auto' (nccl where there are GPUs, else gloo), 'nccl' or 'gloo'.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        ValueError: for nccl without a GPU, slurm and mpi without one, or a learning rate to be scaled by the number of
            processes where several of them share their samples.
    """
    cfg.launcher = launcher
    if not torch.cuda.is_available():
        keep_freed_memory()
    if cfg.get('model_wrapper_cfg') is None and _has_schedule(cfg):
        cfg.model_wrapper_cfg = dict(MODEL_WRAPPER)
    wrapper = (cfg.get('model_wrapper_cfg') or {}).get('type')
    if wrapper in MODEL_WRAPPERS.module_dict:  # the Runner looks this one up without the default scope
        cfg.model_wrapper_cfg.type = f'mmmutual.{wrapper}'
    if launcher == 'none':
        return
    peer_parallel = (cfg.get('model_wrapper_cfg') or {}).get('type') == 'mmmutual.PeerParallel'
    if peer_parallel and (cfg.get('auto_scale_lr') or {}).get('enable', False):
        raise ValueError(
            'auto_scale_lr (--auto-scale-lr) counts every process, but with PeerParallel the peers share their '
            'samples: set optim_wrapper.optimizer.lr by hand'
        )
    if cfg.get('env_cfg') is None:
        cfg.env_cfg = dict()
    env_cfg = cfg.env_cfg
    settings = dict(env_cfg.get('dist_cfg') or {})
    backend = settings.pop('backend', 'auto')
    if backend not in ('auto', 'nccl', 'gloo'):
        raise ValueError(f"env_cfg.dist_cfg.backend must be 'auto', 'nccl' or 'gloo', got {backend!r}")
    on_gpu = torch.cuda.is_available()
    if backend == 'nccl' and not on_gpu:
        raise ValueError(
            "env_cfg.dist_cfg.backend is 'nccl', which needs GPUs, and there is none here: use 'gloo' or 'auto'"
        )
    backend = ('nccl' if on_gpu else 'gloo') if backend == 'auto' else backend
    if on_gpu:
        init_dist(launcher, backend=backend, **settings)
    elif launcher == 'pytorch':
        if 'timeout' in settings:  # in seconds, as mmengine's init_dist takes it
            settings['timeout'] = timedelta(seconds=settings['timeout'])
        dist.init_process_group(backend, **settings)
    else:
        raise ValueError(f"launcher {launcher!r} needs GPUs; without one use 'pytorch' (tools/dist_train.sh)")
    env_cfg.dist_cfg = dict(env_cfg.get('dist_cfg') or {}, backend=backend)


def end_processes() -> None:
    """Leave the process group, if there is one: a process that ends inside it may abort after its work is done."""
    if dist.is_initialized():
        dist.barrier()  # none may still wait for this one
        dist.destroy_process_group()


def _has_schedule(cfg: Config) -> bool:
    """Whether the model is one of ours: another package's is left to mmengine's wrapper."""
    cls = MODELS.get(cfg.model.type) if isinstance(cfg.model.get('type'), str) else cfg.model.get('type')
    return inspect.isclass(cls) and issubclass(cls, MutualModel)


def set_local_rank(local_rank: int) -> None:
    """Older launchers give the local rank as an argument."""
    os.environ.setdefault('LOCAL_RANK', os.environ.get('OMPI_COMM_WORLD_LOCAL_RANK', str(local_rank)))


def test_dataset(cfg: Config) -> Any:
    """Config of the dataset with the pipeline of the test loader, below any wrappers."""
    dataset = cfg.test_dataloader.dataset
    while 'pipeline' not in dataset and 'dataset' in dataset:
        dataset = dataset.dataset
    return dataset
