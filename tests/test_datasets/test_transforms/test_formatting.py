import pytest
import torch

from mmmutual.datasets.transforms import PackMultiModalInputs
from mmmutual.structures import MultiModalDataSample


def numbered(count, channels):
    """Frames (count, channels, 1, 1) whose level is 10 * frame + channel."""
    levels = 10 * torch.arange(count)[:, None] + torch.arange(channels)
    return levels[:, :, None, None].to(torch.uint8)


def test_one_view():
    results = dict(
        frames=dict(rgb=numbered(2, 3), flow=numbered(10, 2)),
        num_views=1, num_segments=2, key='v', sample_idx=4, gt_label=7,
    )  # fmt: skip
    packed = PackMultiModalInputs()(results)
    assert set(packed) == {'inputs', 'data_samples'}
    rgb, flow = packed['inputs']['rgb'], packed['inputs']['flow']
    assert rgb.shape == (2, 3, 1, 1)
    assert rgb.flatten(1).tolist() == [[0, 1, 2], [10, 11, 12]]
    # x0 y0 x1 y1 ... of five pairs
    assert flow.flatten(1).tolist() == [
        [0, 1, 10, 11, 20, 21, 30, 31, 40, 41],
        [50, 51, 60, 61, 70, 71, 80, 81, 90, 91],
    ]
    sample = packed['data_samples']
    assert isinstance(sample, MultiModalDataSample)
    assert sample.gt_label.tolist() == [7]
    assert sample.metainfo == dict(key='v', sample_idx=4, available=('rgb', 'flow'), num_views=1)


def test_crops_are_outside_of_temporal_views():
    # 3 crops x 2 views x 2 segments x 1 frame
    results = dict(frames=dict(rgb=numbered(12, 3)), num_views=2, num_crops=3, num_segments=2, key='v', sample_idx=0)
    packed = PackMultiModalInputs()(results)
    rgb = packed['inputs']['rgb']
    assert rgb.shape == (6, 2, 3, 1, 1)
    assert (rgb[:, :, 0, 0, 0] // 10).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    assert packed['data_samples'].num_views == 6


def test_channels_last_frames_become_planes():
    pixels = torch.randint(0, 256, (4, 5, 6, 3), dtype=torch.uint8)
    results = dict(frames=dict(rgbdiff=pixels.permute(0, 3, 1, 2)), num_views=1, num_segments=2)
    packed = PackMultiModalInputs()(results)['inputs']['rgbdiff']
    assert packed.is_contiguous()
    assert torch.equal(packed[1, 3:6], pixels[3].permute(2, 0, 1))


def test_sound_has_one_segment_of_one_channel_and_one_view():
    spectrogram = torch.arange(6.0).view(1, 2, 3)
    alone = PackMultiModalInputs()(dict(spectrograms=dict(audio=spectrogram), key='v', gt_label=3))
    assert alone['inputs']['audio'].tolist() == [[[[0, 1, 2], [3, 4, 5]]]]
    assert alone['data_samples'].metainfo == dict(key='v', available=('audio',), num_views=1)
    assert alone['data_samples'].gt_label.tolist() == [3]
    results = dict(frames=dict(rgb=numbered(12, 3)), num_views=2, num_crops=3, num_segments=2)
    both = PackMultiModalInputs()(dict(results, spectrograms=dict(audio=spectrogram)))
    assert {name: tuple(packed.shape) for name, packed in both['inputs'].items()} == dict(
        rgb=(6, 2, 3, 1, 1), audio=(1, 1, 2, 3)
    )
    assert both['data_samples'].num_views == 6


def test_nothing_to_pack():
    with pytest.raises(ValueError, match='nothing to pack: put LoadFrames or LogMelSpectrogram before it'):
        PackMultiModalInputs()(dict(key='v', sources={}))


def test_without_a_label():
    packed = PackMultiModalInputs()(dict(frames=dict(rgb=numbered(2, 3)), num_views=1, num_segments=2, key='v'))
    assert 'gt_label' not in packed['data_samples']
