"""Reading configs and starting process groups, as the tools do."""

import os
import socket
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config

from mmmutual.apis import launch

from ..helpers import run_alone, run_distributed

MODEL = dict(type='MultiModalClassifier')
CONFIG = """
default_scope = 'mmmutual'
pipeline = [dict(type='SampleSegments', num_segments=8), dict(type='LoadFrames')]
train_dataloader = dict(batch_size=2, dataset=dict(type='VideoListDataset', classes=3, pipeline=pipeline))
val_dataloader = dict(batch_size=2, dataset=dict(type='VideoListDataset', classes=3, pipeline=pipeline))
test_dataloader = val_dataloader
optim_wrapper = dict(type='MutualOptimWrapper', optimizer=dict(type='SGD', lr=0.1))
"""


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / 'mml_tiny.py'
    path.write_text(CONFIG)
    return str(path)


def test_options_change_what_they_name(config_file):
    options = {
        'optim_wrapper.optimizer.lr': 0.5,
        'optim_wrapper.optimizer.momentum': 0.9,
        'val_dataloader.dataset.pipeline.0.num_segments': 16,
        'test_dataloader.batch_size': 7,
    }
    cfg = launch.load_config(config_file, options)
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.5, momentum=0.9)
    segments = [cfg[f'{split}_dataloader'].dataset.pipeline[0].num_segments for split in ('train', 'val', 'test')]
    assert segments == [8, 16, 8]
    assert [cfg[f'{split}_dataloader'].batch_size for split in ('train', 'val', 'test')] == [2, 2, 7]
    assert cfg.val_dataloader.dataset.pipeline[1] == dict(type='LoadFrames')


@pytest.mark.parametrize('options', [{'optim_wrapper.optimizer.rate': 1}, {'optim_wrapper.type': 'Nope'}])
def test_options_are_checked(config_file, options):
    with pytest.raises(ValueError, match='rate|Nope'):
        launch.load_config(config_file, options)


def test_our_scope_is_the_default(tmp_path):
    path = tmp_path / 'short.py'
    path.write_text("model = dict(type='MultiModalClassifier', branches=dict(), losses=dict())\n")
    assert launch.load_config(str(path)).default_scope == 'mmmutual'
    path.write_text("default_scope = 'mmaction'\nmodel = dict(type='Recognizer2D')\n")
    assert launch.load_config(str(path)).default_scope == 'mmaction'


def test_config_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config '.*mml_nothing.py' does not exist"):
        launch.load_config(str(tmp_path / 'mml_nothing.py'))


def test_inheritance_across_packages_says_what_it_needs(tmp_path, monkeypatch):
    path = tmp_path / 'child.py'
    path.write_text("_base_ = 'mmaction::_base_/default_runtime.py'\n")
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ImportError, match="pip install 'setuptools<81'"):
        launch.load_config(str(path))


def test_work_dir():
    cfg = Config(dict(work_dir='of_config'))
    launch.set_work_dir(cfg, 'configs/mml/mml_x.py', 'of_command_line')
    assert cfg.work_dir == 'of_command_line'
    cfg = Config(dict(work_dir='of_config'))
    launch.set_work_dir(cfg, 'configs/mml/mml_x.py', None)
    assert cfg.work_dir == 'of_config'
    cfg = Config(dict())
    launch.set_work_dir(cfg, 'configs/mml/mml_x.py', None)
    assert cfg.work_dir == './work_dirs/mml_x'


def test_wrapper_that_drives_schedules_is_set_when_absent():
    cfg = Config(dict(model=MODEL))
    launch.init_processes(cfg, 'none')
    assert cfg.model_wrapper_cfg == dict(type='mmmutual.MutualDistributedDataParallel')
    assert cfg.launcher == 'none'
    cfg = Config(dict(model=MODEL, model_wrapper_cfg=dict(type='Mine', a=1)))
    launch.init_processes(cfg, 'none')
    assert cfg.model_wrapper_cfg == dict(type='Mine', a=1)


@pytest.mark.parametrize('model', ['mmaction.Recognizer2D', 'mmmutual.ResNetTSM', 'NobodysModel'])
def test_model_without_schedule_is_left_to_the_wrapper_of_mmengine(model):
    cfg = Config(dict(model=dict(type=model)))
    launch.init_processes(cfg, 'none')
    assert cfg.get('model_wrapper_cfg') is None


def test_wrapper_of_ours_is_named_in_full():
    """The Runner's own look-up of this one type does not know the default scope."""
    launch.register_all_modules()
    wrapper = dict(type='MutualDistributedDataParallel', bucket_cap_mb=1)
    cfg = Config(dict(model=MODEL, model_wrapper_cfg=wrapper))
    launch.init_processes(cfg, 'none')
    assert cfg.model_wrapper_cfg == dict(type='mmmutual.MutualDistributedDataParallel', bucket_cap_mb=1)


@pytest.mark.parametrize(
    ('backend', 'launcher', 'message'),
    [
        ('nccl', 'pytorch', "backend is 'nccl', which needs GPUs, and there is none here: use 'gloo' or 'auto'"),
        ('nccl', 'slurm', "backend is 'nccl', which needs GPUs"),
        ('mpi', 'pytorch', "backend must be 'auto', 'nccl' or 'gloo', got 'mpi'"),
        ('auto', 'slurm', "launcher 'slurm' needs GPUs; without one use 'pytorch'"),
        ('gloo', 'mpi', "launcher 'mpi' needs GPUs"),
    ],
)
def test_process_groups_that_cannot_be(monkeypatch, backend, launcher, message):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ValueError, match=message):
        launch.init_processes(Config(of_dist(backend=backend)), launcher)
    assert not dist.is_initialized()


def groups_without_gpu():
    """Backends of the groups that are made of several configs, and what each config then says."""
    torch.cuda.is_available = lambda: False
    found = []
    without = dict(model=MODEL)
    for cfg in (without, dict(without, env_cfg=dict(cudnn_benchmark=False)), of_dist(backend='gloo', timeout=77)):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        os.environ.update(RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
        cfg = Config(cfg)
        launch.init_processes(cfg, 'pytorch')
        found.append((dist.get_backend(), dict(cfg.env_cfg.dist_cfg)))
        dist.destroy_process_group()
    return found


def of_dist(**options):
    return dict(model=MODEL, env_cfg=dict(dist_cfg=options))


def test_gloo_without_gpu():
    gloo = ('gloo', dict(backend='gloo'))
    assert run_alone(groups_without_gpu) == [gloo, gloo, ('gloo', dict(backend='gloo', timeout=77))]


def test_on_gpus_mmengine_starts_the_group(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(launch, 'init_dist', lambda launcher, **options: calls.append((launcher, options)))
    launch.init_processes(Config(of_dist(timeout=5)), 'slurm')
    launch.init_processes(Config(of_dist(backend='gloo')), 'pytorch')
    assert calls == [('slurm', dict(backend='nccl', timeout=5)), ('pytorch', dict(backend='gloo'))]


def test_local_rank_of_older_launchers(monkeypatch):
    environment = {}
    monkeypatch.setattr(launch, 'os', SimpleNamespace(environ=environment))
    launch.set_local_rank(3)
    launch.set_local_rank(5)
    assert environment == dict(LOCAL_RANK='3')  # what torchrun set, or the first, stays


def test_dataset_below_wrappers():
    inner = dict(type='VideoListDataset', pipeline=[1])
    cfg = Config(dict(test_dataloader=dict(dataset=dict(type='RepeatDataset', times=2, dataset=inner))))
    launch.test_dataset(cfg).pipeline = [2]
    assert cfg.test_dataloader.dataset.dataset.pipeline == [2]


def end_twice():
    launch.end_processes()
    ended = not dist.is_initialized()
    launch.end_processes()
    dist.destroy_process_group = lambda: None  # the helper's own has nothing left to do
    return ended


def test_processes_leave_the_group():
    assert run_distributed(end_twice, 2) == [True, True]
    assert run_alone(end_twice)  # where there is none
