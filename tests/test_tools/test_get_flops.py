"""tools/analysis_tools/get_flops.py against counts by hand, and against the published ones of TSM-R50."""

import importlib
import re

import pytest
import torch

from mmmutual.datasets.list_file import KINDS

from .analysis_tool import FOLDER, run_analysis, run_here
from .clip_folder import ROOT, write_config

FULL = """
default_scope = 'mmmutual'
channels = dict(rgb=3, flow=10, rgbdiff=15)
model = dict(
    type='MultiModalClassifier',
    num_classes=174,
    branches={
        name: dict(
            encoder=dict(
                type='FrameEncoder',
                backbone=dict(type='ResNetTSM', depth=50, num_segments=8, in_channels=channels),
            ),
            head=dict(type='LinearHead', in_channels=2048),
        )
        for name, channels in channels.items()
    },
    losses=dict(cls=dict(type='BranchCrossEntropy')),
    data_preprocessor=dict(
        type='MultiModalDataPreprocessor',
        inputs=dict(
            rgb=dict(type='NormalizeFrames'), flow=dict(type='NormalizeFrames'), rgbdiff=dict(type='FrameDifference')
        ),
    ),
)
"""


@pytest.fixture
def tiny(tmp_path):
    """Config of two branches: ResNet18 with a stem of 4 channels, 4 segments of 32 x 32 pixels, 3 classes."""
    return write_config(tmp_path / 'mml_tiny.py', tmp_path / 'no data is read')


def resnet18_by_hand(channels, width=4, size=32, frames=4, classes=3):
    """Parameters and multiply-adds of a ResNet18 with a classifier, layer by layer."""
    side = size // 2
    params = 49 * channels * width + 2 * width  # the stem and its batch norm
    macs = side**2 * 49 * channels * width
    side, inside = side // 2, width
    for stage in range(4):
        outside = width * 2**stage
        side = side if stage == 0 else side // 2
        for _ in range(2):
            layers = [9 * inside * outside, 9 * outside * outside] + [inside * outside] * (inside != outside)
            params += sum(layers) + 2 * outside * len(layers)
            macs += side**2 * sum(layers)
            inside = outside
    return params + (inside + 1) * classes, frames * (macs + inside * classes)


def read_table(printed):
    """Branch -> (parameters, multiply-adds, FLOPs) as printed."""
    found = re.findall(r'^(\w+) +([\d,]+) +([\d.]+) G +([\d.]+) G$', printed, flags=re.MULTILINE)
    return {name: (int(params.replace(',', '')), float(macs), float(flops)) for name, params, macs, flops in found}


def test_counts_by_hand(tiny, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    tool, stored = importlib.import_module('get_flops'), importlib.import_module('stored_inputs')
    cfg = tool.load_config(str(tiny))
    shapes = stored.stored_shapes(cfg, 'val')
    assert shapes == dict(rgb=(4, 3, 32, 32), flow=(4, 10, 32, 32))  # though the folder of the data is not there
    rows = tool.complexity(tool.MODELS.build(cfg.model), shapes)
    assert {name: tuple(rows[name]) for name in ('rgb', 'flow')} == dict(
        rgb=resnet18_by_hand(3), flow=resnet18_by_hand(10)
    )
    assert rows['total'] == tuple(a + b for a, b in zip(resnet18_by_hand(3), resnet18_by_hand(10)))


SOUND = """
_base_ = ['mml_tiny.py']
sound = [
    dict(type='LoadAudio', sample_rate=8000),
    dict(type='CropOrPadAudio', duration=1.0, mode='center'),
    dict(type='LogMelSpectrogram', n_mels=20, hop_length=100),
]
lists = dict(rgb=dict(kind='video', ann_file='a'), sound=dict(kind='audio', ann_file='b'))
pipeline = [*sound, *_base_.val_dataloader.dataset.pipeline]
val_dataloader = dict(dataset=dict(modalities=dict(_delete_=True, **lists), pipeline=pipeline))
"""


def test_sound_beside_frames(tiny, monkeypatch):
    """1 s at 8 kHz with a hop of 100 samples: 81 frames around their centres."""
    monkeypatch.syspath_prepend(str(FOLDER))
    tool, stored = importlib.import_module('get_flops'), importlib.import_module('stored_inputs')
    (tiny.parent / 'sound.py').write_text(SOUND)
    inputs = stored.stored_inputs(tool.load_config(str(tiny.parent / 'sound.py')), 'val')
    assert stored.shapes_of(inputs) == dict(rgb=(4, 3, 32, 32), sound=(1, 1, 20, 81))
    assert {name: x.dtype for name, x in inputs.items()} == dict(rgb=torch.uint8, sound=torch.float32)


@pytest.mark.parametrize('kind', [kind for kind in KINDS if kind != 'audio'])
def test_every_kind_of_frames(tiny, kind, monkeypatch):
    """Flow has five pairs of x and y, RGB differences six frames of three channels; no file is opened."""
    monkeypatch.syspath_prepend(str(FOLDER))
    tool, stored = importlib.import_module('get_flops'), importlib.import_module('stored_inputs')
    name, channels = ('flow', 10) if 'flow' in kind else ('rgbdiff', 18)
    cfg = tool.load_config(str(tiny))
    cfg.val_dataloader.dataset.modalities = {name: dict(kind=kind, ann_file='none.txt')}
    assert stored.stored_shapes(cfg, 'val') == {name: (4, channels, 32, 32)}


def test_shipped_configs_with_sound(tmp_path):
    """Of 2 s of sound: 64 bands x 201 frames; one channel less than its RGB twin's three in a stem 7 x 7 x 16."""
    configs = sorted((ROOT / 'configs' / 'mml').glob('*mmshapes-audio*.py'))
    assert len(configs) == 2
    for config in configs:
        printed = run_analysis('get_flops.py', config, cwd=tmp_path)
        assert 'one clip as stored: audio=1x1x64x201' in printed
        rows = read_table(printed)
        if 'rgb' in rows:
            assert rows['rgb'][0] - rows['audio'][0] == 49 * 16 * 2


def test_shape_and_branch(tiny, tmp_path):
    printed = run_analysis('get_flops.py', tiny, '--shape', 'rgb=4x3x320x320', '--branch', 'rgb', cwd=tmp_path)
    assert 'one clip as stored: rgb=4x3x320x320 flow=4x10x32x32\n' in printed
    table = read_table(printed)
    params, macs = resnet18_by_hand(3, size=320)
    assert table == dict(rgb=(params, round(macs / 1e9, 3), round(2 * macs / 1e9, 3)))


def test_published_network(tmp_path):
    """TSM-R50, 174 classes, 8 x 224 x 224 (spec/mml.md 1.1): no data set in the config, shapes by hand."""
    config = tmp_path / 'full.py'
    config.write_text(FULL)
    shapes = ['rgb=8x3x224x224', 'flow=8x10x224x224', 'rgbdiff=8x18x224x224']
    table = read_table(run_analysis('get_flops.py', config, '--shape', *shapes, cwd=tmp_path))
    params = {name: row[0] for name, row in table.items()}
    assert params == dict(rgb=23864558, flow=23886510, rgbdiff=23902190, total=23864558 + 23886510 + 23902190)
    macs = {name: row[1] for name, row in table.items()}
    assert macs['rgb'] == pytest.approx(32.88, rel=0.02)
    # The stems differ, by so many channels.
    assert macs['flow'] - macs['rgb'] == pytest.approx(8 * 112**2 * 49 * 64 * 7 / 1e9, abs=0.0011)
    assert macs['rgbdiff'] - macs['rgb'] == pytest.approx(8 * 112**2 * 49 * 64 * 12 / 1e9, abs=0.0011)
    assert table['total'][2] == pytest.approx(2 * macs['total'], abs=0.0011)


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['--shape', 'rgb=4x3x'], "--shape must be given as rgb=8x3x224x224, got 'rgb=4x3x'"),
        (['--shape', 'bgr=4x3x32x32'], r"--shape must name inputs of the model, \['rgb', 'flow'\], got \['bgr'\]"),
        (
            ['--shape', 'rgb=8x3'],
            '--shape rgb=8x3 must have 4 sizes, as the encoder takes, or 5 for several views, got 2',
        ),
        (['--shape', 'rgb=2x2x2x3x32x32'], '--shape rgb=2x2x2x3x32x32 must have 4 sizes'),
        (['--shape', 'flow=4x10x32x32', 'rgb=8x3x32x32'], "--shape flow=4x10x32x32 rgb=8x3x32x32: branch 'rgb', .*T=8"),
        (['--branch', 'audio'], r"--branch must name branches of the model, \['rgb', 'flow', 'total'\], got"),
        (
            ['--cfg-options', 'val_dataloader.dataset.pipeline=[]'],
            'no shapes .* val_dataloader.*Give every input by --shape',
        ),
    ],
)
def test_mistakes_in_a_line(tiny, args, message, monkeypatch):
    with pytest.raises(SystemExit, match=f'error: {message}'):
        run_here(monkeypatch, 'get_flops.py', tiny, *args)


def test_config_that_is_not_there(monkeypatch):
    with pytest.raises(SystemExit, match="error: config 'nothing.py' does not exist"):
        run_here(monkeypatch, 'get_flops.py', 'nothing.py')
