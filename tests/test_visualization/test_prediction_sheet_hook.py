"""The pictures of tools/test.py --show-dir."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from mmmutual.structures import MultiModalDataSample
from mmmutual.visualization import PredictionSheetHook


def predicted(number, label, logits):
    sample = MultiModalDataSample(metainfo=dict(key=f'clip{number}', sample_idx=number)).set_gt_label(label)
    return sample.set_prediction({'rgb': torch.tensor(logits)}, torch.tensor(logits))


def runner(classes):
    dataset = SimpleNamespace(metainfo=dict(classes=classes))
    return SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset))


def test_writes_every_nth_sample(tmp_path):
    hook = PredictionSheetHook(out_dir=str(tmp_path / 'sheets'), interval=2)
    hook.before_test(runner(None))
    samples = [predicted(number, 0, [1.0, 3.0, 2.0]) for number in range(3, 7)]
    frames = torch.randint(0, 256, (4, 2, 3, 8, 8), dtype=torch.uint8)
    hook.after_test_iter(runner(('a', 'b', 'c')), 1, dict(inputs=dict(rgb=frames)), samples)
    assert sorted(path.name for path in (tmp_path / 'sheets').iterdir()) == ['000004_clip4.png', '000006_clip6.png']
    picture = np.asarray(Image.open(tmp_path / 'sheets' / '000004_clip4.png'))
    assert picture.ndim == 3
    assert picture.std() > 0


def test_title_says_truth_and_the_two_best(tmp_path, monkeypatch):
    titles = []
    target = 'mmmutual.visualization.prediction_sheet_hook.save_clip_sheet'
    monkeypatch.setattr(target, lambda file, inputs, title: titles.append(title))
    hook = PredictionSheetHook(out_dir=str(tmp_path))
    frames = torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)
    # softmax: 1 : 3 : exp(-5), so 0.249, 0.749, 0.002
    sample = predicted(0, 2, [0.0, float(np.log(3)), -5.0])
    hook.after_test_iter(runner(('a', 'b', 'c')), 0, dict(inputs=dict(rgb=frames)), [sample])
    assert titles[0].splitlines() == ['clip0   true: c', 'rgb: b 0.75, a 0.25', 'ensemble: b 0.75, a 0.25']


def test_interval_is_checked(tmp_path):
    with pytest.raises(ValueError, match='interval must be at least 1, got 0'):
        PredictionSheetHook(out_dir=str(tmp_path), interval=0)
