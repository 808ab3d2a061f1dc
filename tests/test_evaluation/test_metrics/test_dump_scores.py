"""The metric that writes scores."""

import pytest
import torch
import torch.distributed as dist
from mmengine.evaluator import Evaluator

from mmmutual.evaluation import DumpScores, load_scores
from mmmutual.evaluation.metrics import dump_scores
from mmmutual.structures import MultiModalDataSample

from ...helpers import run_distributed


def sample(number, key=None, label=1):
    rgb, flow = torch.tensor([number, 1.0, 2.0]), torch.tensor([0.0, number, 5.0]).bfloat16()
    metainfo = dict(key=key or f'clip {number}', sample_idx=number)
    data = MultiModalDataSample(metainfo=metainfo).set_gt_label(label)
    return data.set_prediction(dict(rgb=rgb, flow=flow), rgb + 10)


def dump(file, samples, size=None, **meta):
    metric = DumpScores(str(file))
    metric.dataset_meta = meta
    evaluator = Evaluator(metric)
    evaluator.process(samples, None)
    return evaluator.evaluate(size or len(samples))


def test_what_is_in_the_file(tmp_path):
    file = tmp_path / 'new' / 'scores.npz'
    assert dump(file, [sample(4), sample(2, label=0)], classes=['a', 'b', 'c']) == {}
    read = load_scores(file)
    assert read.keys == ['clip 4', 'clip 2']
    assert read.labels.tolist() == [1, 0]
    assert read.branches['rgb'].tolist() == [[4, 1, 2], [2, 1, 2]]
    assert read.branches['flow'].tolist() == [[0, 4, 5], [0, 2, 5]]
    assert list(read.branches) == ['rgb', 'flow']
    assert read.fused.tolist() == [[14, 11, 12], [12, 11, 12]]
    assert read.classes == ['a', 'b', 'c']


def test_classes_without_names(tmp_path):
    dump(tmp_path / 'scores.npz', [sample(0)])
    assert load_scores(tmp_path / 'scores.npz').classes == ['0', '1', '2']


def test_a_sample_in_the_place_of_an_unreadable_one_is_written_once(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(dump_scores, 'print_log', lambda text, **options: said.append(text))
    dump(tmp_path / 'scores.npz', [sample(3), sample(5), sample(3)])
    (warning,) = said
    assert warning.startswith('1 samples came again')
    assert warning.endswith("once: ['clip 3']")
    assert load_scores(tmp_path / 'scores.npz').keys == ['clip 3', 'clip 5']


def test_samples_of_one_name_are_told_when_they_are_joined(tmp_path):
    dump(tmp_path / 'scores.npz', [sample(1, key='x'), sample(2, key='x')])
    with pytest.raises(ValueError, match=r"1 keys name several samples, which cannot be joined: \['x'\]"):
        load_scores(tmp_path / 'scores.npz')


def test_wrong_use(tmp_path):
    with pytest.raises(ValueError, match="out_file of DumpScores must end in .npz, got 'scores.pkl'"):
        DumpScores('scores.pkl')
    nameless = MultiModalDataSample().set_gt_label(0).set_prediction(dict(rgb=torch.zeros(2)), torch.zeros(2))
    with pytest.raises(ValueError, match='DumpScores needs the key of every sample'):
        dump(tmp_path / 'scores.npz', [nameless])


def share(file):
    """Three samples on two processes, batches of two: the second fills up with the first sample."""
    mine = [sample(i) for i in ((0, 2), (1, 0))[dist.get_rank()]]
    return dump(file, mine, size=3)


def test_two_processes_write_each_sample_once_and_in_order(tmp_path):
    file = tmp_path / 'scores.npz'
    assert run_distributed(share, 2, str(file)) == [{}, {}]
    assert load_scores(file).keys == ['clip 0', 'clip 1', 'clip 2']
