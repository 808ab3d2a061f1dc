"""Predictions of the inferencer: those of tools/test.py on the same clips."""

import json
import pickle

import av
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn

from mmmutual.apis import ActionInferencer
from mmmutual.apis.inferencers import action_inferencer
from mmmutual.structures import MultiModalDataSample
from mmmutual.utils import UnreadableMediaError

from ...test_tools.clip_folder import run_tool
from ...video_files import decode_all
from ..action_model import CLASSES

BRANCHES = ['rgb', 'flow', 'rgbdiff']


@pytest.fixture(scope='module')
def inferencer(action_model):
    return ActionInferencer(action_model.config, action_model.checkpoint, 'cpu', show_progress=False)


@pytest.fixture
def lines(monkeypatch):
    found = []
    monkeypatch.setattr(action_inferencer, 'print_log', lambda text, logger, level: found.append(text))
    return found


def logits_of(sample):
    """All logits (M + 1, C) of a sample, or of one that tools/test.py has dumped."""
    logits, fused = (sample[key] if isinstance(sample, dict) else sample.get(key) for key in ('logits', 'fused_logits'))
    return torch.stack([*(logits[name] for name in BRANCHES), fused])


@pytest.mark.parametrize('tta', [False, True])
def test_as_the_test_tool(action_model, tmp_path, tta):
    args = (action_model.config, action_model.checkpoint, '--work-dir', tmp_path, '--dump', tmp_path / 'out.pkl')
    run_tool('test.py', *args, *(['--tta'] if tta else []), cwd=tmp_path)
    expected = torch.stack([logits_of(sample) for sample in pickle.loads((tmp_path / 'out.pkl').read_bytes())])
    inferencer = ActionInferencer(action_model.config, action_model.checkpoint, 'cpu', False, tta=tta)
    results = inferencer(action_model.data, return_datasamples=True, batch_size=3)
    found = torch.stack([logits_of(sample) for sample in results['predictions']])
    assert found.shape == (4, 4, 3)
    torch.testing.assert_close(found, expected)
    assert expected.std(dim=0).min() > 0.01  # so that clips and inputs could not be mixed up
    other = ActionInferencer(action_model.config, action_model.checkpoint, 'cpu', False, tta=tta, flow_bound=1.0)
    changed = logits_of(other(str(action_model.videos[0]), return_datasamples=True)['predictions'][0])
    assert torch.equal(changed[[0, 2]], logits_of(results['predictions'][0])[[0, 2]])
    assert not torch.allclose(changed[1], expected[0, 1], rtol=0.01)


def test_an_array_is_read_as_the_file_is(action_model, inferencer):
    file = action_model.videos[1]
    frames = np.stack(decode_all(file))
    before = frames.copy()
    of_file, of_array = inferencer([str(file), frames], return_datasamples=True)['predictions']
    assert torch.equal(logits_of(of_file), logits_of(of_array))
    assert np.array_equal(frames, before)


def give(inferencer, monkeypatch, **shares):
    """Let the model answer with these softmax scores, whatever it sees."""
    logits = {name: torch.tensor(values).log() for name, values in shares.items()}
    fused = logits.pop('ensemble')
    sample = MultiModalDataSample().set_prediction(logits, fused)
    monkeypatch.setattr(inferencer.model, 'test_step', lambda data: [sample for _ in data['data_samples']])


def test_results(action_model, inferencer, monkeypatch):
    give(
        inferencer, monkeypatch, rgb=[0.2, 0.5, 0.3], flow=[0.1, 0.2, 0.7], rgbdiff=[1 / 3] * 3, ensemble=[0.6, 0, 0.4]
    )
    file = str(action_model.videos[0])
    (prediction,) = inferencer(file, top_k=2, branch='flow')['predictions']
    rgb = [(1, 'right', pytest.approx(0.5)), (2, 'still', pytest.approx(0.3))]
    flow = [(2, 'still', pytest.approx(0.7)), (1, 'right', pytest.approx(0.2))]
    ensemble = [(0, 'left', pytest.approx(0.6)), (2, 'still', pytest.approx(0.4))]
    as_dicts = {
        name: [dict(label=label, name=of_class, score=score) for label, of_class, score in best]
        for name, best in dict(rgb=rgb, flow=flow, ensemble=ensemble).items()
    }
    branches = prediction.pop('branches')
    assert list(branches) == [*BRANCHES, 'ensemble']
    del branches['rgbdiff']  # a tie
    assert branches == as_dicts
    assert prediction == dict(name=file, pred_label=2, pred_class='still', scores=as_dicts['flow'])
    (prediction,) = inferencer(file)['predictions']
    assert (prediction['pred_class'], len(prediction['scores'])) == ('left', 3)  # of 5 asked for


def test_unreadable_files(action_model, inferencer, tmp_path, lines):
    bad = tmp_path / 'bad.mp4'
    bad.write_bytes(b'no video')
    with pytest.raises(UnreadableMediaError, match='bad.mp4: unreadable'):
        inferencer(str(bad))
    (tmp_path / 'good.mp4').write_bytes(action_model.videos[0].read_bytes())
    for inputs in (tmp_path, [bad, tmp_path / 'good.mp4']):
        results = inferencer(inputs, batch_size=2)
        assert [prediction['name'] for prediction in results['predictions']] == [str(tmp_path / 'good.mp4')]
        ((name, reason),) = [(clip['name'], clip['reason']) for clip in results['unreadable']]
        assert name == str(bad)
        assert reason.startswith('unreadable')
        assert lines.pop().startswith(f'left out: {bad}: unreadable')
    (tmp_path / 'good.mp4').unlink()
    assert inferencer(tmp_path)['predictions'] == []


def test_a_picture_too_small_for_the_flow_costs_its_own_clip_only(action_model, inferencer, tmp_path, data_root, lines):
    tiny, good = tmp_path / 'tiny.mp4', tmp_path / 'good.mp4'
    tiny.write_bytes((data_root / 'media' / 'odd' / 'one_by_one_pixel.mp4').read_bytes())
    good.write_bytes(action_model.videos[0].read_bytes())
    results = inferencer(tmp_path, out_dir=tmp_path / 'out')
    assert [prediction['name'] for prediction in results['predictions']] == [str(good)]
    assert results['visualization'] == [str(tmp_path / 'out' / 'good.mp4')]
    reason = "unreadable: no flow, algorithm 'dis' needs frames of at least 16 pixels a side, got 1 x 1"
    assert results['unreadable'] == [dict(name=str(tiny), reason=reason)]
    assert lines == [f'left out: {tiny}: {reason}']
    with pytest.raises(UnreadableMediaError, match=r'tiny\.mp4: unreadable: no flow'):
        inferencer(str(tiny))


def test_files_of_the_results(action_model, inferencer, tmp_path):
    results = inferencer(action_model.data, batch_size=3, out_dir=tmp_path)
    assert results['visualization'] == [str(tmp_path / f'clip_{number}.mp4') for number in range(4)]
    told = json.loads((tmp_path / 'predictions.json').read_text())
    assert told == dict(predictions=results['predictions'], unreadable=[])
    with av.open(results['visualization'][3]) as video:
        stream = video.streams.video[0]
        shown = [frame.to_ndarray(format='rgb24') for frame in video.decode(stream)]
        assert stream.average_rate == 25
    frames = decode_all(action_model.videos[3])
    assert len(shown) == len(frames)
    factor = shown[0].shape[0] // 40
    for picture, frame in zip(shown, frames):
        small = picture[: 40 * factor, : 48 * factor].reshape(40, factor, 48, factor, 3).mean(axis=(1, 3))
        assert np.abs(small.mean(axis=2) - frame.mean(axis=2)).mean() < 8


def test_pictures_of_what_the_network_was_given(action_model, inferencer, tmp_path):
    results = inferencer([action_model.videos[0]] * 2, out_dir=tmp_path, vis='png')
    assert results['visualization'] == [str(tmp_path / f'{number:06d}_clip_0.png') for number in range(2)]
    with Image.open(results['visualization'][0]) as picture:
        assert picture.height > 3 * 140  # a row of tiles for each input
    inferencer(action_model.videos[0], out_dir=tmp_path / 'none', vis=None)
    assert [file.name for file in (tmp_path / 'none').iterdir()] == ['predictions.json']


def test_clips_are_not_overwritten(action_model, inferencer):
    before = action_model.videos[0].read_bytes()
    with pytest.raises(ValueError, match=r'out_dir .* is where the clips are: .*clip_0\.mp4 would be overwritten'):
        inferencer(action_model.data, out_dir=action_model.data)
    assert action_model.videos[0].read_bytes() == before


@pytest.mark.parametrize(
    ('option', 'said'),
    [
        (dict(branch='audio'), r"branch must be one of \['rgb', 'flow', 'rgbdiff', 'ensemble'\], got 'audio'"),
        (dict(top_k=0), 'top_k must be at least 1, got 0'),
        (dict(batch_size=0), 'batch_size must be at least 1, got 0'),
        (dict(vis='gif'), r"vis must be one of \['video', 'png', None\], got 'gif'"),
    ],
)
def test_wrong_options(action_model, inferencer, option, said):
    with pytest.raises(ValueError, match=said):
        inferencer(action_model.data, **option)


def test_an_array_has_no_sound(inferencer, monkeypatch):
    monkeypatch.setitem(inferencer.sources, 'sound', dict(kind='audio'))
    with pytest.raises(
        ValueError, match=r"the model reads \['sound'\], which an array of frames \(array_0\) cannot give"
    ):
        inferencer(np.zeros((4, 40, 48, 3), np.uint8))


def test_configs_that_do_not_fit(action_model, monkeypatch):
    cfg = Config.fromfile(action_model.config)
    cfg.tta_pipeline = None
    with pytest.raises(ValueError, match='tta=True needs a tta_pipeline'):
        ActionInferencer(cfg, action_model.checkpoint, 'cpu', tta=True)
    cfg.test_dataloader = None
    with pytest.raises(ValueError, match="the config's test_dataloader has no data set with a pipeline"):
        ActionInferencer(cfg, action_model.checkpoint, 'cpu')
    monkeypatch.setattr(action_inferencer, 'init_model', lambda *args: nn.Linear(1, 1))
    with pytest.raises(ValueError, match='ActionInferencer runs a MultiModalClassifier, got a Linear'):
        ActionInferencer(action_model.config, action_model.checkpoint, 'cpu')


def test_classes_and_a_list_of_models(inferencer):
    assert inferencer.classes == CLASSES
    assert 'mml_tsm-r18-narrow_scratch-8x1-30e_mmshapes-rgb' in ActionInferencer.list_models('mml*')
