"""From videos to a network: tools/data/clips/prepare.py, then a ``clips-*`` config by train.py and test.py."""

import importlib
import pickle
import sys
from pathlib import Path

import pytest

from mmmutual.apis.launch import load_config
from mmmutual.registry import DATASETS

from ..video_files import moving_frames, write_video
from .clip_folder import ROOT, losses, metrics, run_tool, scalars

CONFIG = ROOT / 'configs' / 'mml' / 'mml_tsm-r18-narrow_scratch-8x1-80e_clips-rgb-flow.py'
LOADERS = ('train', 'val', 'test')
TRAIN_LISTS = [f'test_dataloader.dataset.modalities.{kind}.ann_file=lists/train_{kind}.txt' for kind in ('rgb', 'flow')]


@pytest.fixture(scope='module')
def clips(tmp_path_factory):
    """Two windows of 16 frames from each of three videos, one of which is held out: 12 clips to train on, 6 others."""
    folder = tmp_path_factory.mktemp('chain')
    for index in range(3):
        write_video(folder / 'videos' / f'{index}.mp4', moving_frames(36, seed=index))
    options = ['--out', str(folder / 'clips'), '--window', '16', '--short-side', '48', '--num-workers', '1']
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'tools' / 'data' / 'clips'))
        tool = importlib.import_module('prepare')
        patch.setattr(tool, 'run_jobs', lambda function, items, *rest: {item: function(item) for item in items})
        patch.setattr(sys, 'argv', ['prepare.py', str(folder / 'videos'), *options])
        assert tool.main() == 0
    return folder / 'clips'


@pytest.fixture(scope='module')
def options(clips):
    """``--cfg-options``: the folder, as the README of the tool gives it, and no worker processes."""
    roots = [f'{name}_dataloader.dataset.data_root={clips.as_posix()}/' for name in LOADERS]
    single = [f'{name}_dataloader.{key}' for name in LOADERS for key in ('num_workers=0', 'persistent_workers=False')]
    return ['--cfg-options', *roots, *single]


@pytest.fixture(scope='module')
def trained(clips, options):
    """Work dir after one epoch in batches of 4."""
    few = ['train_dataloader.batch_size=4', 'train_cfg.max_epochs=1', 'default_hooks.logger.interval=1']
    run_tool('train.py', CONFIG, '--work-dir', 'run', *options, *few, cwd=clips.parent)
    return clips.parent / 'run'


def run_test(clips, trained, options, *more):
    """Labels of the samples that ``tools/test.py`` has dumped, and top-1 accuracies computed from the dump."""
    dump = clips.parent / 'samples.pkl'
    args = ('--work-dir', 'test', '--dump', dump, *options, *more)
    run_tool('test.py', CONFIG, Path(trained, 'last_checkpoint').read_text(), *args, cwd=clips.parent)
    samples = pickle.loads(dump.read_bytes())
    labels = [int(sample['gt_label']) for sample in samples]
    accuracies = {}
    for name in ('rgb', 'flow'):
        right = [int(sample['logits'][name].argmax()) == label for sample, label in zip(samples, labels)]
        accuracies[f'{name}/top1'] = pytest.approx(sum(right) / len(right))
    return labels, accuracies


def listed_labels(clips, name):
    return [int(line.split()[-1]) for line in (clips / 'lists' / f'{name}.txt').read_text().splitlines()]


def test_the_data_set_shows_the_classes(clips):
    dataset = load_config(
        str(CONFIG), {'val_dataloader.dataset.data_root': f'{clips.as_posix()}/'}
    ).val_dataloader.dataset
    forward, backward, still = (DATASETS.build(dataset)[index] for index in range(3))
    assert [int(sample['data_samples'].gt_label) for sample in (forward, backward, still)] == [0, 1, 2]
    rgb, flow = still['inputs']['rgb'].int(), still['inputs']['flow']
    assert (rgb == rgb[:1]).all()
    assert (flow == 128).all()
    x = [sample['inputs']['flow'][:, 0::2].float().mean() - 128 for sample in (forward, backward)]
    assert x[0] > 5
    assert x[1] < -5


def test_trains_on_the_clips_and_validates_on_the_held_out_video(clips, trained, options):
    assert list(losses(trained)) == [1, 2, 3]  # 12 clips
    (validated,) = metrics(scalars(trained))
    labels, accuracies = run_test(clips, trained, options)
    assert labels == listed_labels(clips, 'val_rgb') == [0, 1, 2] * 2
    assert {name: validated[name] for name in accuracies} == accuracies


def test_accuracy_on_the_training_clips_by_two_options(clips, trained, options):
    labels, _ = run_test(clips, trained, options, *TRAIN_LISTS)
    assert labels == listed_labels(clips, 'train_rgb') == [0, 1, 2] * 4
