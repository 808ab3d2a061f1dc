"""What the golden tests of MML need to know of the original: its names, its weight fill, its arguments."""

import zlib
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import torch

from mmmutual.registry import MODELS
from mmmutual.utils.branch_state import branch_state
from mmmutual.utils.checkpoint_names import branch_names

# spec/mml.md 2.3: channels that the loader delivers per segment, and channels into the stem
LOADED = dict(RGB=3, Flow=10, RGBDiff=18)
STEM = dict(RGB=3, Flow=10, RGBDiff=15)
WIDTH = dict(resnet18=512, resnet34=512, resnet50=2048, resnet101=2048, resnet152=2048, mobilenetv2=1280)


def our_name(original: str) -> str:
    """Name inside one of our branches (spec/mml.md 3.4)."""
    return branch_names([original])[original]


def filled(key: str, shape: Sequence[int], prefix: str = '') -> np.ndarray:
    """The weight fill of the golden README."""
    rng = np.random.RandomState(zlib.crc32((prefix + key).encode()) % 2**32)
    v = rng.standard_normal(shape).astype('float32')
    if len(shape) >= 2:
        return v / np.sqrt(np.prod(shape[1:])).astype('float32')
    if key.endswith('running_var'):
        return 1 + 0.1 * np.abs(v)
    return 1 + 0.1 * v if key.endswith('weight') else 0.1 * v


def checkpoint(shapes: Dict[str, Sequence[int]], prefix: str = '') -> dict:
    """A checkpoint of the original's network of these keys, as the original saves it."""
    state = {
        f'module.{key}': torch.zeros(shape, dtype=torch.int64)
        if key.endswith('num_batches_tracked')
        else torch.from_numpy(filled(key, shape, prefix))
        for key, shape in shapes.items()
    }
    return dict(epoch=3, arch='resnet', state_dict=state, optimizer=dict(state={}, param_groups=[]), best_prec1=50.0)


def fill_branch(branch: torch.nn.Module, shapes: Dict[str, Sequence[int]], prefix: str = '') -> None:
    """Fill one of our branches as the original network of these keys was filled."""
    missing, unexpected = branch.load_state_dict(branch_state(checkpoint(shapes, prefix), 'golden'), strict=False)
    assert not unexpected, unexpected
    assert all(name.endswith('num_batches_tracked') for name in missing), missing


def branch_cfg(
    modality: str,
    arch: str,
    num_classes: int,
    num_segments: int,
    shift: bool = True,
    dropout: float = 0.0,
    input: Optional[str] = None,
    partial_bn: bool = False,
    non_local: bool = False,
    **tsm: Any,
) -> dict:
    """Config of the branch that is the original's network of these arguments."""
    if arch == 'mobilenetv2':
        tsm = {name: tsm[name] for name in tsm if name == 'shift_div'}  # the others are those of ResNets
        backbone = dict(type='mmmutual.MobileNetV2TSM', num_segments=num_segments, is_shift=shift, **tsm)
        return _branch(
            input or modality.lower(), dict(backbone, in_channels=STEM[modality]), arch, num_classes, dropout
        )
    backbone = dict(depth=int(arch[len('resnet') :]), in_channels=STEM[modality], partial_bn=partial_bn)
    if shift:
        backbone.update(type='mmmutual.ResNetTSM', num_segments=num_segments, **tsm)
        if non_local:
            backbone.update(
                non_local=((0, 0, 0, 0), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 0, 0)),
                non_local_cfg=dict(
                    sub_sample=True, use_scale=False, norm_cfg=dict(type='BN3d'), mode='embedded_gaussian'
                ),
            )
    else:
        backbone.update(type='mmaction.ResNet')
    return _branch(input or modality.lower(), backbone, arch, num_classes, dropout)


def _branch(input: str, backbone: dict, arch: str, num_classes: int, dropout: float) -> dict:
    return dict(
        input=input,
        encoder=dict(type='mmmutual.FrameEncoder', backbone=backbone),
        head=dict(type='mmmutual.LinearHead', num_classes=num_classes, in_channels=WIDTH[arch], dropout_ratio=dropout),
    )


def classifier(branches: Dict[str, dict]) -> torch.nn.Module:
    """An MML model whose inputs are already normalised, except for the differences of RGBDiff."""
    inputs = {
        cfg['input']: dict(type='mmmutual.FrameDifference', std=1.0)
        for cfg in branches.values()
        if cfg['encoder']['backbone']['in_channels'] == STEM['RGBDiff']
    }
    return MODELS.build(
        dict(
            type='mmmutual.MultiModalClassifier',
            branches=branches,
            losses=dict(cls=dict(type='mmmutual.BranchCrossEntropy'), mutual=dict(type='mmmutual.MutualKLLoss')),
            data_preprocessor=dict(type='mmmutual.MultiModalDataPreprocessor', inputs=inputs),
        )
    )


def random_input(seed: int, shape: Sequence[int]) -> np.ndarray:
    """Inputs are not stored, but drawn."""
    return np.random.RandomState(seed).standard_normal(shape).astype('float32')


def split_input(x: np.ndarray, modalities: List[str], num_segments: int) -> List[torch.Tensor]:
    """(B, T * sum of channels, H, W), modalities in list order inside each segment, to one (B, T, ch, H, W) each."""
    clips = torch.from_numpy(x).unflatten(1, (num_segments, -1))
    return [part.contiguous() for part in clips.split([LOADED[m] for m in modalities], dim=2)]


def relative_error(ours: Any, golden: np.ndarray) -> float:
    """max |a - b| / max |b| over the array, as the golden README says."""
    ours = np.asarray(ours.detach() if isinstance(ours, torch.Tensor) else ours, dtype=np.float64)
    golden = np.asarray(golden, dtype=np.float64)
    assert ours.shape == golden.shape, (ours.shape, golden.shape)
    return float(np.abs(ours - golden).max() / max(np.abs(golden).max(), 1e-12))
