"""Encoders around a backbone, also one of another package that builds parts of its own."""

from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmmutual.registry import MODELS

from .pretrained import load_pretrained


class BackboneEncoder(BaseModule):
    """Base of encoders of clips (B, T, C, H, W) that hold one backbone.

    Args:
        backbone (dict): its config.
        pretrained (str, optional): weights for it, see :func:`~mmmutual.models.encoders.pretrained.load_pretrained`.
    """

    input_dims = 5

    def __init__(self, backbone: dict, pretrained: Optional[str] = None) -> None:
        super().__init__()
        self.backbone = build_backbone(backbone)
        self.pretrained = pretrained

    def init_weights(self) -> None:
        """The backbone's own initialisation, then the pretrained weights over it."""
        super().init_weights()
        if self.pretrained is not None:
            load_pretrained(self.backbone, self.pretrained)

    def forget_first_weights(self) -> None:
        """Leave ``pretrained`` out: the weights come from a checkpoint of this training."""
        self.pretrained = None


def build_backbone(cfg: dict) -> nn.Module:
    """Build ``cfg``; of a type as ``mmaction.TimeSformer`` the inner parts are looked up in that package too."""
    scope, dot, _ = str(cfg.get('type')).rpartition('.')
    return MODELS.build(dict(cfg, _scope_=scope) if dot and '.' not in scope else cfg)


def check_channels(backbone: nn.Module, clips: Tensor, kind: type) -> None:
    """Refuse clips (B, T, C, H, W) whose C is not that of the first convolution of this kind, if there is one.

    Raises:
        ValueError: naming both numbers.
    """
    stem = next((m for m in backbone.modules() if isinstance(m, kind)), None)
    if stem is not None and stem.in_channels != clips.shape[2]:
        raise ValueError(
            f'clips have C={clips.shape[2]} channels, but the backbone takes {stem.in_channels}: set '
            f'backbone.in_channels={clips.shape[2]} (frames per segment times channels of a frame)'
        )
