"""The code in the documentation runs, and the documentation builds without a warning."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from mmmutual.apis import launch
from mmmutual.engine import MutualOptimWrapper, UpdateStep, drive
from mmmutual.registry import DATASETS, HOOKS, MODELS
from mmmutual.structures import MultiModalDataSample
from mmmutual.utils import register_all_modules

FILE_BLOCK = re.compile(r'```python\n# (my_project/\w+\.py)\n(.*?)```', re.S)
CONFIG_BLOCK = re.compile(r'```python\n# my_config.py\n(.*?)```', re.S)
FRAMES = 12
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@pytest.fixture
def page(root, tmp_path, monkeypatch):
    """Lay the files that a page shows beside a clone, as the page says; gives the text of a page of docs/en.

    The current folder is the one that holds ``my_config.py``.
    """
    work = tmp_path / 'my_work'

    def lay(name):
        text = (root / 'docs' / 'en' / f'{name}.md').read_text(encoding='utf-8')
        for file, code in FILE_BLOCK.findall(text):
            (work / file).parent.mkdir(exist_ok=True)
            (work / file).write_text(code)
        (config,) = CONFIG_BLOCK.findall(text)
        (work / 'my_config.py').write_text(config)
        return text

    work.mkdir()
    (tmp_path / 'mmmutual').symlink_to(root)
    monkeypatch.chdir(work)
    monkeypatch.syspath_prepend(str(work))
    register_all_modules()
    yield lay
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
    losses = dict(ce=dict(type='BranchCrossEntropy'))
    preprocessor = dict(type='MultiModalDataPreprocessor')
    branches = dict(rgb=branch, flow=branch)
    cfg = dict(branches=branches, losses=losses, data_preprocessor=preprocessor, **parts)
    return MODELS.build(dict(type='MultiModalClassifier', **cfg))


def batch():
    samples = [MultiModalDataSample(metainfo=dict(key=str(i))).set_gt_label(i % 2) for i in range(4)]
    generator = torch.Generator().manual_seed(0)
    inputs = {name: torch.randn(4, 3, generator=generator) for name in ('rgb', 'flow')}
    return dict(inputs=inputs, data_samples=samples)


def tiny(*branches):
    """Options of one epoch in this process, with batches of two clips and networks a quarter as wide."""
    options = {'train_cfg.max_epochs': 1, 'default_hooks.logger.interval': 1, 'work_dir': 'work_dir'}
    for loader in LOADERS:
        options[f'{loader}.num_workers'] = 0
        options[f'{loader}.persistent_workers'] = False
        options[f'{loader}.batch_size'] = 2
    for name in branches:
        options[f'model.branches.{name}.encoder.backbone.base_channels'] = 4
        options[f'model.branches.{name}.head.in_channels'] = 32
    return options


def train(name, options):
    """Train ``my_config.py`` as tools/train.py does; the runner, and what it has logged line by line."""
    cfg = launch.load_config('my_config.py', options)
    cfg.experiment_name = f'docs_{name}'  # loggers are kept by name
    launch.init_processes(cfg, 'none')
    runner = Runner.from_cfg(cfg)
    runner.train()
    (log,) = Path('work_dir').glob('*/vis_data/scalars.json')
    return runner, [json.loads(line) for line in log.read_text().splitlines()]


def write_video(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (96, 72))
    for value in range(FRAMES):
        writer.write(np.full((72, 96, 3), 20 * value, np.uint8))
    writer.release()


def write_shapes(folder):
    """Four clips for training and two for validation, in the layout of MMShapes; options that make a config read it."""
    (folder / 'lists').mkdir(parents=True)
    (folder / 'classes.txt').write_text('\n'.join(f'class_{label}' for label in range(10)))
    for split, count in (('train', 4), ('val', 2)):
        lines = dict(rgb='', flow='')
        for clip in range(count):
            write_video(folder / f'clips/{split}_{clip}.avi')
            flow = folder / f'flow/{split}_{clip}'
            flow.mkdir(parents=True)
            for pair in range(1, FRAMES):
                for axis in 'xy':
                    cv2.imwrite(str(flow / f'flow_{axis}_{pair:05d}.jpg'), np.full((72, 96), 10 * pair, np.uint8))
            lines['rgb'] += f'clips/{split}_{clip}.avi {FRAMES} {clip}\n'
            lines['flow'] += f'flow/{split}_{clip} {FRAMES - 1} {clip}\n'
        for name, text in lines.items():
            (folder / f'lists/{split}_{name}.txt').write_text(text)
    return {f'{loader}.dataset.data_root': str(folder) for loader in LOADERS}


def test_loss_page(page):
    page('custom/loss')
    runner, log = train('loss', {**tiny('rgb', 'flow'), **write_shapes(Path('data'))})
    terms = {'loss', 'rgb.loss_cls', 'flow.loss_cls', 'loss_symmetric'}
    lines = [{key for key in line if 'loss' in key} for line in log if 'loss' in line]
    assert lines == [terms, terms]
    assert {'rgb/top1', 'flow/top1', 'ensemble/top1'} <= set(log[-1])
    logits = dict(rgb=torch.randn(4, 5).double(), flow=torch.randn(4, 5).double())
    p, q = (logits[name].float().softmax(-1) for name in ('rgb', 'flow'))
    expected = ((p - q) * (p / q).log()).sum(-1).mean()
    torch.testing.assert_close(runner.model.losses['symmetric'](logits), expected)


def test_dataset_page(page):
    page('custom/dataset')
    for split, count in (('train', 4), ('val', 2)):
        clips = [dict(video=f'{split}_{i}.avi', label=i % 2) for i in range(count)]
        for clip in clips:
            write_video(Path('data/my_clips', clip['video']))
        Path(f'data/my_clips/{split}.json').write_text(json.dumps(clips))
    runner, log = train('dataset', tiny('rgb'))
    dataset = runner.train_dataloader.dataset
    assert type(dataset).__module__ == 'my_project.json_clips'
    assert [dataset.get_data_info(i)['key'] for i in range(len(dataset))] == [f'train_{i}' for i in range(4)]
    assert len([line for line in log if 'loss' in line]) == 2  # four clips in batches of two
    assert runner.model.num_classes == 2
    assert {key for key in log[-1] if 'top' in key} == {'rgb/top1', 'ensemble/top1'}
    for split in ('val', 'test'):
        built = DATASETS.build(runner.cfg[f'{split}_dataloader'].dataset)
        assert [built.get_data_info(i)['key'] for i in range(len(built))] == ['val_0', 'val_1']
        assert built.test_mode
        packed = built[1]
        assert packed['inputs']['rgb'].shape == (8, 3, 64, 64)
        assert packed['inputs']['rgb'].dtype == torch.uint8
        assert packed['data_samples'].gt_label.tolist() == [1]


def test_method_page(page):
    page('custom/method')
    runner, log = train('method', {**tiny('rgb', 'flow'), **write_shapes(Path('data'))})
    lines = [line for line in log if 'rgb.loss' in line]
    assert [line['rgb.rgb.factor'] for line in lines] == [0.5, 0.5]  # in the update called rgb
    assert all({'rgb.rgb.loss_cls', 'flow.flow.loss_cls'} <= set(line) for line in lines)
    assert list(runner.model.losses) == ['cls']
    # the hook's turn comes in the tenth epoch
    (hook,) = (hook for hook in runner.hooks if type(hook).__module__ == 'my_project.fresh_head')
    assert hook.every == 10
    head = runner.model.branches['rgb'].head.fc
    assert head.bias.abs().max() > 0
    hook.begin_epoch(runner)
    assert head.bias.abs().max() > 0
    hook.every = 1
    hook.begin_epoch(runner)
    assert head.bias.abs().max() == 0


def test_parts_of_the_method_page(page):
    page('custom/method')
    config = launch.load_config('my_config.py').model
    model = classifier(schedule=config.schedule, modulators=config.modulators)
    data = batch()
    names = [update.name for update in model.updates(**data)]
    assert names == ['rgb', 'flow']
    encoder = model.branches['rgb'].encoder
    encoder.scale.grad = torch.ones(3)
    model.modulators[0](UpdateStep('rgb', model, [encoder.scale], {}, {}, {}))
    assert encoder.scale.grad.tolist() == [0.5] * 3
    before = [p.detach().clone() for p in model.parameters()]
    drive(model, data, MutualOptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters()))


def test_data_folder_of_get_started(page, root):
    text = page('get_started')
    inherited = launch.load_config('my_config.py')
    config, options = re.search(r'^python tools/train.py (\S+) --cfg-options(.*?)^```', text, re.M | re.S).groups()
    options = options.replace('\\\n', '').split()
    changed = launch.load_config(str(root / config), dict(option.split('=') for option in options))
    for loader in LOADERS:
        assert inherited[loader].dataset.data_root == '../mmmutual/data/mmshapes_quick'
        assert changed[loader].dataset.data_root == 'data/mmshapes_quick'
        assert set(inherited[loader].dataset.modalities) == {'rgb', 'flow'}


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
