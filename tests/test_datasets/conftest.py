"""A small data set of raw frames and flow images in a temporary folder."""

import cv2
import numpy as np
import pytest

SIZE = (40, 48)  # height, width
NUM_RGB = (12, 9, 7)


def write_clip(root, key, num_rgb, size=SIZE):
    """Frame n of clip is grey level 10 * n; flow pair n is 100 + n in x and 200 - n in y. All stored without loss."""
    rgb, flow = root / 'rgb' / key, root / 'flow' / key
    rgb.mkdir(parents=True)
    flow.mkdir(parents=True)
    for number in range(1, num_rgb + 1):
        cv2.imwrite(str(rgb / f'img_{number:06d}.png'), np.full((*size, 3), 10 * number, np.uint8))
    for number in range(1, num_rgb):
        cv2.imwrite(str(flow / f'flow_x_{number:05d}.png'), np.full(size, 100 + number, np.uint8))
        cv2.imwrite(str(flow / f'flow_y_{number:05d}.png'), np.full(size, 200 - number, np.uint8))


def write_lists(root, clips):
    """Lists of (key, number of RGB frames, label)."""
    (root / 'rgb.txt').write_text(''.join(f'{key} {count} {label}\n' for key, count, label in clips))
    (root / 'flow.txt').write_text(''.join(f'{key} {count - 1} {label}\n' for key, count, label in clips))
    (root / 'classes.txt').write_text('walk left\nwalk right\njump\n')


@pytest.fixture
def clips_root(tmp_path):
    """Three clips of three classes: clip 0, clip 1, clip 2 with 12, 9 and 7 frames."""
    clips = [(f'clip {label}', count, label) for label, count in enumerate(NUM_RGB)]
    for key, count, _ in clips:
        write_clip(tmp_path, key, count)
    write_lists(tmp_path, clips)
    return tmp_path


@pytest.fixture
def options(clips_root):
    """Arguments of VideoListDataset for these clips."""
    pipeline = [
        dict(type='SampleSegments', num_segments=4),
        dict(type='LoadFrames'),
        dict(type='MultiScaleCrop', size=32),
        dict(type='PackMultiModalInputs'),
    ]
    modalities = dict(
        rgb=dict(ann_file='rgb.txt', kind='frames', data_prefix='rgb', filename_tmpl='img_{:06d}.png'),
        flow=dict(ann_file='flow.txt', kind='flow_frames', data_prefix='flow', filename_tmpl='flow_{axis}_{:05d}.png'),
    )
    return dict(data_root=str(clips_root), modalities=modalities, classes='classes.txt', pipeline=pipeline)
