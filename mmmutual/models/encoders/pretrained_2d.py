"""Weights of an image network for a video encoder, also where the stem has another number of channels."""

import re
from typing import Any, Dict, List, Tuple

from mmengine.logging import print_log
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

# torchvision's names -> those of mmaction2's ConvModule
_RENAMES: List[Tuple[str, str]] = [
    (r'^conv1\.(weight|bias)$', r'conv1.conv.\1'),
    (r'^bn1\.', r'conv1.bn.'),
    (r'^(layer\d\.\d+)\.conv(\d)\.(weight|bias)$', r'\1.conv\2.conv.\3'),
    (r'^(layer\d\.\d+)\.bn(\d)\.', r'\1.conv\2.bn.'),
    (r'\.downsample\.0\.', r'.downsample.conv.'),
    (r'\.downsample\.1\.', r'.downsample.bn.'),
]


def transfer_stem(kernel: Tensor, in_channels: int) -> Tensor:
    """A first kernel for another modality: the mean over input channels, copied to each (spec/mml.md 3.3, 3.5).

    Args:
        kernel: (C_out, C_in, h, w).
        in_channels: wanted number of input channels.

    Returns:
        (C_out, in_channels, h, w); not rescaled.
    """
    return kernel.mean(dim=1, keepdim=True).expand(-1, in_channels, -1, -1).clone()


def load_pretrained_2d(backbone: nn.Module, checkpoint: str) -> None:
    """Copy an image network's weights into a backbone, in place.

    Names are torchvision's or the backbone's own, with or without the wrappers (``.net``, ``.block``) of TSM. A first
    kernel of another number of input channels is transferred by :func:`transfer_stem`.

    Args:
        backbone: a 2-D network.
        checkpoint: a path, a URL or ``torchvision://resnet50``.

    Raises:
        ValueError: if nothing matches, or a matching name has another shape; what matched is reported.
    """
    loaded = _load_checkpoint(checkpoint, map_location='cpu')
    source = {_canonical(name): value for name, value in loaded.get('state_dict', loaded).items()}
    target = {_unwrapped(name): value for name, value in backbone.state_dict().items()}
    stem = next((_unwrapped(f'{n}.weight') for n, m in backbone.named_modules() if isinstance(m, nn.Conv2d)), None)
    matched = [name for name in target if name in source]
    if not matched:
        raise ValueError(
            f'checkpoint {checkpoint!r} matches nothing of {type(backbone).__name__}: it has names like '
            f'{sorted(source)[:3]}, the backbone has {sorted(target)[:3]}'
        )
    for name in matched:
        value = source[name]
        if name == stem and value.shape[1] != target[name].shape[1]:
            value = transfer_stem(value, target[name].shape[1])
        if value.shape != target[name].shape:
            raise ValueError(
                f'checkpoint {checkpoint!r}: {name} has shape {tuple(value.shape)}, '
                f'the backbone wants {tuple(target[name].shape)}'
            )
        target[name].copy_(value)
    _report(checkpoint, source, target, matched)


def _report(checkpoint: str, source: Dict[str, Any], target: Dict[str, Any], matched: List[str]) -> None:
    missing = [name for name in target if name not in source and not name.endswith('num_batches_tracked')]
    unexpected = [name for name in source if name not in target]
    print_log(
        f'{checkpoint}: {len(matched)} matched, {len(missing)} missing {missing[:4]}, '
        f'{len(unexpected)} unexpected {unexpected[:4]}',
        logger='current',
    )


def _canonical(name: str) -> str:
    name = _unwrapped(re.sub(r'^(module\.)?(backbone\.)?', '', name))
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _unwrapped(name: str) -> str:
    return name.replace('.net.', '.').replace('.block.', '.')
