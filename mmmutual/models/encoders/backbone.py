"""Building backbones, also those of another package that build parts of their own."""

from torch import Tensor, nn

from mmmutual.registry import MODELS


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
