"""Several crops of each frame, for testing (spec/mml.md 2.5)."""

from typing import Any, Dict, List, Tuple

import torch
from torch import Tensor

from mmmutual.registry import TRANSFORMS

from .flip import flip_frames
from .frame_transform import Box, FrameTransform, crop_frames, quarter_positions

# In quarters of the room that a crop leaves: upper left, upper right, lower left, lower right, centre.
CORNERS_AND_CENTER = ((0, 0), (4, 0), (0, 4), (4, 4), (2, 2))


class _MultiCrop(FrameTransform):
    """Cuts out several squares; the crops become the outermost part of the first axis of ``frames``."""

    steps: Tuple[Tuple[int, int], ...]
    flips = False

    def __init__(self, size: int = 224) -> None:
        super().__init__(size)

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Cut all frames alike, and multiply ``num_crops``."""
        height, width = self.require_room(results)
        boxes = quarter_positions(height, width, (self.size, self.size), self.steps)
        results['num_crops'] = results.get('num_crops', 1) * len(boxes) * (1 + self.flips)
        return self.apply(results, lambda frames: torch.cat([crop for box in boxes for crop in self._cut(frames, box)]))

    def _cut(self, frames: Tensor, box: Box) -> List[Tensor]:
        crop = crop_frames(frames, box)
        return [crop, flip_frames(crop)] if self.flips else [crop]


@TRANSFORMS.register_module()
class ThreeCrop(_MultiCrop):
    """Squares at the left, the right and the centre, half way down.

    Always along the width: of a portrait video with ``size`` equal to its width the three are the same.

    Args:
        size: side in pixels; 256 after ``ResizeShortSide(256)`` is the original's ``full_res``.
    """

    steps = ((0, 2), (4, 2), (2, 2))


@TRANSFORMS.register_module()
class FiveCrop(_MultiCrop):
    """Squares at the upper left, upper right, lower left and lower right corner, and in the centre.

    Args:
        size: side in pixels.
    """

    steps = CORNERS_AND_CENTER


@TRANSFORMS.register_module()
class TenCrop(_MultiCrop):
    """The squares of :class:`FiveCrop`, each followed by its mirror image; x displacements of flow change their sign.

    Args:
        size: side in pixels.
    """

    steps = CORNERS_AND_CENTER
    flips = True
