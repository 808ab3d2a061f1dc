"""Toy methods of every kind that the engine must carry, and a Runner that trains them in a fraction of a second.

``joint`` is like OGM (one backward, a modulator that uses the forward's outputs), ``alternating`` like MLA (a shared
head, encoder m's forward after the step of m - 1, the head's gradient projected by a running matrix), ``inner`` like
CMG (inner steps of a side net with an optimiser of its own), ``two_losses`` like MMPareto (two backwards of one
forward, combined nonlinearly).
"""

import itertools
import os
import signal
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import mmengine
import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from mmmutual.engine import Update, UpdateSchedule, UpdateStep
from mmmutual.models.base_model import MutualModel
from mmmutual.registry import DATASETS, HOOKS, METRICS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mmmutual.structures import MultiModalDataSample
from mmmutual.structures.multimodal_data_sample import stack_labels
from mmmutual.utils.seeding import seeded

WIDTH, HIDDEN, FEATURES, CLASSES = 6, 8, 5, 3
BRANCHES = ('a', 'v')
RUNS = itertools.count()


@DATASETS.register_module()
class ToyPairs(torch.utils.data.Dataset):
    """Samples with inputs ``a`` and ``v`` (6,), augmented by noise that depends on seed, epoch and index only.

    Args:
        size: number of samples.
        noise: its standard deviation.
        without_v: indices of the samples that lack ``v``.
    """

    metainfo = dict(classes=('x', 'y', 'z'))

    def __init__(self, size: int = 24, dtype: str = 'float64', noise: float = 0.0, without_v: tuple = ()) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(size, 2, WIDTH, generator=generator).to(getattr(torch, dtype))
        self.y = torch.randint(0, CLASSES, (size,), generator=generator)
        self.noise, self.without_v = noise, set(without_v)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict:
        with seeded(getattr(index, 'seed', 0), getattr(index, 'epoch', 0), index):
            x = self.x[index] + self.noise * torch.randn(2, WIDTH).to(self.x)
        available = ('a',) if int(index) in self.without_v else BRANCHES
        sample = MultiModalDataSample(metainfo=dict(sample_idx=int(index), available=available))
        return dict(inputs=dict(a=x[0], v=x[1]), data_samples=sample.set_gt_label(self.y[index]))


@MODELS.register_module()
class ToyModel(MutualModel):
    """An encoder per branch, a shared head, and a side net where asked for."""

    def __init__(self, dtype: str = 'float64', dropout: float = 0.0, side: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoders = nn.ModuleDict({name: encoder(dropout) for name in BRANCHES})
        self.head = nn.Linear(FEATURES, CLASSES)
        if side:
            self.side = nn.Linear(FEATURES, FEATURES)
        self.to(getattr(torch, dtype))

    def parameter_branches(self) -> Dict[str, nn.Module]:
        side = dict(side=self.side) if hasattr(self, 'side') else {}
        return dict(self.encoders, **side)

    def features(self, inputs: dict, data_samples: List[MultiModalDataSample], name: str) -> Tensor:
        """Features (B, 5), zero for the samples that lack the input; no forward if all of them do."""
        x = inputs[name]
        has = [name in sample.available for sample in data_samples]
        if not any(has):
            return x.new_zeros(len(x), FEATURES)
        return self.encoders[name](x) * torch.tensor(has, dtype=x.dtype)[:, None]

    def joint_update(self, inputs: dict, data_samples: List[Any]) -> Update:
        labels = stack_labels(data_samples)
        features = {name: self.features(inputs, data_samples, name) for name in self.encoders}
        outputs = {name: self.head(f).detach() for name, f in features.items()}
        fused = self.head(sum(features.values()))
        return Update(dict(loss=F.cross_entropy(fused, labels)), outputs=dict(outputs, labels=labels), batch_mean=True)

    def tensor(self, inputs: dict, data_samples: Optional[List[Any]]) -> Tensor:
        return self.head(sum(self.features(inputs, data_samples, name) for name in self.encoders))

    def predict(self, inputs: dict, data_samples: List[MultiModalDataSample]) -> List[MultiModalDataSample]:
        torch.rand(3)  # a model that samples at test time must not change the training after it
        for sample, logits in zip(data_samples, self.tensor(inputs, data_samples)):
            sample.set_prediction({}, logits)
        return data_samples


def encoder(dropout: float) -> nn.Module:
    return nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.Tanh(), nn.Dropout(dropout), nn.Linear(HIDDEN, FEATURES))


@MODELS.register_module()
class ToyAlternating(UpdateSchedule):
    def updates(self, model, inputs, data_samples):
        labels = stack_labels(data_samples)
        for name in model.encoders:
            features = model.features(inputs, data_samples, name)
            loss = F.cross_entropy(model.head(features), labels)
            yield Update(dict(loss=loss), name=name, outputs=dict(features=features.detach()), batch_mean=True)


@MODELS.register_module()
class ToyInner(UpdateSchedule):
    def updates(self, model, inputs, data_samples):
        labels = stack_labels(data_samples)
        a, v = (model.features(inputs, data_samples, name) for name in model.encoders)
        side = list(model.side.parameters())
        for step in range(2):
            fit = F.mse_loss(model.side(a.detach()), v.detach())
            yield Update(dict(loss=fit), name=f'side{step}', params=side, optimizer='side', batch_mean=True)
        # the side net is in this graph too, and must not be trained by it
        main = [p for p in model.parameters() if all(p is not q for q in side)]
        losses = dict(loss_cls=F.cross_entropy(model.head(a + v), labels), loss_side=F.mse_loss(model.side(a), v))
        yield Update(losses, name='main', params=main, optimizer='main', batch_mean=True)


@MODELS.register_module()
class ToyTwoLosses(UpdateSchedule):
    def updates(self, model, inputs, data_samples):
        labels = stack_labels(data_samples)
        a, v = (model.features(inputs, data_samples, name) for name in model.encoders)
        yield Update(dict(loss=F.cross_entropy(model.head(a), labels)), name='uni', step=False, batch_mean=True)
        yield Update(dict(loss=F.cross_entropy(model.head(a + v), labels)), name='multi', batch_mean=True)


@MODELS.register_module()
class ToyOGM(nn.Module):
    """Slows the branch that is ahead down, by the scores of the whole batch."""

    def forward(self, step: UpdateStep) -> None:
        labels = step.outputs['labels'][:, None]
        scores = torch.stack([step.outputs[name].softmax(1).gather(1, labels).sum() for name in BRANCHES])
        all_reduce(scores)
        ratios = scores / scores.flip(0)
        for name, ratio in zip(BRANCHES, ratios):
            coefficient = 1 - torch.tanh(3 * F.relu(ratio - 1))
            step.logs[f'{name}.coefficient'] = coefficient
            for p in step.model.encoders[name].parameters():
                if p.grad is not None:
                    p.grad *= coefficient


@MODELS.register_module()
class ToyHeadProjection(nn.Module):
    """Projects the head's gradient away from the mean features seen so far (recursive least squares)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('P', torch.eye(FEATURES))

    def forward(self, step: UpdateStep) -> None:
        mean = step.outputs['features'].mean(0)
        all_reduce(mean, op='mean')
        step.model.head.weight.grad = step.model.head.weight.grad @ self.P
        k = self.P @ mean
        self.P -= torch.outer(k, k) / (1 + mean @ k)


@MODELS.register_module()
class ToyCombine(nn.Module):
    """Adds the kept gradient where the two agree."""

    def forward(self, step: UpdateStep) -> None:
        if step.name == 'multi':
            for p, kept in step.kept['uni'].items():
                if p.grad is None:
                    p.grad = kept
                else:
                    p.grad = torch.where(kept * p.grad > 0, kept + p.grad, p.grad)


@HOOKS.register_module()
class ToyRecorder(Hook):
    """Writes each iteration's logged values to a file, bit by bit, and kills its process where asked to."""

    priority = 'LOWEST'

    def __init__(self, kill_before: Optional[int] = None) -> None:
        self.kill_before = kill_before

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.kill_before:
            os.kill(os.getpid(), signal.SIGKILL)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        values = {name: float(value).hex() for name, value in outputs.items()}
        samples = [sample.sample_idx for sample in data_batch['data_samples']]
        with open(Path(runner.work_dir, f'record_{get_rank()}.txt'), 'a') as f:
            f.write(f'{(runner.iter, batch_idx, samples, values)}\n')


def recorded(work_dir: Any, rank: int = 0) -> List[str]:
    """The lines of a :class:`ToyRecorder`, one per iteration."""
    return Path(work_dir, f'record_{rank}.txt').read_text().splitlines()


@METRICS.register_module()
class ToyAccuracy(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += [float(sample['pred_label'] == sample['gt_label']) for sample in data_samples]

    def compute_metrics(self, results):
        return dict(top1=sum(results) / len(results))


def models(method: str) -> dict:
    """Schedule and modulators of a method."""
    return dict(
        joint=dict(modulators=[dict(type='ToyOGM')]),
        alternating=dict(schedule=dict(type='ToyAlternating'), modulators=[dict(type='ToyHeadProjection')]),
        inner=dict(schedule=dict(type='ToyInner'), side=True),
        two_losses=dict(schedule=dict(type='ToyTwoLosses'), modulators=[dict(type='ToyCombine')]),
        plain=dict(),
    )[method]


METHODS = ('joint', 'alternating', 'inner', 'two_losses')


def build(method: str, **kwargs: Any) -> ToyModel:
    """A toy model with weights from seed 0."""
    torch.manual_seed(0)
    return MODELS.build(dict(type='ToyModel', **models(method), **kwargs))


def optim_config(method: str, accumulative_counts: int = 1, amp_dtype: Optional[str] = None) -> dict:
    """SGD with momentum, weight decay and clipping by branch; a side net has a smaller norm and Adam of its own."""
    common = dict(accumulative_counts=accumulative_counts, amp_dtype=amp_dtype)
    main = dict(
        optimizer=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=0.01),
        clip_grad=dict(max_norm=0.1),
        paramwise_cfg=dict(branches=dict(v=dict(lr_mult=0.5))),
        **common,
    )
    if method != 'inner':
        return dict(main, constructor='BranchOptimWrapperConstructor')
    side = dict(modules=['side'], optimizer=dict(type='Adam', lr=0.02), clip_grad=dict(max_norm=0.05), **common)
    return dict(constructor='MultiOptimWrapperConstructor', main=main, side=side)


def optim_wrapper(method: str, model: ToyModel, **kwargs: Any) -> OptimWrapper:
    """The optim wrapper (or dict of them) of :func:`optim_config` for a model."""
    cfg = optim_config(method, **kwargs)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.get(cfg.pop('constructor'))
    return constructor(cfg, cfg.pop('paramwise_cfg', None))(model)


def config(
    method: str,
    work_dir: Any,
    epochs: int = 2,
    batch: int = 8,
    sampler: str = 'ResumableSampler',
    shuffle: bool = True,
    seed: Optional[int] = 1,
    model: Optional[dict] = None,
    optim: Optional[dict] = None,
    wrapper: Optional[dict] = None,
    dataset: Optional[dict] = None,
    loader: Optional[dict] = None,
    checkpoint: Optional[dict] = None,
    hooks: Sequence[dict] = (),
    validate: bool = False,
    kill_before: Optional[int] = None,
    **more: Any,
) -> dict:
    """A Runner's config; ``batch`` is that of all processes together. Trains 3 iterations per epoch by default."""
    dataset = dict(type='ToyPairs', **(dataset or {}))
    collate = dict(type='default_collate')
    schedulers = [dict(type='MultiStepLR', milestones=[1], gamma=0.5)]
    cfg = dict(
        default_scope='mmmutual',
        experiment_name=f'toy_{next(RUNS)}',  # mmengine keeps log and message hub by name
        work_dir=str(work_dir),
        launcher='pytorch' if torch.distributed.is_initialized() else 'none',
        model=dict(type='ToyModel', **models(method), **(model or {})),
        model_wrapper_cfg=dict(type='mmmutual.MutualDistributedDataParallel', **(wrapper or {})),
        optim_wrapper=optim_config(method, **(optim or {})),
        param_scheduler=dict(main=schedulers, side=schedulers) if method == 'inner' else schedulers,
        train_dataloader=dict(
            batch_size=batch // get_world_size(),
            dataset=dataset,
            sampler=dict(type=sampler, shuffle=shuffle),
            collate_fn=collate,
            **(loader or dict(num_workers=0)),
        ),
        train_cfg=dict(type='ResumableTrainLoop', max_epochs=epochs),
        default_hooks=dict(
            runtime_info=dict(type='DeferredRuntimeInfoHook'),
            checkpoint=dict(type='ExactCheckpointHook', **(checkpoint or dict(interval=-1, save_last=False))),
        ),
        custom_hooks=[dict(type='ToyRecorder', kill_before=kill_before), *hooks],
        randomness=dict(seed=seed),
        log_level='ERROR',
    )
    if validate:
        in_order = dict(type='DefaultSampler', shuffle=False)
        cfg.update(
            val_dataloader=dict(batch_size=4, num_workers=0, dataset=dataset, sampler=in_order, collate_fn=collate),
            val_cfg=dict(),
            val_evaluator=dict(type='ToyAccuracy'),
        )
    cfg.update(more)
    return cfg


def run(*args: Any, **kwargs: Any) -> Runner:
    """Train by a Runner, in a process of its own (the Runner changes global settings)."""
    # Most of the time of so small a run: pretty-printing the config, and asking compilers for their versions.
    mmengine.config.config.FormatCode = lambda code, **kwargs: (code, True)
    mmengine.runner.runner.collect_env = dict
    runner = Runner.from_cfg(config(*args, **kwargs))
    runner.train()
    return runner


def state(runner: Runner) -> Dict[str, Tensor]:
    """State of the unwrapped model."""
    model = getattr(runner.model, 'module', runner.model)
    return {name: value.clone() for name, value in model.state_dict().items()}
