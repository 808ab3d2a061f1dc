import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'visualizations' / 'browse_dataset.py'


@pytest.fixture
def config(tmp_path):
    """A config on three clips of 6 frames, and their flow, of constant grey levels 50, 51, 52."""
    lines = []
    for label in range(3):
        for kind, names in dict(rgb=['img'], flow=['flow_x', 'flow_y']).items():
            folder = tmp_path / kind / f'clip {label}'
            folder.mkdir(parents=True)
            for number in range(1, 7):
                for name in names:
                    level = 50 + label if kind == 'rgb' else 128
                    shape = (32, 32, 3) if kind == 'rgb' else (32, 32)
                    cv2.imwrite(str(folder / f'{name}_{number}.png'), np.full(shape, level, np.uint8))
        lines.append(f'clip {label} 6 {label}\n')
    (tmp_path / 'list.txt').write_text(''.join(lines))
    file = tmp_path / 'config.py'
    file.write_text(f"""
default_scope = 'mmmutual'
dataset = dict(
    type='VideoListDataset',
    data_root={str(tmp_path)!r},
    modalities=dict(
        rgb=dict(ann_file='list.txt', kind='frames', data_prefix='rgb', filename_tmpl='img_{{}}.png'),
        flow=dict(ann_file='list.txt', kind='flow_frames', data_prefix='flow', filename_tmpl='flow_{{axis}}_{{}}.png'),
    ),
    classes=['a', 'b', 'c'],
    pipeline=[
        dict(type='SampleSegments', num_segments=2),
        dict(type='LoadFrames'),
        dict(type='CenterCrop', size=24),
        dict(type='PackMultiModalInputs'),
    ],
)
train_dataloader = dict(batch_size=1, dataset=dataset)
val_dataloader = dict(batch_size=1, dataset=dict(dataset, indices=[2]))
test_dataloader = None
""")
    return file


def has_level(file, level):
    return bool((np.asarray(Image.open(file)) == level).all(axis=2).sum() > 1000)


def test_pictures_of_the_first_samples(config, tmp_path):
    out = tmp_path / 'out' / 'deep'
    command = [sys.executable, str(TOOL), str(config), '--output-dir', str(out), '--number', '2']
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert sorted(file.name for file in out.iterdir()) == ['00000_clip_0.png', '00001_clip_1.png']
    assert has_level(out / '00000_clip_0.png', 50)
    assert has_level(out / '00001_clip_1.png', 51)


@pytest.fixture
def browse(monkeypatch):
    """Run the tool in this process."""

    def _browse(*arguments):
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        runpy.run_path(str(TOOL), run_name='__main__')

    return _browse


def test_other_split_and_cfg_options(browse, config, tmp_path):
    options = ['--cfg-options', 'val_dataloader.dataset.pipeline.0.num_segments=5']
    browse(config, '--output-dir', tmp_path / 'val', '--split', 'val', *options)
    (file,) = (tmp_path / 'val').iterdir()
    assert file.name == '00000_clip_2.png'
    assert Image.open(file).width > 5 * 140


def test_split_that_the_config_lacks(browse, config, tmp_path):
    with pytest.raises(ValueError, match='config.py has no test_dataloader'):
        browse(config, '--output-dir', tmp_path / 'test', '--split', 'test')
    assert not (tmp_path / 'test').exists()


def test_number_must_be_positive(browse, config, tmp_path, capsys):
    with pytest.raises(SystemExit):
        browse(config, '--output-dir', tmp_path, '--number', 0)
    assert '--number must be at least 1, got 0' in capsys.readouterr().err
