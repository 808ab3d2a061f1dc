"""How the original MML loads a sample, rewritten line by line to be measured against (spec/mml.md 2.3 and 2.5).

Every image is opened, cropped and resized by Pillow, stacked, turned into float32 and normalised channel by channel.
"""

import random
from typing import List, Sequence, Tuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SIZE, SCALES, MAX_DISTORT = 224, (1, 0.875, 0.75, 0.66), 1


def load_sample(files: Sequence[str], grey: Sequence[bool], mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """The batch tensor (1, T * ch, 224, 224) of one sample.

    Args:
        files: images of all segments, in the order of the channels.
        grey: whether each is an image of flow.
        mean: of each channel, in [0, 1].
        std: likewise.
    """
    images = [Image.open(file).convert('L' if is_grey else 'RGB') for file, is_grey in zip(files, grey)]
    crop_width, crop_height, x, y = draw_crop(*images[0].size)
    images = [image.crop((x, y, x + crop_width, y + crop_height)) for image in images]
    images = [image.resize((SIZE, SIZE), Image.BILINEAR) for image in images]
    stacked = np.concatenate([np.atleast_3d(np.asarray(image)) for image in images], axis=2)
    tensor = torch.from_numpy(stacked).permute(2, 0, 1).contiguous().float().div(255)
    for channel, channel_mean, channel_std in zip(tensor, mean, std):
        channel.sub_(channel_mean).div_(channel_std)
    return torch.stack([tensor])


def draw_crop(width: int, height: int) -> Tuple[int, int, int, int]:
    """GroupMultiScaleCrop: width, height, x, y."""
    base = min(width, height)
    sizes = [int(base * scale) for scale in SCALES]
    sizes = [SIZE if abs(size - SIZE) < 3 else size for size in sizes]
    pairs = [(w, h) for i, h in enumerate(sizes) for j, w in enumerate(sizes) if abs(i - j) <= MAX_DISTORT]
    crop_width, crop_height = random.choice(pairs)
    x, y = random.choice(_offsets((width - crop_width) // 4, (height - crop_height) // 4))
    return crop_width, crop_height, x, y


def _offsets(step_x: int, step_y: int) -> List[Tuple[int, int]]:
    corners_and_centre = [(0, 0), (4, 0), (0, 4), (4, 4), (2, 2)]
    more = [(0, 2), (4, 2), (2, 4), (2, 0), (1, 1), (3, 1), (1, 3), (3, 3)]
    return [(x * step_x, y * step_y) for x, y in corners_and_centre + more]
