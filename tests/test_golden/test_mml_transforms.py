"""Crops, resizing and normalisation against numbers of the original MML code (golden/mml, spec/mml.md 2.5, 3.3)."""

import random
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from mmmutual.datasets.transforms import (
    CenterCrop,
    FiveCrop,
    MultiScaleCrop,
    PackMultiModalInputs,
    ResizeShortSide,
    TenCrop,
    ThreeCrop,
)
from mmmutual.datasets.transforms.multi_crops import flip_frames
from mmmutual.registry import MODELS

from . import mml_original as original
from .mml_arrays import arrays

CONFIG = Path(__file__).parents[2] / 'configs' / '_base_' / 'models' / 'mml_tsm-r50.py'


def test_multi_scale_crop_boxes(golden, settings):
    cfg = settings['transforms']
    crop = MultiScaleCrop(cfg['msc_input'])
    with arrays(golden, 'crop_boxes') as data:
        for index, size in enumerate(cfg['msc_sizes']):
            width, height = (int(side) for side in size.split('x'))
            random.seed(cfg['msc_seed_base'] + index)
            for expected in data[f'msc_{size}'].tolist():
                assert drawn_box(crop, height, width) == expected, size


def drawn_box(crop: MultiScaleCrop, height: int, width: int) -> list:
    """[w, h, x, y], the order of the fixtures."""
    x, y, crop_width, crop_height = crop.draw_box(height, width)
    return [crop_width, crop_height, x, y]


def split_images(images: np.ndarray, lengths: dict, num_segments: int) -> dict:
    """From (H, W, channels of all segments and modalities) to frames (T * L, C, H, W) by input."""
    channels = [original.LOADED[modality] for modality in lengths]
    segments = torch.from_numpy(images).permute(2, 0, 1).unflatten(0, (num_segments, sum(channels)))
    parts = segments.split(channels, dim=1)
    return {
        modality.lower(): part.unflatten(1, (length, -1)).flatten(0, 1)
        for (modality, length), part in zip(lengths.items(), parts)
    }


def test_a_whole_sample_of_training(golden, settings):
    """Crop, resize and pack, then the preprocessor of the config that users start from."""
    num_segments = settings['transforms']['sample_T']
    modalities = settings['transforms']['sample_modalities']
    lengths = {modality: settings['constants']['frames_per_segment'][modality] for modality in modalities}
    preprocessor = MODELS.build(Config.fromfile(CONFIG).model.data_preprocessor)
    with arrays(golden, 'sample') as data:
        crop = MultiScaleCrop(int(data['sample_input_size'][0]))
        frames = split_images(data['sample_in'], lengths, num_segments)
        seed, (height, width) = int(data['sample_seed'][0]), data['sample_in'].shape[:2]
        random.seed(seed)
        assert drawn_box(crop, height, width) == data['sample_box'].tolist()
        random.seed(seed)
        results = crop(dict(frames=frames, num_views=1, num_segments=num_segments))
        inputs = PackMultiModalInputs()(results)['inputs']
        clips = original.split_input(data['sample_out'][None], modalities, num_segments)
    for modality, expected in zip(modalities, clips):
        assert_normalized(preprocessor, modality, inputs[modality.lower()], expected, lengths[modality])


def assert_normalized(preprocessor, modality: str, ours: Tensor, expected: Tensor, length: int) -> None:
    """Our grey levels (T, C, H, W), which may be 1 off the original's, and their normalisation, which is exact.

    The original normalises frames (B, T, C, H, W); of RGBDiff these are plain frames in [0, 1], of which the network
    forms the differences (spec/mml.md 3.3), as our preprocessor does.
    """

    def normalize(levels: Tensor) -> Tensor:
        return preprocessor(dict(inputs={modality.lower(): levels}))['inputs'][modality.lower()]

    near = torch.stack([ours.float() + step for step in (0, -1, 1)])
    single = near / 255 if modality == 'RGBDiff' else normalize(near)
    choice = (single - expected).abs().argmin(dim=0, keepdim=True)
    theirs = near.gather(0, choice)
    if modality == 'RGBDiff':
        frames = expected.unflatten(2, (length, -1))
        expected = (frames[:, :, 1:] - frames[:, :, :-1]).flatten(2, 3)
    torch.testing.assert_close(normalize(theirs), expected, rtol=0, atol=1e-4, msg=lambda text: f'{modality}: {text}')


def rgb_frames(data: dict) -> Tensor:
    """(2, 3, H, W)."""
    return torch.from_numpy(data['rgb2']).permute(0, 3, 1, 2)


def flow_frames(data: dict) -> Tensor:
    """(2, 2, H, W), of images x, y, x, y."""
    return torch.from_numpy(data['flow4']).unflatten(0, (-1, 2))


def assert_levels(frames: Tensor, expected: np.ndarray, of_rgb: bool):
    ours = frames.permute(0, 2, 3, 1) if of_rgb else frames.flatten(0, 1)
    assert tuple(ours.shape) == expected.shape
    assert np.abs(ours.numpy().astype(int) - expected).max() <= 1


def test_resize_short_side(golden):
    with arrays(golden, 'resize') as data:
        short, _ = data['crop_cfg'].tolist()
        frames = ResizeShortSide(short)(dict(frames=dict(rgb=rgb_frames(data))))['frames']
        assert_levels(frames['rgb'], data['scaled_rgb'], of_rgb=True)


def test_crops(golden):
    crops = dict(center=CenterCrop, three=ThreeCrop, five=FiveCrop, ten=TenCrop)
    with arrays(golden, 'crops') as data:
        short, size = data['crop_cfg'].tolist()
        for name, crop in crops.items():
            clips = dict(rgb=rgb_frames(data), flow=flow_frames(data))
            frames = crop(size)(ResizeShortSide(short)(dict(frames=clips)))['frames']
            assert_levels(frames['rgb'], data[f'{name}_rgb'], of_rgb=True)
            assert_levels(frames['flow'], data[f'{name}_flow'], of_rgb=False)


def test_mirrored_flow(golden):
    with arrays(golden, 'mirrored_flow') as data:
        mirrored = flip_frames(flow_frames(data)).flatten(0, 1)
        np.testing.assert_array_equal(mirrored.numpy(), data['hflip_flow'])


def test_full_resolution_offsets(golden):
    with arrays(golden, 'full_resolution') as data:
        rows = data['fullres_offsets'].tolist()
    assert rows
    for width, height, size, left, right, center, y in rows:
        # pixels that say where they are: x in one channel pair, y in the other
        grid = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij'))
        low, high = (grid % 256).to(torch.uint8), (grid // 256).to(torch.uint8)
        frames = dict(rgb=torch.cat([low, high])[None])
        crops = ThreeCrop(size)(dict(frames=frames))['frames']['rgb'].long()
        corners = crops[:, :, 0, 0]
        tops, lefts = (corners[:, :2] + 256 * corners[:, 2:]).T.tolist()
        assert lefts == [left, right, center]
        assert tops == [y] * 3
