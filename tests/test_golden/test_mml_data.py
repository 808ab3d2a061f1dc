"""Sampling and frame order against numbers of the original MML code (golden/mml, spec/mml.md 2)."""

import re

import cv2
import numpy as np

from mmmutual.datasets.transforms import LoadFrames, SampleSegments
from mmmutual.datasets.transforms.sampling_rules import frames_from

from .mml_arrays import arrays, load_json

SHORT = {'rgb': 'rgb', 'flow': 'flow', 'diff': 'rgbdiff'}


def folder(num_frames):
    return dict(kind='frames', path='', num_frames=int(num_frames))


def starts(sampler, num_frames):
    """First frames of the segments, counted from 1, by input: (inputs, V * T)."""
    frame_inds = sampler(dict(sources={name: folder(count) for name, count in num_frames.items()}))['frame_inds']
    return np.stack([inds[:, 0] + 1 for inds in frame_inds.values()])


def sampler_options(data):
    return dict(num_segments=int(data['num_segments'][0]), dense_length=int(data['dense_length'][0]))


def split_mods(mods):
    return [SHORT[short] for short in mods.split('_')]


def test_train_sampling(golden):
    cases = load_json(golden, 'sampling_cfg.json')
    with arrays(golden, 'train_sampling') as data:
        seed = int(data['seed_offset'][0])
        assert set(cases) == {key for key in data if key.startswith('train_')}
        for case, cfg in cases.items():
            _, mode, mods = case.split('_', 2)
            names = split_mods(mods)
            sampler = SampleSegments(
                mode=mode,
                split='train',
                range_length='first',
                frames_per_segment=dict(zip(names, cfg['new_length'])),
                **sampler_options(data),
            )
            for row, count in enumerate(data['num_frames']):
                np.random.seed(seed + row)
                num_frames = {name: max(1, count + delta) for name, delta in zip(names, cfg['frame_delta'])}
                for call, expected in enumerate(data[case][row]):
                    np.testing.assert_array_equal(starts(sampler, num_frames), expected, f'{case}, {count}, {call}')


def test_val_sampling(golden):
    with arrays(golden, 'uniform_val_sampling') as data:
        keys = [key for key in data if key.startswith('val_uniform_')]
        assert keys
        for key in keys:
            (name,) = split_mods(key[len('val_uniform_') :])
            # validation is uniform in mode 'random' too
            for mode in ('uniform', 'random'):
                sampler = SampleSegments(mode=mode, split='val', **sampler_options(data))
                for count, expected in zip(data['num_frames'], data[key]):
                    np.testing.assert_array_equal(starts(sampler, {name: count})[0], expected, f'{key}, {count} frames')


def test_dense_val_sampling_of_the_original(golden, settings):
    seed = settings['sampling']['val_dense_seed_base']
    with arrays(golden, 'dense_val_sampling') as data:
        keys = [key for key in data if key.startswith('val_dense_')]
        assert keys
        for key in keys:
            (name,) = split_mods(key[len('val_dense_') :])
            sampler = SampleSegments(mode='dense', split='val', dense_val_start='random', **sampler_options(data))
            for row, count in enumerate(data['num_frames']):
                np.random.seed(seed + row)
                for expected in data[key][row]:
                    np.testing.assert_array_equal(starts(sampler, {name: count})[0], expected, f'{key}, {count} frames')


def test_test_sampling(golden, settings):
    # The original's indices below 1 are not to be reproduced (spec/mml.md 6.28).
    assert 'sampling:indices below 1' in settings['constants']['do_not_reproduce']
    with arrays(golden, 'test_sampling') as data:
        keys = [key for key in data if key.startswith('test_')]
        assert keys
        for key in keys:
            *flags, mods = key.split('_')[1:]
            (name,) = split_mods(mods)
            mode = {'dense1': 'dense', 'rand1': 'random'}.get(flags[0], 'uniform')
            number = [int(flag[2:]) for flag in flags if re.fullmatch(r'dn\d+', flag)]
            sampler = SampleSegments(
                mode=mode,
                split='test',
                twice_sample='twice1' in flags,
                dense_number=number[0] if number else 1,
                **sampler_options(data),
            )
            for count, expected in zip(data['num_frames'], data[key]):
                expected = np.maximum(expected, 1)
                np.testing.assert_array_equal(starts(sampler, {name: count})[0], expected, f'{key}, {count} frames')


def write_numbered_images(path, num_frames):
    """Images whose grey level says which one it is: of RGB n, of flow n for x and 255 - n for y."""
    path.mkdir()
    for number in range(1, num_frames + 1):
        cv2.imwrite(str(path / f'img_{number}.png'), np.full((4, 4, 3), number, np.uint8))
        cv2.imwrite(str(path / f'flow_x_{number}.png'), np.full((4, 4), number, np.uint8))
        cv2.imwrite(str(path / f'flow_y_{number}.png'), np.full((4, 4), 255 - number, np.uint8))


def code(name, frame):
    """What frame_order.npz writes for an image (C, 4, 4): 100 * number, and + 1, + 2 for flow x and y."""
    levels = frame[:, 0, 0].tolist()
    assert bool((frame == frame[:, :1, :1]).all())
    if name == 'flow':
        return [100 * levels[0] + 1, 100 * (255 - levels[1]) + 2]
    assert len(set(levels)) == 1
    return [100 * levels[0]]


def test_frame_order(golden, settings, tmp_path):
    lengths = settings['constants']['frames_per_segment']
    defects = [entry.split(':')[1] for entry in settings['constants']['do_not_reproduce'] if 'frame_order:' in entry]
    unread = [f'{case}_{kind}' for case in defects for kind in ('order', 'num_frames', 'starts')]
    with arrays(golden, 'frame_order', without=unread) as data:
        cases = [key[: -len('_order')] for key in data if key.endswith('_order')]
        assert cases
        for case in cases:
            modalities = case.split('_')
            num_frames = dict(zip(modalities, data[f'{case}_num_frames'].tolist()))
            path = tmp_path / case
            write_numbered_images(path, max(num_frames.values()))
            sources, frame_inds = {}, {}
            for modality, first in zip(modalities, data[f'{case}_starts'] - 1):
                sources[modality.lower()] = dict(
                    kind='flow_frames' if modality == 'Flow' else 'frames',
                    path=str(path),
                    filename_tmpl='flow_{axis}_{}.png' if modality == 'Flow' else 'img_{}.png',
                    start_index=1,
                )
                frame_inds[modality.lower()] = frames_from(first, lengths[modality], num_frames[modality])
            frames = LoadFrames()(dict(sources=sources, frame_inds=frame_inds))['frames']
            order = []
            for segment in range(data[f'{case}_starts'].shape[1]):
                for modality in modalities:
                    length = lengths[modality]
                    for frame in frames[modality.lower()][segment * length : (segment + 1) * length]:
                        order += code(modality.lower(), frame)
            assert order == data[f'{case}_order'].tolist(), case
