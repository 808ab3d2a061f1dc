import json
import random

import numpy as np
import pytest
import torch

from mmmutual.datasets.modality_options import read_classes
from mmmutual.datasets.transforms import LoadFrames, RandomFlip, SampleSegments
from mmmutual.datasets.transforms.flip import flip_frames
from mmmutual.registry import TRANSFORMS

from ...video_files import decode_all, write_video

SSV2_PAIRS = {86: 87, 87: 86, 93: 94, 94: 93, 166: 167, 167: 166}


def sample(label=0):
    generator = torch.Generator().manual_seed(0)
    shapes = dict(rgb=3, flow=2)
    frames = {
        name: torch.randint(0, 256, (4, channels, 3, 5), dtype=torch.uint8, generator=generator)
        for name, channels in shapes.items()
    }
    return dict(frames=frames, gt_label=label, waveforms=dict(audio=torch.arange(5.0)))


def test_mirrored_flow_changes_the_sign_of_x_in_every_pair():
    flow = torch.randint(0, 256, (5, 2, 3, 4), dtype=torch.uint8)
    kept = flow.clone()
    mirrored = flip_frames(flow)
    assert torch.equal(mirrored[:, 0], 255 - kept[:, 0].flip(2))
    assert torch.equal(mirrored[:, 1], kept[:, 1].flip(2))
    assert torch.equal(flow, kept)


def test_mirrored_rgb_keeps_its_levels():
    rgb = torch.randint(0, 256, (5, 3, 3, 4), dtype=torch.uint8)
    assert torch.equal(flip_frames(rgb), rgb.flip(3))


def test_all_inputs_together_or_none():
    flip, seen = RandomFlip(), set()
    random.seed(0)
    for _ in range(20):
        before = sample()
        after = flip(dict(before))
        flipped = {name: not torch.equal(after['frames'][name], frames) for name, frames in before['frames'].items()}
        assert len(set(flipped.values())) == 1
        seen.add(flipped['rgb'])
        if flipped['rgb']:
            assert torch.equal(after['frames']['flow'], flip_frames(before['frames']['flow']))
            assert torch.equal(after['frames']['rgb'], before['frames']['rgb'].flip(3))
        assert torch.equal(after['waveforms']['audio'], torch.arange(5.0))
    assert seen == {False, True}


def test_probability():
    random.seed(0)
    flip = RandomFlip(prob=0.2, label_map={0: 1, 1: 0})
    flips = sum(flip(sample())['gt_label'] for _ in range(2000))
    assert 0.17 < flips / 2000 < 0.23
    assert RandomFlip(prob=0)(sample())['frames']['rgb'].equal(sample()['frames']['rgb'])
    assert not RandomFlip(prob=1)(sample())['frames']['rgb'].equal(sample()['frames']['rgb'])


def test_the_draw_is_of_the_global_generator_of_python():
    """The data set seeds it by sample."""
    draws = []
    for _ in range(2):
        random.seed(3)
        draws.append([RandomFlip(label_map={0: 1, 1: 0})(sample())['gt_label'] for _ in range(10)])
    assert draws[0] == draws[1]
    assert len(set(draws[0])) == 2


def test_label_of_a_mirrored_sample(tmp_path):
    (tmp_path / 'pairs.json').write_text(json.dumps(SSV2_PAIRS))  # JSON makes texts of the keys
    for label_map in (SSV2_PAIRS, str(tmp_path / 'pairs.json'), {str(a): b for a, b in SSV2_PAIRS.items()}):
        flip = TRANSFORMS.build(dict(type='RandomFlip', prob=1.0, label_map=label_map))
        assert [flip(sample(label))['gt_label'] for label in (86, 94, 167, 5)] == [87, 93, 166, 5]
        kept = RandomFlip(prob=0.0, label_map=label_map)
        assert kept(sample(86))['gt_label'] == 86


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(prob=1.5), r'prob of RandomFlip must lie in \[0, 1\], got 1.5'),
        (dict(prob=-0.1), 'got -0.1'),
        (dict(label_map={86: 87}), r'its own inverse, with labels >= 0, got {86: 87}'),
        (dict(label_map={1: 2, 2: 3, 3: 1}), r'got {1: 2, 2: 3, 3: 1}'),
        (dict(label_map={1: 2, 2: 1, 4: 2}), r'got {4: 2}'),
        (dict(label_map={-1: -1}), r'got {-1: -1}'),
        (dict(label_map={'left': 'right'}), "must map labels to labels, got {'left': 'right'}"),
        (dict(label_map=[(1, 2)]), 'must map labels to labels'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        RandomFlip(**options)


def test_wrong_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='label_map of RandomFlip: file none.json does not exist'):
        RandomFlip(label_map='none.json')
    (tmp_path / 'bad.json').write_text('{1: 2}')
    with pytest.raises(ValueError, match=r'label_map of RandomFlip .*bad.json'):
        RandomFlip(label_map=str(tmp_path / 'bad.json'))


def test_pairs_of_something_something_follow_from_its_own_table(data_root):
    classes = read_classes(str(data_root / 'label_maps' / 'sthv2_label_map.txt'), '')
    mirrored = json.loads((data_root / 'sthv2' / 'augmentation_mappings.json').read_text())['left/right']
    label_map = {classes.index(name): classes.index(other) for name, other in mirrored.items()}
    assert label_map == SSV2_PAIRS
    assert RandomFlip(label_map=label_map).label_map == SSV2_PAIRS


def test_flow_of_the_mirrored_clip_is_the_mirrored_flow(data_root, tmp_path):
    """The real clip, stored again as it is and mirrored, without loss."""
    frames = decode_all(data_root / 'sthv2' / '166766.mp4')[20:32]
    frames = [np.ascontiguousarray(frame[:, :424]) for frame in frames]
    flows = {}
    for name, shown in dict(plain=frames, mirrored=[frame[:, ::-1] for frame in frames]).items():
        path = tmp_path / f'{name}.mkv'
        write_video(path, [np.ascontiguousarray(frame) for frame in shown], codec='ffv1', pix_fmt='bgr0')
        source = dict(kind='video_flow', path=str(path), num_frames=None, algorithm='dis', bound=20.0)
        results = SampleSegments(2, split='test')(dict(sources=dict(flow=source), gt_label=0))
        results = LoadFrames()(results)
        flows[name] = (RandomFlip(prob=1.0) if name == 'plain' else RandomFlip(prob=0.0))(results)['frames']['flow']
    expected, found = flows['mirrored'].float(), flows['plain'].float()
    assert found.shape == (10, 2, 240, 424)
    assert expected[:, 0].std() > 5  # there is motion
    for axis in (0, 1):
        ours, theirs = found[:, axis].flatten(), expected[:, axis].flatten()
        assert torch.corrcoef(torch.stack([ours, theirs]))[0, 1] > 0.9
        assert (ours - theirs).abs().median() <= 1
