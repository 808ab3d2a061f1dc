"""mmaction2's ResNetTSM with a faster shift and without its traps."""

from typing import Any

from torch import nn

from mmmutual.registry import MODELS
from mmmutual.utils.dependencies import require_mmaction

from .temporal_shift import TemporalShift

require_mmaction()

from mmaction.models.backbones.resnet_tsm import ResNetTSM as MMActionResNetTSM  # noqa: E402
from mmaction.models.backbones.resnet_tsm import TemporalShift as MMActionTemporalShift  # noqa: E402


@MODELS.register_module()
class ResNetTSM(MMActionResNetTSM):
    """The same network and parameter names as ``mmaction.ResNetTSM``, so that checkpoints go both ways.

    Different: the shift copies each value once and keeps channels_last; ``train()`` returns the module; batch norms
    that partial BN freezes are frozen from the start. Pretrained weights are the FrameEncoder's business
    (``pretrained=`` there), because stems of 10 or 15 channels need care.

    Args:
        depth (int): 18, 34, 50, 101 or 152.
        kwargs: of mmaction2's ResNetTSM: num_segments, is_shift, shift_div, shift_place, temporal_pool, non_local,
            in_channels, partial_bn, with_cp ...

    Raises:
        ValueError: for ``pretrained``, which belongs to the FrameEncoder.
    """

    def __init__(self, depth: int, **kwargs: Any) -> None:
        for name in ('pretrained', 'pretrained2d', 'torchvision_pretrain'):
            if kwargs.pop(name, None):
                raise ValueError(f'give {name} to the encoder, as in encoder=dict(type="FrameEncoder", pretrained=...)')
        super().__init__(depth, pretrained=None, pretrained2d=False, **kwargs)
        if self.partial_bn:
            self._partial_bn()

    def make_temporal_shift(self) -> None:
        """Wrap what mmaction2 wraps, in our shift."""
        super().make_temporal_shift()
        for parent in list(self.modules()):
            for name, child in parent.named_children():
                if type(child) is MMActionTemporalShift:
                    setattr(parent, name, TemporalShift(child.net, child.num_segments, child.shift_div))

    def _partial_bn(self) -> None:
        """Every BatchNorm2d but the first keeps its statistics and is not trained (spec/mml.md 4.3)."""
        for m in [m for m in self.modules() if isinstance(m, nn.BatchNorm2d)][1:]:
            m.eval()
            m.weight.requires_grad_(False)
            m.bias.requires_grad_(False)

    def train(self, mode: bool = True) -> 'ResNetTSM':
        """Set the mode; returns itself, as modules do."""
        super().train(mode)
        return self
