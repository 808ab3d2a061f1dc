"""Every shipped config loads, builds, trains one step and predicts, under the tiny override of its family."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmmutual.apis import launch
from mmmutual.registry import TRANSFORMS

from .tiny import BATCH, TINY, loaders, num_segments, synthetic_batch, write_clips

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
FILES = sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)


def test_there_are_configs():
    assert len(FILES) >= 6
    assert {path.parent.name for path in FILES} == set(TINY)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request):
    return request.param


def bases(path):
    """How deep a config file inherits."""
    return max((1 + bases(path.parent / base) for base in Config._get_base_files(str(path))), default=0)


def test_file(path):
    assert bases(path) <= 2
    text = path.read_text()
    assert '_delete_' not in text
    assert text.startswith('# ')  # says what it is


def test_modalities_of_the_name_are_those_of_model_and_data(path):
    cfg = launch.load_config(str(path))
    *_, data = path.stem.split('_')
    modalities = data.split('-')[1:]
    assert [branch.get('input', name) for name, branch in cfg.model.branches.items()] == modalities
    for loader in loaders(cfg):
        assert set(loader.dataset.modalities) == set(modalities)
    for pipeline in [loader.dataset.pipeline for loader in loaders(cfg)] + [cfg.tta_pipeline]:
        segments = [step.num_segments for step in pipeline if step.type == 'SampleSegments']
        assert segments == ([] if modalities == ['audio'] else [num_segments(cfg)])


def test_one_training_step_and_one_prediction(path, tmp_path):
    cfg = launch.load_config(str(path))
    TINY[path.parent.name](cfg)
    write_clips(cfg, tmp_path / 'data')
    cfg.work_dir = str(tmp_path / 'work_dir')
    cfg.experiment_name = path.stem
    launch.init_processes(cfg, 'none')
    runner = build_runner(cfg)
    model = runner.model
    before = {name: p.clone() for name, p in model.named_parameters()}
    logs = model.train_step(synthetic_batch(cfg), runner.optim_wrapper)
    terms = {name: value.item() for name, value in logs.items() if 'loss' in name}
    students = len(cfg.model.branches) if len(cfg.model.branches) > 1 else 0
    assert len(terms) == 1 + len(cfg.model.branches) + students
    assert all(torch.isfinite(torch.tensor(value)) for value in terms.values())
    # partial batch norm freezes some
    still = [name for name, p in model.named_parameters() if p.requires_grad and torch.equal(p, before[name])]
    assert not still

    metric = runner.val_loop.evaluator
    for views in (1, 2):
        samples = model.val_step(synthetic_batch(cfg, views))
        assert [list(sample.logits) for sample in samples] == [list(cfg.model.branches)] * BATCH
        assert all(sample.fused_logits.shape == (cfg.model.num_classes,) for sample in samples)
    metric.process(samples)
    found = metric.evaluate(BATCH)
    assert set(found) == {f'{n}/top{k}' for n in (*cfg.model.branches, 'ensemble') for k in cfg.val_evaluator.topk}
    save_best = cfg.default_hooks.checkpoint.save_best
    assert set([save_best] if isinstance(save_best, str) else save_best) <= set(found)


def build_runner(cfg):
    """Everything that ``Runner.train`` and ``Runner.test`` build, with its checks before training."""
    runner = Runner.from_cfg(cfg)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    runner._val_loop = runner.build_val_loop(runner._val_loop)
    runner._test_loop = runner.build_test_loop(runner._test_loop)
    for step in cfg.tta_pipeline:
        TRANSFORMS.build(step)
    runner.call_hook('before_run')
    runner.model.init_weights()
    return runner
