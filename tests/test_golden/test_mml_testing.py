"""MML's tests, ensembles and division of channels against the original, ``golden/mml``: settings from the fixtures."""

import re

import numpy as np
import pytest
import torch

from mmmutual.datasets.transforms import CenterCrop, FiveCrop, PackMultiModalInputs, SampleSegments, TenCrop, ThreeCrop
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
from .mml_arrays import arrays, load_json

SOFTMAX = '_softmax'


def test_views_are_averaged_before_softmax(golden, settings, testing_case):
    if f'testing:{testing_case}' in settings['constants']['do_not_reproduce']:
        pytest.skip('the original takes this softmax over concatenated frames: spec/mml.md 6.13')
    cfg = load_json(golden, 'testing_cfg.json')[testing_case]
    constants = settings['constants']['testing']
    shapes = load_json(golden, 'keys.json')[f'test_{testing_case.removesuffix(SOFTMAX)}']
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
    with arrays(golden, 'views', testing_case) as data:
        for layout in layouts:
            batch = model.data_preprocessor(dict(inputs={cfg['modality'].lower(): layout}))
            with torch.no_grad():
                logits = model(batch['inputs'], mode='tensor')['net']
            ours = ensemble_scores([logits], [1.0], softmax=cfg['softmax'])
            assert original.relative_error(ours, data[testing_case]) < 1e-4


def test_flags_make_as_many_views(golden, testing_case):
    cfg = load_json(golden, 'testing_cfg.json')[testing_case]
    flags = dict(cfg['flags'])
    random_sample, dense_sample = flags.pop('random_sample', False), flags.pop('dense_sample', False)
    mode = 'random' if random_sample else 'dense' if dense_sample else 'uniform'
    sampler = SampleSegments(num_segments=cfg['T'], mode=mode, split='test', **flags)
    name = cfg['modality'].lower()
    results = sampler(dict(sources={name: dict(kind='frames', path='', num_frames=50)}))
    results['frames'] = {name: torch.zeros(results['frame_inds'][name].size, 1, 8, 8, dtype=torch.uint8)}
    crop = {1: CenterCrop, 3: ThreeCrop, 5: FiveCrop, 10: TenCrop}[cfg['crops']]
    inputs = PackMultiModalInputs()(crop(8)(results))['inputs'][name]
    views = len(inputs) if inputs.dim() == 5 else 1
    assert views == cfg['views_total']


def test_ensemble(golden):
    with arrays(golden, 'ensemble') as data:
        members, coefficients = list(torch.from_numpy(data['ens_scores'])), data['ens_coeff'].tolist()
        expected = torch.from_numpy(data['ens_out'])
    torch.testing.assert_close(ensemble_scores(members, coefficients), expected, rtol=1e-5, atol=1e-6)
    names = [f'net{m}' for m in range(len(members))]
    fusion = MeanLogits(dict(zip(names, coefficients)))
    torch.testing.assert_close(fusion(dict(zip(names, members))), expected, rtol=1e-5, atol=1e-6)


def test_accuracies_of_an_ensemble(golden):
    with arrays(golden, 'ensemble_accuracy') as data:
        scores, labels = torch.from_numpy(data['ens_out']), torch.from_numpy(data['ens_label'])
        top = topk_accuracy(scores, labels, (1, 5))
        assert [100 * top[1], 100 * top[5]] == pytest.approx(data['ens_top1_top5'].tolist(), rel=1e-6)
        csv = data['ens_csv_top5']
        np.testing.assert_array_equal(top_classes(scores, csv.shape[1]), csv)


def test_confusion_of_an_ensemble(golden):
    with arrays(golden, 'ensemble_confusion') as data:
        confusion = confusion_matrix(torch.from_numpy(data['ens_out']), torch.from_numpy(data['ens_label']))
        ids = occurring_classes(confusion)
        np.testing.assert_array_equal(confusion[ids][:, ids], data['ens_confusion'])
        expected = data['ens_class_acc']
        np.testing.assert_allclose(class_accuracies(confusion)[ids], expected, rtol=1e-6)
        assert mean_class_accuracy(confusion) == pytest.approx(expected[~np.isnan(expected)].mean())
        original_mean = mean_class_accuracy(confusion, only_labelled=False)
        assert original_mean == pytest.approx(expected.mean(), nan_ok=True)
        theirs = data['ens_upper'].item()
        assert upper_bound(confusion, only_labelled=False) == pytest.approx(theirs, nan_ok=True)
        labelled = data['ens_confusion'][data['ens_confusion'].any(axis=1)]  # where the original's number is not NaN
        assert upper_bound(confusion) == pytest.approx((labelled.max(axis=1) / labelled.sum(axis=1)).mean())


def test_a_peer_gets_the_channels_of_its_named_input(golden, settings):
    """One process draws the frames and sends each of the others its channels: spec/mml.md 2.3 and 4.2."""
    per_segment, segments = settings['constants']['frames_per_segment'], settings['channel_split_T']
    with arrays(golden, 'channel_split') as data:
        peers = [re.fullmatch(r'(.+)_rank(\d+)_inds', name).groups() for name in data if 'send_inds' not in name]
        assert peers
        for modalities, rank in peers:
            names = modalities.split('_')
            rng = np.random.RandomState(0)
            frames = {}
            for name in names:
                length = per_segment[name]
                channels = original.LOADED[name] // length
                frames[name] = torch.from_numpy(
                    rng.randint(0, 256, (segments * length, channels, 2, 3), dtype=np.uint8)
                )
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
                held = held[torch.from_numpy(data[f'{modalities}_rank0_send_inds'])]
            theirs = held[torch.from_numpy(data[f'{modalities}_rank{rank}_inds'])]
            assert torch.equal(theirs, ours.flatten(0, 1)), (modalities, rank)
