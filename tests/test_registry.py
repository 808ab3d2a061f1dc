"""Type names are found from every scope, and a user's own parts from outside the package."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import mmengine.registry
import pytest
from mmengine.config import Config
from mmengine.registry import HOOKS, MODELS, DefaultScope, Registry
from mmengine.runner import Runner

from mmmutual import registry

from .helpers import run_alone

ROOT = Path(__file__).resolve().parents[1]

# What mmengine's Runner is made by, and distributed strategies of its FlexibleRunner: we have none of our own.
NOT_USED = ('RUNNER_CONSTRUCTORS', 'STRATEGIES')


def registries(module):
    return {name: value for name, value in vars(module).items() if isinstance(value, Registry)}


def test_every_root_of_mmengine_has_a_child():
    roots = {name: root for name, root in registries(mmengine.registry).items() if name not in NOT_USED}
    assert len(roots) > 15
    for name, root in roots.items():
        child = getattr(registry, name)
        assert child.parent is root
        assert child.scope == 'mmmutual'
        assert root._children['mmmutual'] is child
        assert child._locations
        for location in child._locations:
            importlib.import_module(location)


FROM_OUTSIDE = """
import sys
from mmengine.registry import DATA_SAMPLERS, HOOKS, METRICS, MODEL_WRAPPERS, MODELS, OPTIM_WRAPPERS, TRANSFORMS
from mmengine.registry import DefaultScope
roots = dict(JointSchedule=MODELS, MultiModalClassifier=MODELS, MutualKLLoss=MODELS, ExactCheckpointHook=HOOKS,
             MutualOptimWrapper=OPTIM_WRAPPERS, MutualDistributedDataParallel=MODEL_WRAPPERS,
             ResumableSampler=DATA_SAMPLERS, BranchAccuracy=METRICS, PackMultiModalInputs=TRANSFORMS)
assert 'mmmutual' not in sys.modules
for scope in ('mmaction', 'mmengine'):
    with DefaultScope.overwrite_default_scope(scope):
        for name, root in roots.items():
            with root.switch_scope_and_registry(None) as current:
                assert current.scope == scope, current.scope
            print(root.get('mmmutual.' + name).__module__)
        schedule = MODELS.build(dict(type='mmmutual.JointSchedule'))
        model = MODELS.build(dict(
            type='mmmutual.MultiModalClassifier',
            data_preprocessor=dict(type='mmmutual.MultiModalDataPreprocessor'),
            branches=dict(rgb=dict(
                encoder=dict(type='mmmutual.FrameEncoder', backbone=dict(
                    type='mmaction.ResNetTSM', depth=18, num_segments=2, pretrained=None, pretrained2d=False)),
                head=dict(type='mmmutual.LinearHead', num_classes=3, in_channels=512))),
            losses=dict(cls=dict(type='mmmutual.BranchCrossEntropy'))))
        print(type(model).__module__, type(model.branches['rgb'].encoder.backbone).__module__)
"""


def test_types_are_found_from_unrelated_scopes_without_an_import():
    command = [sys.executable, '-W', 'ignore', '-c', FROM_OUTSIDE]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()
    assert len(lines) == 20
    assert all(line.startswith('mmmutual.') for line in lines)
    assert lines[9] == lines[19]
    assert ' mmaction.models.backbones' in lines[9]


def modules_from_inside():
    names = (
        (MODELS, 'JointSchedule'),
        (MODELS, 'mmaction.ResNetTSM'),
        (MODELS, 'mmaction.ResNet'),
        (HOOKS, 'LoggerHook'),
    )
    found = []
    with DefaultScope.overwrite_default_scope('mmmutual'):
        for root, name in names:
            with root.switch_scope_and_registry(None) as current:
                found.append(current.get(name).__module__)
        tsm = dict(type='mmaction.ResNetTSM', depth=18, num_segments=2, pretrained=None, pretrained2d=False)
        return [*found, type(registry.MODELS.build(tsm)).__name__]


def test_plain_names_are_ours_and_those_of_others_carry_a_scope():
    ours, tsm, resnet, hook, built = modules_from_inside()
    assert ours == 'mmmutual.engine.schedules.joint_schedule'
    assert tsm.startswith('mmaction.models')
    assert resnet.startswith('mmaction.models')
    assert hook.startswith('mmengine.hooks')
    assert built == 'ResNetTSM'


def test_a_name_that_does_not_exist_is_named():
    with DefaultScope.overwrite_default_scope('mmmutual'), pytest.raises(KeyError, match='Nonsense'):
        registry.MODELS.build(dict(type='Nonsense'))


PLUGIN = '''
"""A loss, an encoder and a data set of somebody else."""
import torch
from torch import nn

from mmmutual.datasets import MultiModalDataset
from mmmutual.registry import DATASETS, MODELS


@MODELS.register_module()
class HingeLoss(nn.Module):
    batch_mean = True

    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def forward(self, logits, labels):
        return {name: nn.functional.multi_margin_loss(z, labels, margin=self.margin) for name, z in logits.items()}


@MODELS.register_module()
class FlatEncoder(nn.Module):
    input_dims = 2

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(x)


@DATASETS.register_module()
class NumberPairs(MultiModalDataset):
    METAINFO = dict(classes=('small', 'large'))
    input_names = ('rgb', 'flow')

    def load_data_list(self):
        return [dict(key=str(i), gt_label=i % 2, sources={}) for i in range(8)]

    def prepare_data(self, idx):
        from mmmutual.structures import MultiModalDataSample
        label = self.get_data_info(idx)['gt_label']
        x = torch.full((4,), 2.0 * label - 1)
        return dict(inputs=dict(rgb=x, flow=-x), data_samples=MultiModalDataSample().set_gt_label(label))
'''

CONFIG = """
default_scope = 'mmmutual'
custom_imports = dict(imports=['somebodys_plugin'], allow_failed_imports=False)
head = dict(type='LinearHead', num_classes=2, in_channels=5, dropout_ratio=0.0)
branch = dict(encoder=dict(type='FlatEncoder'), head=head)
model = dict(
    type='MultiModalClassifier',
    data_preprocessor=dict(type='MultiModalDataPreprocessor'),
    branches=dict(rgb=branch, flow=branch),
    losses=dict(hinge=dict(type='HingeLoss', margin=0.7), mutual=dict(type='MutualKLLoss')),
)
train_dataloader = dict(
    batch_size=4, num_workers=0, dataset=dict(type='NumberPairs'), sampler=dict(type='ResumableSampler', shuffle=True)
)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=4)
optim_wrapper = dict(constructor='BranchOptimWrapperConstructor', optimizer=dict(type='SGD', lr=0.5))
default_hooks = dict(checkpoint=dict(type='ExactCheckpointHook'), consistency=dict(type='ConsistencyHook'))
log_level = 'ERROR'
"""


def train_plugin(folder):
    """Losses of each branch, and the module of the loss."""
    os.chdir(folder)
    sys.path.insert(0, f'{folder}/plugins')
    cfg = Config.fromfile('config.py')
    cfg.work_dir = 'work'
    runner = Runner.from_cfg(cfg)
    runner.train()
    hub = runner.message_hub
    losses = {name: hub.get_scalar(f'train/{name}.loss_hinge').data[0].tolist() for name in ('rgb', 'flow')}
    return losses, type(runner.model.losses['hinge']).__module__, type(runner.train_dataloader.dataset).__module__


def test_a_plugin_from_outside_the_package_trains(tmp_path):
    (tmp_path / 'plugins').mkdir()
    (tmp_path / 'plugins' / 'somebodys_plugin.py').write_text(PLUGIN)
    (tmp_path / 'config.py').write_text(CONFIG)
    losses, *modules = run_alone(train_plugin, str(tmp_path))
    assert modules == ['somebodys_plugin'] * 2
    for values in losses.values():
        assert len(values) == 8
        assert values[0] > 2 * values[-1] >= 0


def test_a_plugin_trains_by_the_tool(tmp_path):
    """Its config names no ``randomness`` and no wrapper, which the tool fills in."""
    (tmp_path / 'plugins').mkdir()
    (tmp_path / 'plugins' / 'somebodys_plugin.py').write_text(PLUGIN)
    (tmp_path / 'config.py').write_text(CONFIG.replace("log_level = 'ERROR'", ''))
    path = os.pathsep.join([str(tmp_path / 'plugins'), str(ROOT), os.environ.get('PYTHONPATH', '')])
    command = [sys.executable, str(ROOT / 'tools' / 'train.py'), 'config.py', '--work-dir', 'work', '--deterministic']
    environment = dict(os.environ, PYTHONPATH=path)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'work' / 'epoch_4.pth').exists()
    assert 'rgb.loss_hinge' in done.stdout + done.stderr
