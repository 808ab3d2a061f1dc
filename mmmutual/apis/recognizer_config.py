"""The plain Recognizer2D of mmaction2 that computes what one branch of a model of ours does (spec/mml.md 5.1)."""

from typing import Any, Dict, List, Optional

from mmengine.config import ConfigDict

# mmaction2's backbone -> its head, for those that we use or subclass
HEADS = dict(ResNetTSM='TSMHead', MobileNetV2TSM='TSMHead', ResNet='TSNHead', MobileNetV2='TSNHead')


def recognizer_config(model: Dict[str, Any], branch: str, num_classes: int, in_channels: int) -> ConfigDict:
    """Config of mmaction2's model.

    Scores are the mean of logits over segments and views (``average_clips='score'``).

    Args:
        model: config of a MultiModalClassifier.
        branch: one of its branches: a FrameEncoder and a LinearHead.
        num_classes: C, of the trained head.
        in_channels: D, of the trained head.

    Raises:
        ValueError: if the branch is not there, or mmaction2 has no such network.
    """
    if branch not in model['branches']:
        raise ValueError(f'the config has no branch {branch!r}: it has {sorted(model["branches"])}')
    cfg = model['branches'][branch]
    _require(cfg['encoder'], 'FrameEncoder', f'branches.{branch}.encoder')
    _require(cfg.get('head') or {}, 'LinearHead', f'branches.{branch}.head')
    backbone, channels = _backbone(cfg['encoder']['backbone'])
    head = dict(
        type=HEADS[backbone['type']],
        num_classes=num_classes,
        in_channels=in_channels,
        dropout_ratio=cfg['head'].get('dropout_ratio', 0.5),
        init_std=cfg['head'].get('init_std', 0.001),
        average_clips='score',
    )
    if head['type'] == 'TSMHead':
        head.update(num_segments=backbone.get('num_segments', 8), temporal_pool=backbone.get('temporal_pool', False))
    normalizers = (model.get('data_preprocessor') or {}).get('inputs') or {}
    return ConfigDict(
        type='Recognizer2D',
        backbone=backbone,
        cls_head=head,
        data_preprocessor=_data_preprocessor(normalizers.get(cfg.get('input', branch)), channels),
    )


def _require(cfg: Dict[str, Any], name: str, where: str) -> None:
    if _plain(cfg.get('type')) != name:
        raise ValueError(f'{where}.type={cfg.get("type")!r} has no counterpart in mmaction2; {name!r} has one')


def _plain(name: Optional[str]) -> str:
    return str(name).split('.')[-1]


def _backbone(ours: Dict[str, Any]) -> tuple:
    """Config of the backbone, and the channels that it takes."""
    kind = _plain(ours['type'])
    if kind not in HEADS:
        raise ValueError(f'backbone {ours["type"]!r} is not one of mmaction2 that is known here: {sorted(HEADS)}')
    options = {name: value for name, value in ours.items() if name not in ('type', '_scope_', 'pretrained')}
    if options.pop('base_channels', 64) != 64:
        raise ValueError(f'base_channels={ours["base_channels"]}: mmaction2 has no narrow ResNet, only 64 channels')
    channels = options.get('in_channels', 3)
    if kind.startswith('MobileNet') and options.pop('in_channels', 3) != 3:
        raise ValueError(f"in_channels={channels}: mmaction2's {kind} takes 3")
    if kind.endswith('TSM'):
        options['pretrained2d'] = False  # else mmaction2 would load pretrained=None
    return dict(type=kind, pretrained=None, **options), channels


def _data_preprocessor(normalizer: Optional[Dict[str, Any]], channels: int) -> Dict[str, Any]:
    """Normalisation of stored values 0 to 255; differences of frames must come so, as mmaction2 forms none."""
    if normalizer is None:
        return dict(type='ActionDataPreprocessor', format_shape='NCHW')
    mean, std = normalizer.get('mean', 0.0), normalizer.get('std', 255.0)
    if _plain(normalizer['type']) == 'FrameDifference':
        mean = 0.0  # a difference has lost it
    return dict(
        type='ActionDataPreprocessor',
        mean=_per_channel(mean, channels),
        std=_per_channel(std, channels),
        format_shape='NCHW',
    )


def _per_channel(values: Any, channels: int) -> List[float]:
    row = [float(v) for v in (values if isinstance(values, (list, tuple)) else [values])]
    return row * (channels // len(row))
