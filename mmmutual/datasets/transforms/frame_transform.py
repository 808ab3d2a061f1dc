"""What transforms of decoded frames share."""

from typing import Any, Callable, Dict, List, Sequence, Tuple

from mmcv.transforms import BaseTransform
from torch import Tensor

Box = Tuple[int, int, int, int]  # x, y, width, height


def frame_size(results: Dict[str, Any]) -> Tuple[int, int]:
    """Height and width of the frames of a sample."""
    height, width = next(iter(results['frames'].values())).shape[2:]
    return height, width


def crop_frames(frames: Tensor, box: Box) -> Tensor:
    """The part (F, C, height, width) of frames (F, C, H, W), without a copy."""
    x, y, width, height = box
    return frames[:, :, y : y + height, x : x + width]


def quarter_positions(height: int, width: int, size: Tuple[int, int], steps: Sequence[Tuple[int, int]]) -> List[Box]:
    """Boxes of one size (height, width) at x and y steps of a quarter (rounded down) of the room that they leave."""
    step_x, step_y = (width - size[1]) // 4, (height - size[0]) // 4
    return [(x * step_x, y * step_y, size[1], size[0]) for x, y in steps]


class FrameTransform(BaseTransform):
    """Base of transforms to a size: applies one function of frames (F, C, H, W) to every input of the sample.

    Args:
        size: of the result, in pixels.

    Raises:
        ValueError: ``size`` below 1.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f'size of {type(self).__name__} must be at least 1 pixel, got {size}')
        self.size = size

    def apply(self, results: Dict[str, Any], function: Callable[[Tensor], Tensor]) -> Dict[str, Any]:
        """Replace the frames of every input by what ``function`` makes of them."""
        results['frames'] = {name: function(frames) for name, frames in results['frames'].items()}
        return results

    def require_room(self, results: Dict[str, Any]) -> Tuple[int, int]:
        """Height and width of the frames, which must not be smaller than ``size``."""
        height, width = frame_size(results)
        if min(height, width) < self.size:
            raise ValueError(
                f'{type(self).__name__}(size={self.size}) needs frames of at least {self.size} x {self.size} pixels, '
                f"got {width} x {height} in sample '{results.get('key', '?')}': put ResizeShortSide before it"
            )
        return height, width
