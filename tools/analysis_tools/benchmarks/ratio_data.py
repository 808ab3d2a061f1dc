"""Comparisons of data loading: frames of a video, and a sample of RGB and flow from images."""

import random
from pathlib import Path
from typing import Any, Callable, Dict, List

import av
import cv2
import numpy as np
from mmcv.transforms import Compose
from mmengine.dataset import default_collate

from mmmutual.models.input_normalizers import NormalizeFrames
from mmmutual.registry import TRANSFORMS
from mmmutual.utils.frame_folders import save_frames
from mmmutual.utils.optical_flow import save_flow

from .comparison import Comparison
from .pillow_loading import SIZE, load_sample

SEGMENTS, HEIGHT, WIDTH = 8, 256, 340
VIDEO_FRAMES, GOP, FOLDER_FRAMES = 300, 12, 65
FLOW_IMAGES = 5  # pairs per segment
NORMALIZERS = dict(
    rgb=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]), flow=dict(mean=127.5, std=57.63)
)


def video_case(folder: Path) -> List[Comparison]:
    """8 frames, one of the middle of each part of a video."""
    file = str(write_video(folder / 'clip.mp4', textured_frames(VIDEO_FRAMES)))
    ours = pipeline(dict(type='SampleSegments', num_segments=SEGMENTS, split='test'), dict(type='LoadFrames'))
    theirs = pipeline(
        dict(type='mmaction.DecordInit', num_threads=1),
        dict(type='mmaction.SampleFrames', clip_len=1, num_clips=SEGMENTS, test_mode=True),
        dict(type='mmaction.DecordDecode'),
    )
    source = dict(kind='video', path=file, num_frames=None)
    return [
        Comparison(
            f'{SEGMENTS} of {VIDEO_FRAMES} frames of a {WIDTH}x{HEIGHT} video, GOP {GOP}',
            0.7,
            lambda repetition: ours(dict(sources=dict(rgb=source))),
            lambda repetition: theirs(dict(filename=file, start_index=0, modality='RGB')),
        )
    ]


def frames_case(folder: Path) -> List[Comparison]:
    """One sample of RGB and Flow from 8 + 80 JPEG files of 340x256 to the batch tensor, the crop drawn anew each time.

    Ours is timed to the uint8 batch tensors in which it travels, and to those normalised as the model does it on its
    device: both against Pillow's float32, normalised by channels.
    """
    images = textured_frames(FOLDER_FRAMES)
    save_frames(folder / 'rgb', images)
    save_flow(folder / 'flow', images)
    sources = dict(
        rgb=dict(kind='frames', path=str(folder / 'rgb'), num_frames=FOLDER_FRAMES),
        flow=dict(kind='flow_frames', path=str(folder / 'flow'), num_frames=FOLDER_FRAMES - 1),
    )
    templates = dict(rgb='img_{:06d}.jpg', flow='flow_{axis}_{:05d}.jpg')
    for name, source in sources.items():
        source.update(filename_tmpl=templates[name], start_index=1)
    sampled = pipeline(dict(type='SampleSegments', num_segments=SEGMENTS, split='test'))(dict(sources=sources))
    stored, normalized = our_loading(sampled)
    theirs = pillow_loading(sampled)
    title = f'RGB + Flow sample, {SEGMENTS} + {2 * FLOW_IMAGES * SEGMENTS} JPEGs, against Pillow to float32; ours to '
    return [
        Comparison(title + 'uint8', 0.6, stored, theirs),
        Comparison(title + 'float32', 0.6, normalized, theirs),
    ]


def our_loading(sampled: Dict[str, Any]) -> List[Callable[[int], Dict[str, Any]]]:
    """Loading to uint8 batch tensors (1, T, ch, 224, 224) by input, and to normalised float32 ones."""
    steps = pipeline(dict(type='LoadFrames'), dict(type='MultiScaleCrop', size=SIZE), dict(type='PackMultiModalInputs'))
    normalizers = {name: NormalizeFrames(**options) for name, options in NORMALIZERS.items()}

    def stored(repetition: int) -> Dict[str, Any]:
        random.seed(repetition)
        return default_collate([steps(dict(sampled))])['inputs']

    def normalized(repetition: int) -> Dict[str, Any]:
        return {name: normalizers[name](frames) for name, frames in stored(repetition).items()}

    return [stored, normalized]


def pillow_loading(sampled: Dict[str, Any]) -> Callable[[int], Any]:
    """The original's loading of the same images."""
    files, grey = [], []
    for segment in range(SEGMENTS):
        for name, source in sampled['sources'].items():
            for number in sampled['frame_inds'][name][segment] + 1:
                for axis in 'xy' if name == 'flow' else ' ':
                    files.append(f'{source["path"]}/{source["filename_tmpl"].format(number, axis=axis)}')
                    grey.append(name == 'flow')
    mean = ([0.485, 0.456, 0.406] + [0.5] * 2 * FLOW_IMAGES) * SEGMENTS
    std = ([0.229, 0.224, 0.225] + [0.226] * 2 * FLOW_IMAGES) * SEGMENTS

    def load(repetition: int) -> Any:
        random.seed(repetition)
        return load_sample(files, grey, mean, std)

    return load


def pipeline(*steps: dict) -> Compose:
    """Transforms one after the other; plain names are ours."""
    scoped = [dict(step, type=step['type'] if '.' in step['type'] else f'mmmutual.{step["type"]}') for step in steps]
    return Compose([TRANSFORMS.build(step) for step in scoped])


def textured_frames(count: int) -> List[np.ndarray]:
    """A texture of two scales that moves along a curve: RGB uint8 (256, 340, 3) each."""
    generator = np.random.RandomState(0)
    reach = 100
    size = (HEIGHT + 2 * reach, WIDTH + 2 * reach, 3)
    noise = generator.standard_normal(size).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 2) * 2 + cv2.GaussianBlur(noise, (0, 0), 12) * 12
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    times = np.arange(count)
    xs = np.round(reach * (1 + np.sin(times / 25))).astype(int)
    ys = np.round(reach * (1 + np.cos(times / 40))).astype(int)
    return [np.ascontiguousarray(texture[y : y + HEIGHT, x : x + WIDTH]) for x, y in zip(xs, ys)]


def write_video(file: Path, frames: List[np.ndarray]) -> Path:
    """Encode with x264, a keyframe every 12 frames."""
    with av.open(str(file), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
        stream.codec_context.gop_size = GOP
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())
    return file
