"""The metric that writes confusion matrices."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from mmmutual.evaluation import ConfusionMatrix
from mmmutual.registry import METRICS
from mmmutual.structures import MultiModalDataSample


def sample(label, rgb, flow):
    logits = {name: torch.eye(3)[said] for name, said in (('rgb', rgb), ('flow', flow))}
    return MultiModalDataSample().set_gt_label(label).set_prediction(logits, logits['rgb'] + 2 * logits['flow'])


SAMPLES = [sample(0, 0, 1), sample(0, 0, 1), sample(0, 2, 0), sample(2, 1, 2)]


@pytest.mark.parametrize('classes', [None, ['up', 'down', 'still']])
def test_files_and_upper_bounds(tmp_path, classes):
    metric = METRICS.build(dict(type='mmmutual.ConfusionMatrix', out_dir=str(tmp_path / 'deep' / 'out')))
    assert isinstance(metric, ConfusionMatrix)
    if classes:
        metric.dataset_meta = dict(classes=classes)
    evaluator = Evaluator(metric)
    evaluator.process(SAMPLES, None)
    bounds = evaluator.evaluate(len(SAMPLES))
    assert bounds == pytest.approx(
        {'rgb/upper_bound': (2 / 3 + 1) / 2, 'flow/upper_bound': (2 / 3 + 1) / 2, 'ensemble/upper_bound': 5 / 6}
    )
    folder = tmp_path / 'deep' / 'out'
    expected = {f'{name}.{suffix}' for name in ('rgb', 'flow', 'ensemble') for suffix in ('npz', 'png')}
    assert {path.name for path in folder.iterdir()} == expected
    with np.load(folder / 'rgb.npz') as data:
        assert data['confusion'].tolist() == [[2, 0, 1], [0, 0, 0], [0, 1, 0]]
        assert data['classes'].tolist() == (classes or ['0', '1', '2'])
    with np.load(folder / 'ensemble.npz') as data:
        assert data['confusion'].tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 1]]
