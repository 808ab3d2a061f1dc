"""mmaction2's ResNetTSM with a faster shift and without its traps."""

from typing import Any

from mmcv.cnn import ConvModule
from torch import nn

from mmmutual.registry import MODELS
from mmmutual.utils.dependencies import require_mmaction

from .temporal_shift import TemporalShift

require_mmaction()

from mmaction.models.backbones.resnet import make_res_layer  # noqa: E402
from mmaction.models.backbones.resnet_tsm import ResNetTSM as MMActionResNetTSM  # noqa: E402
from mmaction.models.backbones.resnet_tsm import TemporalShift as MMActionTemporalShift  # noqa: E402

SHIFT_PLACES = ('blockres', 'block')
# The original's non-local block (spec/mml.md 3.4) in the terms of mmcv, whose defaults are others.
NON_LOCAL = dict(sub_sample=True, use_scale=False, norm_cfg=dict(type='BN3d'), mode='embedded_gaussian')


@MODELS.register_module()
class ResNetTSM(MMActionResNetTSM):
    """The same network and parameter names as ``mmaction.ResNetTSM``, so that checkpoints go both ways.

    Different: the shift copies each value once and keeps channels_last; ``train()`` returns the module; batch norms
    that partial BN freezes are frozen from the start. Pretrained weights are the FrameEncoder's business
    (``pretrained=`` there), because stems of 10 or 15 channels need care.

    Args:
        depth (int): 18, 34, 50, 101 or 152.
        base_channels (int): width of the stem and the first stage. 64 is the published network; less makes a narrow
            one for a CPU or a test.
        kwargs: of mmaction2's ResNetTSM: num_segments, is_shift, shift_div, shift_place, temporal_pool, in_channels,
            partial_bn, with_cp ...; ``non_local``, for the blocks of each stage whether one follows, as
            ``((0, 0, 0), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 0, 0))`` in the original; ``non_local_cfg``, what
            differs from the original's block (:data:`NON_LOCAL`).

    Raises:
        ValueError: for ``pretrained``, which belongs to the FrameEncoder, a shift that there is not, or non-local
            blocks in a network of depth 18 or 34.
    """

    def __init__(self, depth: int, base_channels: int = 64, **kwargs: Any) -> None:
        self.base_channels = base_channels  # init_structure, which the base's __init__ calls, reads it
        for name in ('pretrained', 'pretrained2d', 'torchvision_pretrain'):
            if kwargs.pop(name, None):
                raise ValueError(f'give {name} to the encoder, as in encoder=dict(type="FrameEncoder", pretrained=...)')
        if _any_true(kwargs.get('non_local', 0)):
            if depth < 50:
                raise ValueError(f'non_local needs the blocks of depth 50 and more, got depth {depth}')
            kwargs['non_local_cfg'] = {**NON_LOCAL, **kwargs.get('non_local_cfg', {})}
        super().__init__(depth, pretrained=None, pretrained2d=False, **kwargs)
        if self.partial_bn:
            self._partial_bn()

    def init_structure(self) -> None:
        """Make the stages narrow if so asked, then wrap them."""
        if self.base_channels != 64:
            self._narrow()
        super().init_structure()

    def _narrow(self) -> None:
        """Build stem and stages anew: the base's widths are constants."""
        width = self.base_channels
        layer = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.conv1 = ConvModule(self.in_channels, width, kernel_size=7, stride=2, padding=3, bias=False, **layer)
        self.inplanes = width
        for i, (name, blocks) in enumerate(zip(self.res_layers, self.stage_blocks)):
            stage = make_res_layer(
                self.block, self.inplanes, width * 2**i, blocks, stride=self.strides[i], dilation=self.dilations[i],
                style=self.style, with_cp=self.with_cp, **layer,
            )  # fmt: skip
            setattr(self, name, stage)
            self.inplanes = width * 2**i * self.block.expansion
        self.feat_dim = self.inplanes

    def make_temporal_shift(self) -> None:
        """Wrap what mmaction2 wraps, in our shift."""
        if self.shift_place not in SHIFT_PLACES:
            raise ValueError(f'shift_place must be one of {SHIFT_PLACES}, got {self.shift_place!r}')
        if self.shift_div < 1:
            raise ValueError(f'shift_div must be at least 1, got {self.shift_div}')
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


def _any_true(flags: Any) -> bool:
    return any(_any_true(flag) for flag in flags) if isinstance(flags, (list, tuple)) else bool(flags)
