"""The code in the documentation runs, and the documentation builds without a warning."""

import importlib
import json
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmmutual.engine import MutualOptimWrapper, UpdateStep, drive
from mmmutual.registry import DATASETS, HOOKS, MODELS
from mmmutual.structures import MultiModalDataSample
from mmmutual.utils import register_all_modules

FILE_BLOCK = re.compile(r'```python\n# (my_project/\w+\.py)\n(.*?)```', re.S)
CONFIG_BLOCK = re.compile(r'```python\n(custom_imports.*?)```', re.S)


@pytest.fixture
def plugin(root, tmp_path, monkeypatch):
    """Write the files that a page shows into a folder outside the package, and import its config."""

    def load(page):
        text = (root / 'docs' / 'en' / 'custom' / f'{page}.md').read_text(encoding='utf-8')
        (tmp_path / 'my_project').mkdir()
        for name, code in FILE_BLOCK.findall(text):
            (tmp_path / name).write_text(code)
        (config,) = CONFIG_BLOCK.findall(text)
        (tmp_path / 'my_config.py').write_text(config)
        return Config.fromfile(tmp_path / 'my_config.py')

    monkeypatch.syspath_prepend(str(tmp_path))
    register_all_modules()
    yield load
    for name in [name for name in sys.modules if name.split('.')[0] == 'my_project']:
        forget(sys.modules.pop(name))
    importlib.invalidate_caches()


def forget(module):
    """Take what a module registered out of the registries, so that another test may register it again."""
    for registry in (DATASETS, HOOKS, MODELS):
        for name, item in list(registry.module_dict.items()):
            if item.__module__ == module.__name__:
                del registry.module_dict[name]


class Encoder(torch.nn.Module):
    """Features (B, 3) as they come."""

    input_dims = 2

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(3))

    def forward(self, x):
        return x * self.scale


def classifier(**parts):
    branch = dict(encoder=dict(type=Encoder), head=dict(type='LinearHead', num_classes=2, in_channels=3))
    losses = parts.pop('losses', dict(ce=dict(type='BranchCrossEntropy')))
    preprocessor = dict(type='MultiModalDataPreprocessor')
    branches = dict(rgb=branch, flow=branch)
    cfg = dict(branches=branches, losses=losses, data_preprocessor=preprocessor, **parts)
    return MODELS.build(dict(type='MultiModalClassifier', **cfg))


def batch():
    samples = [MultiModalDataSample(metainfo=dict(key=str(i))).set_gt_label(i % 2) for i in range(4)]
    generator = torch.Generator().manual_seed(0)
    inputs = {name: torch.randn(4, 3, generator=generator) for name in ('rgb', 'flow')}
    return dict(inputs=inputs, data_samples=samples)


def test_loss_page(plugin):
    config = plugin('loss')
    model = classifier(losses=config.model.losses)
    update = model.joint_update(**batch())
    assert 'loss_symmetric' in update.losses
    logits = dict(rgb=torch.randn(4, 5).double(), flow=torch.randn(4, 5).double())
    p, q = (logits[name].float().softmax(-1) for name in ('rgb', 'flow'))
    expected = ((p - q) * (p / q).log()).sum(-1).mean()
    torch.testing.assert_close(model.losses['symmetric'](logits), expected)


def test_dataset_page(plugin, tmp_path):
    config = plugin('dataset')
    data = tmp_path / 'data'
    data.mkdir()
    writer = cv2.VideoWriter(str(data / 'a.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for value in range(12):
        writer.write(np.full((48, 64, 3), 20 * value, np.uint8))
    writer.release()
    (data / 'train.json').write_text(json.dumps([dict(video='a.avi', label=1)]))
    dataset = DATASETS.build(dict(config.train_dataloader.dataset, data_root=str(data)))
    packed = dataset[0]
    assert packed['inputs']['rgb'].shape == (8, 3, 224, 224)
    assert packed['inputs']['rgb'].dtype == torch.uint8
    assert packed['data_samples'].gt_label.tolist() == [1]


def test_method_page(plugin):
    config = plugin('method')
    model = classifier(**config.model)
    data = batch()
    names = [update.name for update in model.updates(**data)]
    assert names == ['rgb', 'flow']
    encoder = model.branches['rgb'].encoder
    encoder.scale.grad = torch.ones(3)
    step = UpdateStep('rgb', model, [encoder.scale], {}, {}, {})
    model.modulators[0](step)
    assert encoder.scale.grad.tolist() == [0.5] * 3
    assert 'rgb.factor' in step.logs
    before = [p.detach().clone() for p in model.parameters()]
    logs = drive(model, data, MutualOptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))
    assert {'rgb.rgb.loss_ce', 'flow.flow.loss_ce'} <= set(logs)
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters()))
    assert HOOKS.build(config.custom_hooks[0]).every == 10


@pytest.mark.slow
def test_docs_build_without_warnings(source_tree, tmp_path):
    pytest.importorskip('sphinx', reason='the documentation is built with the packages of requirements/docs.txt')
    command = [
        sys.executable,
        '-m',
        'sphinx',
        '-q',
        '-W',
        '--keep-going',
        '-b',
        'html',
        'docs/en',
        str(tmp_path / 'html'),
    ]
    done = subprocess.run(command, cwd=source_tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'html' / 'index.html').is_file()
