"""Sampling, frame order and transforms against numbers of the original MML code (golden/mml, spec/mml.md 2)."""

import json
import random
import re

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from mmmutual.datasets.transforms import (
    CenterCrop,
    FiveCrop,
    LoadFrames,
    MultiScaleCrop,
    PackMultiModalInputs,
    ResizeShortSide,
    SampleSegments,
    TenCrop,
    ThreeCrop,
)
from mmmutual.datasets.transforms.multi_crops import flip_frames
from mmmutual.datasets.transforms.sampling_rules import frames_from

NAMES = {'RGB': 'rgb', 'Flow': 'flow', 'RGBDiff': 'rgbdiff'}
SHORT = {'rgb': 'rgb', 'flow': 'flow', 'diff': 'rgbdiff'}
LENGTHS = {'rgb': 1, 'flow': 5, 'rgbdiff': 6}
CHANNELS = {'rgb': 3, 'flow': 2, 'rgbdiff': 3}


@pytest.fixture(scope='module')
def golden(golden_root):
    return golden_root / 'mml'


@pytest.fixture(scope='module')
def settings(golden):
    return json.loads((golden / 'settings.json').read_text())


@pytest.fixture(scope='module')
def sampling(golden):
    return np.load(golden / 'sampling.npz')


@pytest.fixture(scope='module')
def transforms(golden):
    return np.load(golden / 'transforms.npz')


def folder(num_frames):
    return dict(kind='frames', path='', num_frames=int(num_frames))


def starts(sampler, num_frames):
    """First frames of the segments, counted from 1, by input: (inputs, V * T)."""
    frame_inds = sampler(dict(sources={name: folder(count) for name, count in num_frames.items()}))['frame_inds']
    return np.stack([inds[:, 0] + 1 for inds in frame_inds.values()])


def sampler_options(sampling):
    return dict(num_segments=int(sampling['num_segments'][0]), dense_length=int(sampling['dense_length'][0]))


def split_mods(mods):
    return [SHORT[short] for short in mods.split('_')]


def test_train_sampling(golden, sampling):
    seed = int(sampling['seed_offset'][0])
    cases = json.loads((golden / 'sampling_cfg.json').read_text())
    assert set(cases) == {key for key in sampling.files if key.startswith('train_')}
    for case, cfg in cases.items():
        _, mode, mods = case.split('_', 2)
        names = split_mods(mods)
        sampler = SampleSegments(
            mode=mode,
            split='train',
            range_length='first',
            frames_per_segment=dict(zip(names, cfg['new_length'])),
            **sampler_options(sampling),
        )
        for row, count in enumerate(sampling['num_frames']):
            np.random.seed(seed + row)
            num_frames = {name: max(1, count + delta) for name, delta in zip(names, cfg['frame_delta'])}
            for call, expected in enumerate(sampling[case][row]):
                np.testing.assert_array_equal(starts(sampler, num_frames), expected, f'{case}, {count} frames, {call}')


def test_val_sampling(sampling):
    keys = [key for key in sampling.files if key.startswith('val_uniform_')]
    assert keys
    for key in keys:
        (name,) = split_mods(key[len('val_uniform_') :])
        # validation is uniform in mode 'random' too
        for mode in ('uniform', 'random'):
            sampler = SampleSegments(mode=mode, split='val', **sampler_options(sampling))
            for count, expected in zip(sampling['num_frames'], sampling[key]):
                np.testing.assert_array_equal(starts(sampler, {name: count})[0], expected, f'{key}, {count} frames')


def test_dense_val_sampling_of_the_original(sampling, settings):
    sampler = SampleSegments(mode='dense', split='val', dense_val_start='random', **sampler_options(sampling))
    for row, count in enumerate(sampling['num_frames']):
        np.random.seed(settings['sampling']['val_dense_seed_base'] + row)
        for expected in sampling['val_dense_rgb'][row]:
            np.testing.assert_array_equal(starts(sampler, dict(rgb=count))[0], expected, f'{count} frames')


def test_test_sampling(sampling):
    keys = [key for key in sampling.files if key.startswith('test_')]
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
            **sampler_options(sampling),
        )
        for count, expected in zip(sampling['num_frames'], sampling[key]):
            # The original's indices below 1 are not to be reproduced (spec/mml.md 6.28).
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


def test_frame_order(golden, tmp_path):
    fixture = np.load(golden / 'frame_order.npz')
    cases = [key[: -len('_order')] for key in fixture.files if key.endswith('_order')]
    cases.remove('Flow_Flow')  # the original's interleaving defect (spec/mml.md 6.10)
    assert cases
    for case in cases:
        names = [NAMES[modality] for modality in case.split('_')]
        num_frames = dict(zip(names, fixture[f'{case}_num_frames'].tolist()))
        offsets = dict(zip(names, fixture[f'{case}_starts'] - 1))
        path = tmp_path / case
        write_numbered_images(path, max(num_frames.values()))
        sources = {
            name: dict(
                kind='flow_frames' if name == 'flow' else 'frames',
                path=str(path),
                filename_tmpl='flow_{axis}_{}.png' if name == 'flow' else 'img_{}.png',
                start_index=1,
            )
            for name in num_frames
        }
        frame_inds = {name: frames_from(offsets[name], LENGTHS[name], num_frames[name]) for name in sources}
        frames = LoadFrames()(dict(sources=sources, frame_inds=frame_inds))['frames']
        order = []
        for segment in range(len(next(iter(offsets.values())))):
            for name in names:
                length = LENGTHS[name]
                for frame in frames[name][segment * length : (segment + 1) * length]:
                    order += code(name, frame)
        assert order == fixture[f'{case}_order'].tolist(), case


def test_multi_scale_crop_boxes(transforms, settings):
    cfg = settings['transforms']
    crop = MultiScaleCrop(cfg['msc_input'])
    for index, size in enumerate(cfg['msc_sizes']):
        width, height = (int(side) for side in size.split('x'))
        random.seed(cfg['msc_seed_base'] + index)
        for expected in transforms[f'msc_{size}'].tolist():
            x, y, crop_width, crop_height = crop.draw_box(height, width)
            assert [crop_width, crop_height, x, y] == expected, size


def split_inputs(images, names, num_segments):
    """From (H, W, channels of all segments and inputs) to frames (T * L, C, H, W) by input."""
    per_segment = np.split(images, num_segments, axis=2)
    frames = {name: [] for name in names}
    for segment in per_segment:
        first = 0
        for name in names:
            for _ in range(LENGTHS[name]):
                frames[name].append(segment[..., first : first + CHANNELS[name]])
                first += CHANNELS[name]
        assert first == segment.shape[2]
    return {name: torch.from_numpy(np.stack(items)).permute(0, 3, 1, 2) for name, items in frames.items()}


def test_multi_scale_crop_of_a_whole_sample(transforms, settings):
    cfg = settings['transforms']
    names = [NAMES[modality] for modality in cfg['sample_modalities']]
    num_segments = cfg['sample_T']
    frames = split_inputs(transforms['sample_in'], names, num_segments)
    size = int(transforms['sample_input_size'][0])
    random.seed(int(transforms['sample_seed'][0]))
    results = dict(frames=frames, num_views=1, num_segments=num_segments)
    inputs = PackMultiModalInputs()(MultiScaleCrop(size)(results))['inputs']
    mean = dict(rgb=[0.485, 0.456, 0.406], flow=[0.5] * 10, rgbdiff=[0] * 18)
    std = dict(rgb=[0.229, 0.224, 0.225], flow=[0.226] * 10, rgbdiff=[1] * 18)
    per_segment = np.split(transforms['sample_out'], num_segments)
    for segment, expected in enumerate(per_segment):
        ours = torch.cat([inputs[name][segment] for name in names]).double()
        means = torch.tensor(sum((list(mean[name]) for name in names), []))[:, None, None]
        stds = torch.tensor(sum((list(std[name]) for name in names), []))[:, None, None]
        levels = (torch.from_numpy(expected).double() * stds + means) * 255
        assert (levels - levels.round()).abs().max() < 1e-2  # so these are the original's grey levels
        assert (ours - levels).abs().max() < 1.01


@pytest.fixture
def clips(transforms):
    """Frames (2, 3, H, W) of rgb2 and (2, 2, H, W) of flow4."""
    flow = transforms['flow4']
    return dict(
        rgb=torch.from_numpy(transforms['rgb2']).permute(0, 3, 1, 2),
        flow=torch.from_numpy(flow).unflatten(0, (len(flow) // 2, 2)),
    )


def assert_levels(frames: Tensor, expected: np.ndarray, of_rgb: bool):
    ours = frames.permute(0, 2, 3, 1) if of_rgb else frames.flatten(0, 1)
    assert tuple(ours.shape) == expected.shape
    assert np.abs(ours.numpy().astype(int) - expected).max() <= 1


def test_resize_short_side(transforms, clips):
    frames = ResizeShortSide(int(transforms['crop_cfg'][0]))(dict(frames=clips))['frames']
    assert_levels(frames['rgb'], transforms['scaled_rgb'], of_rgb=True)


@pytest.mark.parametrize(
    ('name', 'crop'), [('center', CenterCrop), ('three', ThreeCrop), ('five', FiveCrop), ('ten', TenCrop)]
)
def test_crops(transforms, clips, name, crop):
    short, size = transforms['crop_cfg'].tolist()
    frames = crop(size)(ResizeShortSide(short)(dict(frames=clips)))['frames']
    assert_levels(frames['rgb'], transforms[f'{name}_rgb'], of_rgb=True)
    assert_levels(frames['flow'], transforms[f'{name}_flow'], of_rgb=False)


def test_mirrored_flow(transforms, clips):
    mirrored = flip_frames(clips['flow']).flatten(0, 1)
    np.testing.assert_array_equal(mirrored.numpy(), transforms['hflip_flow'])


def test_full_resolution_offsets(transforms):
    for width, height, size, left, right, center, y in transforms['fullres_offsets'].tolist():
        # pixels that say where they are: x in one channel pair, y in the other
        grid = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij'))
        low, high = (grid % 256).to(torch.uint8), (grid // 256).to(torch.uint8)
        frames = dict(rgb=torch.cat([low, high])[None])
        crops = ThreeCrop(size)(dict(frames=frames))['frames']['rgb'].long()
        corners = crops[:, :, 0, 0]
        rows, columns = (corners[:, :2] + 256 * corners[:, 2:]).T.tolist()
        assert columns == [left, right, center]
        assert rows == [y] * 3
