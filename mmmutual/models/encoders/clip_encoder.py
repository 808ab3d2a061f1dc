"""A 3-D network on a whole clip."""

from typing import Any, Optional

import torch
from torch import Tensor, nn

from mmmutual.registry import MODELS

from .backbone import BackboneEncoder, check_channels


@MODELS.register_module()
class ClipEncoder(BackboneEncoder):
    """Run a backbone that sees time as an axis, and pool over time and space.

    For the recogniser backbones of mmaction2 that take (B, C, T, H, W): ``mmaction.ResNet3d``, ``ResNet3dSlowOnly``,
    ``ResNet3dSlowFast``, ``X3D``, ``SwinTransformer3D``, ``MViT``, ``TimeSformer`` and others; those that take single
    frames go into a :class:`FrameEncoder`. T is the number of segments: with ``SampleSegments(mode='dense',
    num_segments=8, dense_length=32)`` clips are 8 frames with a stride of 4.

    Args:
        backbone (dict): gives maps (B, D, t, h, w), pooled here; features (B, D); several maps (slow and fast), joined
            after pooling; or maps beside a class token (B, D), which is taken. Its own ``pretrained`` and
            ``pretrained2d`` are mmaction2's (a 2-D network, inflated).
        pretrained (str, optional): weights for the backbone of the same layers: a path or URL, of mmaction2 or of one
            branch of ours. A stem of another number of channels gets the mean kernel.
    """

    @property
    def out_channels(self) -> Optional[int]:
        """D, if the backbone tells."""
        return getattr(self.backbone, 'feat_dim', None)

    def check_input(self, clips: Tensor) -> None:
        """Refuse clips (B, T, C, H, W) whose channels the backbone cannot take, before training.

        Raises:
            ValueError: naming C and the option that differs.
        """
        check_channels(self.backbone, clips, nn.Conv3d)

    def forward(self, clips: Tensor) -> Tensor:
        """Encode clips.

        Args:
            clips: (B, T, C, H, W).

        Returns:
            (B, D).

        Raises:
            TypeError: if the backbone gives something else than the class says.
        """
        return _pooled(self.backbone(clips.transpose(1, 2)))


def _pooled(output: Any) -> Tensor:
    if isinstance(output, Tensor) and output.dim() in (2, 5):
        return output if output.dim() == 2 else output.mean(dim=(2, 3, 4))
    if isinstance(output, (list, tuple)) and output:
        if isinstance(output[-1], (list, tuple)):
            return _pooled(output[-1])  # the last stage
        if all(isinstance(part, Tensor) for part in output):
            return output[-1] if output[-1].dim() == 2 else torch.cat([_pooled(part) for part in output], dim=1)
    shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    raise TypeError(f'ClipEncoder knows backbones that give (B, D, t, h, w) or (B, D), or lists of them, got {shape}')
