"""MML's tests, ensembles and division of channels against the original, ``golden/mml``: settings from the fixtures."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from mmmutual.datasets.transforms import PackMultiModalInputs
from mmmutual.evaluation.functional import (
    class_accuracies,
    confusion_matrix,
    ensemble_scores,
    mean_class_accuracy,
    occurring_classes,
    top_classes,
    topk_accuracy,
    upper_bound,
)
from mmmutual.models.fusions import MeanLogits

from . import mml_original as original

SOFTMAX = '_softmax'


@pytest.fixture(scope='module')
def golden(golden_root):
    return golden_root / 'mml'


@pytest.fixture(scope='module')
def settings(golden):
    return json.loads((golden / 'settings.json').read_text())


@pytest.fixture(scope='module')
def ensemble(golden):
    """The arrays ``ens_*`` without this prefix."""
    with np.load(golden / 'testing.npz') as data:
        return {name[len('ens_') :]: torch.from_numpy(data[name]) for name in data.files if name.startswith('ens_')}


def pytest_generate_tests(metafunc):
    if 'testing_case' in metafunc.fixturenames:
        folder = Path(__file__).parents[2] / metafunc.config.getoption('--golden-root') / 'mml'
        file = folder / 'testing_cfg.json'
        metafunc.parametrize('testing_case', json.loads(file.read_text()) if file.is_file() else [])


def test_views_are_averaged_before_softmax(golden, settings, testing_case):
    if f'testing:{testing_case}' in settings['constants']['do_not_reproduce']:
        pytest.skip('the original takes this softmax over concatenated frames: spec/mml.md 6.13')
    cfg = json.loads((golden / 'testing_cfg.json').read_text())[testing_case]
    constants = settings['constants']['testing']
    shapes = json.loads((golden / 'keys.json').read_text())[f'test_{testing_case.removesuffix(SOFTMAX)}']
    expected = np.load(golden / 'testing.npz')[testing_case]
    tsm = dict(shift_div=constants['shift_div'], shift_place='blockres') if cfg['shift'] else {}
    branch = original.branch_cfg(
        cfg['modality'], constants['base_model'], cfg['num_class'], cfg['T'], shift=cfg['shift'], dropout=0.5, **tsm
    )
    model = original.classifier({'net': branch}).eval()
    original.fill_branch(model.branches['net'], shapes)
    x = torch.from_numpy(original.random_input(cfg['input_seed'], cfg['input_shape']))
    clips = x.unflatten(1, (cfg['views_total'], cfg['T'], original.LOADED[cfg['modality']]))
    layouts = [clips if cfg['views_total'] > 1 else clips[:, 0]]
    if not cfg['shift']:
        layouts.append(clips.flatten(1, 2)[:, :, None])  # TSN as the original tests it: every frame a clip of T = 1
    for layout in layouts:
        batch = model.data_preprocessor(dict(inputs={cfg['modality'].lower(): layout}))
        with torch.no_grad():
            logits = model(batch['inputs'], mode='tensor')['net']
        ours = ensemble_scores([logits], [1.0], softmax=cfg['softmax'])
        assert original.relative_error(ours, expected) < 1e-4


def test_ensemble(ensemble):
    members, coefficients = list(ensemble['scores']), ensemble['coeff'].tolist()
    torch.testing.assert_close(ensemble_scores(members, coefficients), ensemble['out'], rtol=1e-5, atol=1e-6)
    names = [f'net{m}' for m in range(len(members))]
    fusion = MeanLogits(dict(zip(names, coefficients)))
    torch.testing.assert_close(fusion(dict(zip(names, members))), ensemble['out'], rtol=1e-5, atol=1e-6)


def test_accuracies_of_an_ensemble(ensemble):
    top = topk_accuracy(ensemble['out'], ensemble['label'], (1, 5))
    assert [100 * top[1], 100 * top[5]] == pytest.approx(ensemble['top1_top5'].tolist(), rel=1e-6)
    np.testing.assert_array_equal(top_classes(ensemble['out'], ensemble['csv_top5'].shape[1]), ensemble['csv_top5'])


def test_confusion_of_an_ensemble(ensemble):
    confusion = confusion_matrix(ensemble['out'], ensemble['label'])
    ids = occurring_classes(confusion)
    np.testing.assert_array_equal(confusion[ids][:, ids], ensemble['confusion'])
    accuracies = class_accuracies(confusion)[ids].float()
    torch.testing.assert_close(accuracies, ensemble['class_acc'], equal_nan=True)
    of_labelled = ensemble['class_acc'][~torch.isnan(ensemble['class_acc'])]
    assert mean_class_accuracy(confusion) == pytest.approx(of_labelled.mean().item())
    original_mean = mean_class_accuracy(confusion, only_labelled=False)
    assert original_mean == pytest.approx(ensemble['class_acc'].mean().item(), nan_ok=True)
    assert upper_bound(confusion, only_labelled=False) == pytest.approx(ensemble['upper'].item(), nan_ok=True)


def test_a_peer_gets_the_channels_of_its_named_input(golden, settings):
    """One process draws the frames and sends each of the others its channels: spec/mml.md 2.3 and 4.2."""
    per_segment, segments = settings['constants']['frames_per_segment'], settings['channel_split_T']
    with np.load(golden / 'channel_split.npz') as data:
        kept = {name: data[name] for name in data.files}
    peers = [re.fullmatch(r'(.+)_rank(\d+)_inds', name).groups() for name in kept if not name.endswith('send_inds')]
    assert peers
    for modalities, rank in peers:
        names = modalities.split('_')
        rng = np.random.RandomState(0)
        frames = {}
        for name in names:
            length = per_segment[name]
            channels = original.LOADED[name] // length
            frames[name] = torch.from_numpy(rng.randint(0, 256, (segments * length, channels, 2, 3), dtype=np.uint8))
        results = dict(num_segments=segments, num_views=1, frames=frames)
        ours = PackMultiModalInputs().transform(results)['inputs'][names[int(rank)]]
        held = [
            frames[name][t * per_segment[name] + f]
            for t in range(segments)
            for name in names
            for f in range(per_segment[name])
        ]
        held = torch.cat(held)
        if int(rank):
            held = held[torch.from_numpy(kept[f'{modalities}_rank0_send_inds'])]
        theirs = held[torch.from_numpy(kept[f'{modalities}_rank{rank}_inds'])]
        assert torch.equal(theirs, ours.flatten(0, 1)), (modalities, rank)
