"""mmaction2's MobileNetV2TSM with a faster shift, a stem of any number of channels, and without its traps."""

from typing import Any

from mmcv.cnn import ConvModule

from mmmutual.registry import MODELS
from mmmutual.utils.dependencies import require_mmaction

from .temporal_shift import TemporalShift

require_mmaction()

from mmaction.models.backbones.mobilenet_v2 import InvertedResidual  # noqa: E402
from mmaction.models.backbones.mobilenet_v2_tsm import MobileNetV2TSM as MMActionMobileNetV2TSM  # noqa: E402


@MODELS.register_module()
class MobileNetV2TSM(MMActionMobileNetV2TSM):
    """MobileNetV2 with the shift before the first convolution of residual blocks that expand (spec/mml.md 3.2).

    Parameter names are those of ``mmaction.MobileNetV2TSM``, so that checkpoints go both ways. Different: the shift
    copies each value once and keeps channels_last, and ``train()`` returns the module.

    Args:
        in_channels (int): channels of a segment: 3 for RGB, 10 for flow, 15 for differences.
        kwargs: of mmaction2's MobileNetV2TSM: num_segments, is_shift, shift_div, widen_factor, frozen_stages, with_cp
            ...

    Raises:
        ValueError: for ``pretrained``, which belongs to the FrameEncoder, or a shift that there is not.
    """

    def __init__(self, in_channels: int = 3, **kwargs: Any) -> None:
        for name in ('pretrained', 'pretrained2d'):
            if kwargs.pop(name, None):
                raise ValueError(f'give {name} to the encoder, as in encoder=dict(type="FrameEncoder", pretrained=...)')
        super().__init__(pretrained=None, pretrained2d=False, **kwargs)
        if in_channels != 3:  # the base's stem is a constant
            self.conv1 = ConvModule(
                in_channels, self.conv1.out_channels, kernel_size=3, stride=2, padding=1,
                conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg,
            )  # fmt: skip

    def make_temporal_shift(self) -> None:
        """Wrap what mmaction2 wraps, in our shift."""
        if self.shift_div < 1 or self.num_segments < 1:
            raise ValueError(
                f'shift_div and num_segments must be at least 1, got {self.shift_div} and {self.num_segments}'
            )
        for m in list(self.modules()):
            if isinstance(m, InvertedResidual) and len(m.conv) == 3 and m.use_res_connect:
                m.conv[0] = TemporalShift(m.conv[0], self.num_segments, self.shift_div)

    def train(self, mode: bool = True) -> 'MobileNetV2TSM':
        """Set the mode; returns itself, as modules do."""
        super().train(mode)
        return self
