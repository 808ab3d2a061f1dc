"""Cutting frames to the size of a network's input, all inputs of a sample alike (spec/mml.md 2.5)."""

import random
from typing import Any, Dict, Sequence

from mmmutual.registry import TRANSFORMS

from .frame_transform import Box, FrameTransform, crop_frames, frame_size, quarter_positions
from .resize import resize_frames

# Positions of a crop in quarters of the room that it leaves: corners, centre, middles of the edges, between them.
FIXED_POSITIONS = (
    *((0, 0), (4, 0), (0, 4), (4, 4), (2, 2)),
    *((0, 2), (4, 2), (2, 4), (2, 0)),
    *((1, 1), (3, 1), (1, 3), (3, 3)),
)


@TRANSFORMS.register_module()
class MultiScaleCrop(FrameTransform):
    """Cut out a random box at one of 13 positions and resize it to a square: the augmentation of training.

    Sides are the short side of the frame times one of ``scales``; width and height may differ by ``max_distort``
    steps of ``scales``. Frames are cut as stored, then resized. Draws from python's ``random``: sides, then position.

    Args:
        size: side of the result in pixels. A side of the box that differs by less than 3 pixels becomes ``size``.
        scales: sides relative to the short side of the frame.
        max_distort: largest difference of the indices into ``scales`` of width and height.
    """

    def __init__(self, size: int = 224, scales: Sequence[float] = (1, 0.875, 0.75, 0.66), max_distort: int = 1) -> None:
        super().__init__(size)
        if not scales or any(not 0 < scale <= 1 for scale in scales):
            raise ValueError(f'scales of MultiScaleCrop must lie in (0, 1], got {scales}')
        self.scales = tuple(scales)
        self.max_distort = max_distort

    def draw_box(self, height: int, width: int) -> Box:
        """A random box (x, y, width, height) in a frame."""
        short = min(height, width)
        sides = [max(1, int(short * scale)) for scale in self.scales]
        # The original would leave the frame by up to 2 pixels where it is smaller than the size.
        sides = [self.size if abs(side - self.size) < 3 and self.size <= short else side for side in sides]
        pairs = [
            (side_x, side_y)
            for i, side_y in enumerate(sides)
            for j, side_x in enumerate(sides)
            if abs(i - j) <= self.max_distort
        ]
        crop_width, crop_height = random.choice(pairs)
        return random.choice(quarter_positions(height, width, (crop_height, crop_width), FIXED_POSITIONS))

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Cut and resize all frames alike."""
        box = self.draw_box(*frame_size(results))
        return self.apply(results, lambda frames: resize_frames(crop_frames(frames, box), (self.size, self.size)))


@TRANSFORMS.register_module()
class CenterCrop(FrameTransform):
    """Cut out the middle square; halves of a pixel are rounded to the even number.

    Args:
        size: side in pixels.
    """

    def __init__(self, size: int = 224) -> None:
        super().__init__(size)

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Cut all frames alike."""
        height, width = self.require_room(results)
        box = (round((width - self.size) / 2), round((height - self.size) / 2), self.size, self.size)
        return self.apply(results, lambda frames: crop_frames(frames, box))
