"""What a user may get wrong is told by name before anything is trained, at the level of the Runner."""

import itertools
import os
import runpy
import shutil
import sys

import pytest
import torch
from mmengine.runner import Runner

from mmmutual.apis import launch
from mmmutual.engine import ResumableTrainLoop

from .clip_folder import CLASSES, ROOT, write_clips, write_config, write_image

RUNS = itertools.count()


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bad')
    write_config(folder / 'mml_tiny.py', write_clips(folder / 'data'))
    return folder


@pytest.fixture
def batches(monkeypatch):
    """The batches that would be trained on; the steps themselves are left out."""
    seen = []

    def run_iter(loop, idx, data_batch):
        seen.append(data_batch)
        loop._iter += 1

    monkeypatch.setattr(ResumableTrainLoop, 'run_iter', run_iter)
    return seen


def train(place, **options):
    """As tools/train.py does; ``__`` in names stands for the dot."""
    options = {name.replace('__', '.'): value for name, value in options.items()}
    cfg = launch.load_config(str(place / 'mml_tiny.py'), options)
    launch.set_work_dir(cfg, 'mml_tiny.py', str(place / 'work_dir'))
    cfg.experiment_name = f'bad_input_{next(RUNS)}'  # loggers are kept by name
    launch.init_processes(cfg, 'none')
    Runner.from_cfg(cfg).train()


def lists(place, name, lines):
    """Option that replaces the list of flow clips."""
    (place / 'data' / 'lists' / name).write_text(''.join(lines))
    return dict(train_dataloader__dataset__modalities__flow__ann_file=f'lists/{name}')


def flow_lines(place):
    return (place / 'data' / 'lists' / 'train_flow.txt').read_text().splitlines(keepends=True)


def test_the_config_itself_is_right(place, batches):
    train(place, train_cfg__max_epochs=1, val_cfg=None, val_dataloader=None, val_evaluator=None)
    assert len(batches) == 2


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (
            dict(train_dataloader__dataset__modalities__flow__ann_file='lists/none.txt'),
            FileNotFoundError,
            'list file .*none.txt does not exist',
        ),
        (
            dict(train_dataloader__dataset__data_root='nowhere'),
            FileNotFoundError,
            "data_root 'nowhere' of VideoListDataset is not a folder",
        ),
        (
            dict(val_dataloader__dataset__modalities__rgb__ann_file='lists/none.txt'),
            FileNotFoundError,
            'list file .*none.txt does not exist',
        ),
        (
            dict(model__branches__flow__input='depth'),
            ValueError,
            r"model reads the modalities \['rgb', 'depth'\], but train_dataloader.dataset gives only \['rgb', 'flow'\]",
        ),
        (
            dict(train_dataloader__dataset__classes=4),
            ValueError,
            r"numbers of classes differ: \{'model': 3, 'train_dataloader.dataset': 4\}",
        ),
        (
            dict(val_dataloader__dataset__classes=['a', 'b', 'c', 'd']),
            ValueError,
            r"numbers of classes differ: \{'model': 3, 'val_dataloader.dataset': 4\}",
        ),
        (dict(train_dataloader__dataset__classes=2), ValueError, r'label 2 of .* must lie in \[0, 2\)'),
        (dict(model__branches__rgb__head__num_classes=5), ValueError, "heads differ in num_classes: {'rgb': 5"),
        (
            dict(val_dataloader__dataset__modalities__rgb__data_prefix='nowhere'),
            FileNotFoundError,
            "none of the first .* clips of input 'rgb' exists, .*modalities.rgb.data_prefix='nowhere'",
        ),
        (
            dict(model__branches__flow__encoder__backbone__in_channels=3),
            ValueError,
            "branch 'flow', input 'flow': clips have C=10 channels, but the backbone takes 3",
        ),
        (
            dict(val_dataloader__dataset__pipeline__0__num_segments=5),
            ValueError,
            'clips have T=5 segments, but the backbone looks over num_segments=',
        ),
        (dict(model__branches__rgb__head__in_channels=7), ValueError, "branch 'rgb': the encoder gives .*channels=7"),
        (
            dict(train_dataloader__batch_size=100),
            ValueError,
            r'train_dataloader gives no batch: \d+ samples, batch_size=100 for each process, drop_last=True',
        ),
        (dict(val_evaluator__topk=(1, 5)), ValueError, r'topk=\(1, 5\) asks for more than the 3 classes'),
        (dict(model__losses__cls__type='BranchCE'), ValueError, "model.losses.cls.type='BranchCE' is not registered"),
        (dict(model__losses__cls__weight=1), ValueError, "there is no 'weight' in model.losses.cls"),
        (dict(load_from='nowhere.pth'), FileNotFoundError, "checkpoint 'nowhere.pth' does not exist"),
    ],
    ids=[
        'missing list', 'missing root', 'missing list of validation', 'modality not in the data', 'more classes',
        'more classes in validation', 'class index', 'heads', 'wrong folder of validation', 'channels', 'segments',
        'features', 'no batch', 'topk', 'wrong type', 'unused key', 'no checkpoint',
    ],
)  # fmt: skip
def test_before_training(place, batches, change, error, message):
    with pytest.raises(error, match=message):
        train(place, **change)
    assert not batches


def test_unused_key_in_the_file(place, batches):
    text = (place / 'mml_tiny.py').read_text().replace("type='MutualKLLoss'", "type='MutualKLLoss', temprature=2")
    (place / 'typo').mkdir(exist_ok=True)
    (place / 'typo' / 'mml_tiny.py').write_text(text)
    message = r"model.losses.mutual: MutualKLLoss does not take \['temprature'\]; it takes .*'temperature'"
    with pytest.raises(ValueError, match=message):
        train(place / 'typo')
    assert not batches


def test_empty_list(place, batches):
    with pytest.raises(ValueError, match='list file .*empty.txt is empty'):
        train(place, **lists(place, 'empty.txt', []))
    assert not batches


def test_lists_of_different_length(place, batches):
    with pytest.raises(ValueError, match=r"train_rgb.txt has 12, .*shorter.txt has 11; 1 only in the first \['train_"):
        train(place, **lists(place, 'shorter.txt', flow_lines(place)[1:]))
    assert not batches


def test_labels_that_disagree(place, batches):
    first, *rest = flow_lines(place)
    other = first.rsplit(' ', 1)[0] + ' 2\n'
    with pytest.raises(ValueError, match="label of 'train_0_0' must be the same in every list"):
        train(place, **lists(place, 'other.txt', [other, *rest]))
    assert not batches


@pytest.fixture
def damaged(place, tmp_path):
    """The same clips, of which three can't be read: no images of RGB, an empty and a truncated file of flow."""
    data = shutil.copytree(place / 'data', tmp_path / 'data')
    shutil.rmtree(data / 'frames' / 'train_0_0')
    for image in (data / 'flow' / 'train_1_1').iterdir():
        image.write_bytes(b'')
    for image in (data / 'flow' / 'train_2_2').iterdir():
        image.write_bytes(image.read_bytes()[:300])
    write_config(tmp_path / 'mml_tiny.py', data)
    return tmp_path


def test_unreadable_samples_are_replaced_whole_and_counted(damaged, batches):
    train(damaged, train_cfg__max_epochs=2, val_cfg=None, val_dataloader=None, val_evaluator=None)
    assert len(batches) == 4
    for batch in batches:
        for rgb, flow, sample in zip(batch['inputs']['rgb'], batch['inputs']['flow'], batch['data_samples']):
            label = int(sample.gt_label)
            assert int(rgb.float().mean(dim=(0, 2, 3)).argmax()) == label
            assert round(flow[:, ::2].float().mean().item() / 64) - 1 == label
            assert sample.key not in ('train_0_0', 'train_1_1', 'train_2_2')
    log = next(damaged.glob('work_dir/*/*.log')).read_text()
    for key in ('train_0_0', 'train_1_1', 'train_2_2'):  # named once, though drawn in two epochs
        assert log.count(f"sample '{key}' (index") == 1
    assert 'all its inputs and the label together' in log


def test_too_many_unreadable_samples_stop_the_run(damaged, batches):
    message = '3 of 12 samples are unreadable, more than max_unreadable=2. The last ones: .*unreadable'
    with pytest.raises(RuntimeError, match=message):
        train(damaged, train_dataloader__dataset__max_unreadable=2)


def test_video_that_is_none(place, tmp_path, batches):
    """A list of videos that names something else."""
    data = shutil.copytree(place / 'data', tmp_path / 'data')
    (data / 'lists' / 'videos.txt').write_text(
        ''.join(f'v/train_{c}_{i}.mp4 {c}\n' for c in range(3) for i in range(4))
    )
    (data / 'v').mkdir()
    (data / 'v' / 'train_0_0.mp4').write_text('no video')
    write_config(tmp_path / 'mml_tiny.py', data)
    video = dict(kind='video', ann_file='lists/videos.txt')
    (tmp_path / 'mml_tiny.py').open('a').write(f"train_dataloader['dataset']['modalities']['rgb'] = {video}\n")
    with pytest.raises(RuntimeError, match='1 of 12 samples are unreadable, more than max_unreadable=0.*mp4'):
        train(tmp_path, train_dataloader__dataset__max_unreadable=0)
    assert not batches


def save(path, **content):
    torch.save(content, path)
    return str(path)


def test_checkpoint_that_matches_nothing(place, tmp_path, batches):
    path = save(tmp_path / 'other.pth', state_dict={'visual.proj': torch.zeros(2), 'module.text.fc': torch.ones(1)})
    message = r"other.pth matches nothing of MultiModalClassifier: it has names like \['text.fc', 'visual.proj'\]"
    with pytest.raises(ValueError, match=message + r", MultiModalClassifier has \['branches.flow.encoder"):
        train(place, load_from=path)
    assert not batches


def test_checkpoint_whose_names_match_but_no_shape(place, tmp_path, batches):
    path = save(tmp_path / 'wide.pth', state_dict={'branches.rgb.head.fc.bias': torch.zeros(CLASSES + 1)})
    with pytest.raises(ValueError, match=r"of another shape \['branches.rgb.head.fc.bias'\]"):
        train(place, load_from=path)
    assert not batches


def test_checkpoint_that_matches_in_part_is_reported(tmp_path, place, batches):
    state = {
        'module.branches.rgb.head.fc.bias': torch.tensor([1.0, 2.0, 3.0]),
        'branches.rgb.head.fc.weight': torch.zeros(2, 2),
        'branches.audio.head.fc.bias': torch.zeros(3),
    }
    shutil.copy(place / 'mml_tiny.py', tmp_path)
    path = save(tmp_path / 'part.pth', state_dict=state)
    train(tmp_path, load_from=path, train_cfg__max_epochs=1, val_cfg=None, val_dataloader=None, val_evaluator=None)
    assert len(batches) == 2
    log = next(tmp_path.glob('work_dir/*/*.log')).read_text()
    line = next(line for line in log.splitlines() if 'part.pth:' in line)
    assert ': 1 matched, ' in line
    assert "1 unexpected ['branches.audio.head.fc.bias'], 1 of another shape ['branches.rgb.head.fc.weight']" in line
    trained = torch.load(tmp_path / 'work_dir' / 'epoch_1.pth', weights_only=True)
    assert trained['state_dict']['branches.rgb.head.fc.bias'].tolist() == [1.0, 2.0, 3.0]


class Intruder:
    """Runs a command when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize('resume', [False, True])
def test_checkpoint_with_foreign_code(place, tmp_path, batches, resume):
    state = {'branches.rgb.head.fc.bias': torch.zeros(3)}
    path = save(tmp_path / 'evil.pth', state_dict=state, meta=Intruder(tmp_path / 'has_run'))
    with pytest.raises(ValueError, match="evil.pth' is refused: it holds pickled code"):
        train(place, load_from=path, resume=resume)
    assert not batches
    assert not (tmp_path / 'has_run').exists()


def test_nccl_without_gpu(place, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    options = ['--launcher', 'pytorch', '--cfg-options', 'env_cfg.dist_cfg.backend=nccl']
    monkeypatch.setattr(sys, 'argv', ['train.py', str(place / 'mml_tiny.py'), *options])
    monkeypatch.setenv('LOCAL_RANK', '0')
    with pytest.raises(ValueError, match="backend is 'nccl', which needs GPUs, and there is none here: use 'gloo'"):
        runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='train')['main']()


def test_images_of_different_size(place, tmp_path, batches):
    data = shutil.copytree(place / 'data', tmp_path / 'data')
    for path in (data / 'flow' / 'train_0_0').iterdir():
        write_image(path, torch.zeros(20, 20).numpy())
    write_config(tmp_path / 'mml_tiny.py', data)
    with pytest.raises(
        ValueError, match=r"inputs of one sample must have frames of one size, got .*'flow': \(20, 20\)"
    ):
        train(tmp_path)
