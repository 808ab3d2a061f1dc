"""How long a training step takes on inputs as they are stored, and where the time goes."""

import re
import statistics
from typing import Any, Dict, NamedTuple, Optional

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from stored_inputs import shape_text, shapes_of, stored_inputs
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mmmutual.apis.model_loading import choose_device
from mmmutual.engine import MutualOptimWrapper
from mmmutual.models import MultiModalClassifier
from mmmutual.registry import MODELS
from mmmutual.structures import MultiModalDataSample

from .loader import peak_rss
from .stage_clock import StageClock

STEP = 'step'
MATMUL_SIZE = 8192


class StepSettings(NamedTuple):
    """What a step is measured with; ``None`` is what the config says."""

    batch_size: Optional[int] = None
    size: Optional[int] = None
    num_segments: Optional[int] = None
    amp: Optional[str] = None
    channels_last: bool = False
    compile: bool = False
    device: str = 'cpu'
    steps: int = 10
    warmup: int = 3


def benchmark_step(cfg: Config, settings: StepSettings) -> Dict[str, Any]:
    """Measure ``model.train_step(data, optim_wrapper)``, the path that the training loop takes.

    Returns:
        ``ms`` (median) and ``samples_per_second``; ``stages``, name -> dict of ``ms`` per step and ``share``;
        ``peak_memory_mib``, on CUDA that of the tensors; ``gflop`` of a step (2 per multiply-add of convolutions and
        matrix products) and ``gflop_per_second``; on CUDA ``bf16_gflop_per_second`` of a large matrix product, and the
        ``share_of_bf16`` that the step reaches.

    Raises:
        ValueError: settings that do not fit the config or this machine.
    """
    device = _device(settings.device)
    if device.type == 'cuda':
        torch.cuda.set_device(device.index or 0)  # events and memory are those of the current device
    batch_size = settings.batch_size or cfg.train_dataloader.batch_size
    inputs = training_inputs(cfg, settings)
    model = build_model(cfg, settings).to(device)
    if settings.channels_last:
        model.to(memory_format=torch.channels_last)
    optim_wrapper = build_wrapper(cfg, settings.amp, model)
    data = stored_batch(inputs, batch_size, model.num_classes, pin=device.type == 'cuda')
    with FlopCounterMode(display=False) as counter:
        model.train_step(data, optim_wrapper)
    if settings.compile:
        for branch in model.branches.values():
            getattr(branch.encoder, 'backbone', branch.encoder).compile()

    clock = StageClock(device)
    watch(clock, model, optim_wrapper)
    for _ in range(settings.warmup):
        model.train_step(data, optim_wrapper)
    clock.read()
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
    for _ in range(settings.steps):
        with clock.stage(STEP):
            model.train_step(data, optim_wrapper)
    spans = clock.read()

    steps = spans.pop(STEP)
    ms, total = statistics.median(steps), sum(steps)
    sums = {name: sum(times) for name, times in spans.items()}
    sums['other'] = total - sum(sums.values())
    gflop = counter.get_total_flops() / 1e9
    report = dict(
        inputs=shape_text(shapes_of(inputs)),
        batch_size=batch_size,
        device=str(device),
        amp=_singles(optim_wrapper)[0].amp_dtype,
        channels_last=settings.channels_last,
        compile=settings.compile,
        ms=ms,
        samples_per_second=1000 * batch_size / ms,
        stages={name: dict(ms=value / settings.steps, share=value / total) for name, value in sums.items()},
        peak_memory_mib=torch.cuda.max_memory_allocated(device) / 2**20 if device.type == 'cuda' else peak_rss(),
        gflop=gflop,
        gflop_per_second=1000 * gflop / ms,
    )
    if device.type == 'cuda':
        report['bf16_gflop_per_second'] = matmul_rate(device) / 1e9
        report['share_of_bf16'] = report['gflop_per_second'] / report['bf16_gflop_per_second']
    return report


def _device(name: str) -> torch.device:
    """The device of ``--device``, one whose work a clock can wait for."""
    if not re.fullmatch(r'cpu|cuda(:\d+)?', name):
        raise ValueError(f"--device must be 'cpu', 'cuda' or 'cuda:N', got {name!r}")
    return choose_device(name)


def training_inputs(cfg: Config, settings: StepSettings) -> Dict[str, Tensor]:
    """A blank sample (T, ch, H, W) of the train pipeline, its frames with the settings' T and size."""
    inputs = stored_inputs(cfg, 'train')
    for name, x in inputs.items():
        if x.dtype == torch.uint8:  # frames, not sound
            t, ch, h, w = x.shape
            inputs[name] = x.new_zeros(settings.num_segments or t, ch, settings.size or h, settings.size or w)
    return inputs


def build_model(cfg: Config, settings: StepSettings) -> MultiModalClassifier:
    """The config's model with random weights, in training mode.

    Raises:
        ValueError: it is no classifier.
    """
    if settings.num_segments is not None:
        _set_everywhere(cfg.model, 'num_segments', settings.num_segments)
    model = MODELS.build(cfg.model)
    if not isinstance(model, MultiModalClassifier):
        raise ValueError(f'model.type must be MultiModalClassifier, got {cfg.model.type!r}')
    return model.train()


def _set_everywhere(node: Any, key: str, value: int) -> None:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == key:
                node[name] = value
            _set_everywhere(child, key, value)
    elif isinstance(node, (list, tuple)):
        for child in node:
            _set_everywhere(child, key, value)


def build_wrapper(cfg: Config, amp: Optional[str], model: MultiModalClassifier) -> Any:
    """The config's optim wrapper, or several, in the precision of ``--amp``.

    Raises:
        ValueError: it is none of ours, which alone run update schedules.
    """
    parts = [part for part in cfg.optim_wrapper.values() if isinstance(part, dict) and 'optimizer' in part]
    if amp is not None:
        for part in parts or [cfg.optim_wrapper]:
            part['amp_dtype'] = None if amp == 'none' else amp
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    strange = [type(single).__name__ for single in _singles(wrapper) if not isinstance(single, MutualOptimWrapper)]
    if strange:
        raise ValueError(f'optim_wrapper must be a MutualOptimWrapper, got {strange[0]}')
    return wrapper


def _singles(wrapper: Any) -> list:
    return list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]


def stored_batch(blank: Dict[str, Tensor], batch_size: int, num_classes: int, pin: bool) -> Dict[str, Any]:
    """A collated batch of random values and labels, in pinned memory as loaders for GPUs give it."""
    inputs = {name: _random(x, batch_size) for name, x in blank.items()}
    samples = [MultiModalDataSample().set_gt_label(i % num_classes) for i in range(batch_size)]
    return dict(inputs={name: x.pin_memory() if pin else x for name, x in inputs.items()}, data_samples=samples)


def _random(blank: Tensor, batch_size: int) -> Tensor:
    """Random frames as bytes, or spectrograms, in the type of a blank sample (...), as (B, ...)."""
    values = blank.new_empty(batch_size, *blank.shape)
    return values.normal_() if values.is_floating_point() else values.random_(256)


def watch(clock: StageClock, model: MultiModalClassifier, optim_wrapper: Any) -> None:
    """Time the stages of a step: preprocessing, branches, losses, backward and the optimiser with its clipping."""
    clock.watch_module(model.data_preprocessor, 'preprocess')
    for name, branch in model.branches.items():
        clock.watch_module(branch, f'forward {name}')
    for loss in model.losses.values():
        clock.watch_module(loss, 'losses')
    for single in _singles(optim_wrapper):
        clock.watch_method(single, 'backward', 'backward')
        clock.watch_method(single, 'unscale', 'optimizer')
        clock.watch_method(single, 'step', 'optimizer')


def matmul_rate(device: torch.device, size: int = MATMUL_SIZE, repeats: int = 20) -> float:
    """FLOP per second (2 per multiply-add) of a square bfloat16 matrix product: what the chip reaches in practice."""
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    clock = StageClock(device)
    for _ in range(5):
        a @ b
    for _ in range(repeats):
        with clock.stage('matmul'):
            a @ b
    return 2 * size**3 / (statistics.median(clock.read()['matmul']) / 1000)
