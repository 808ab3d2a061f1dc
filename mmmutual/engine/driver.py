"""The one driver of all update schedules (docs/en/design.md, "update schedules").

A schedule is a generator of :class:`~mmmutual.engine.update.Update`. For each the driver does: autocast forward up to
the yield; backward; average the gradients over processes; unscale; modulators; clip; step; clear every gradient. The
same code runs in one process and in many: only ``average`` and ``source`` differ.
"""

from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from .micro_batch import split_batch
from .optim_wrapper import MutualOptimWrapper
from .update import Update, UpdateStep, join_outputs

Source = Callable[[Any, bool], Iterator[Update]]


def drive(
    model: BaseModel,
    data: Any,
    optim_wrapper: Any,
    average: Optional[Callable[[str, List[nn.Parameter]], None]] = None,
    source: Optional[Source] = None,
) -> Dict[str, Tensor]:
    """Run one iteration of the model's schedule.

    Args:
        model: a task model with ``updates(**batch)`` (a generator) and ``modulators``.
        data: a collated batch, not yet preprocessed.
        optim_wrapper: a :class:`MutualOptimWrapper`, or an OptimWrapperDict of them.
        average: averages the gradients of the named update's parameters over processes, in place; None: one process.
        source: makes the generator of a micro-batch, given the batch and whether it is the last one; None: the
            model's own schedule.

    Returns:
        Scalars to log, as detached tensors on the device: nothing is read back here.

    Raises:
        TypeError: if the optim wrapper is not ours.
        ValueError: if accumulation is asked of a loss that is not a mean over samples.
        RuntimeError: if a schedule yields different updates for the micro-batches of one batch.
    """
    wrappers = _wrappers(optim_wrapper)
    first = next(iter(wrappers.values()))
    trainable = _trainable(model.parameters())
    device_type = trainable[0].device.type if trainable else 'cpu'
    if source is None:
        source = _from_model(model)

    batch = model.data_preprocessor(data, True)
    chunks = split_batch(batch, first.accumulative_counts)
    generators = [source(chunk, i == len(chunks) - 1) for i, (_, chunk) in enumerate(chunks)]
    shares = [share for share, _ in chunks]
    del data, batch, chunks

    logs: Dict[str, Tensor] = {}
    kept: Dict[str, Dict[nn.Parameter, Tensor]] = {}
    while True:
        updates = []
        for share, generator in zip(shares, generators):
            with first.autocast(device_type):
                update = next(generator, None)
            updates.append(update)
            if update is not None:
                _check_splittable(update, len(generators))
                wrapper = _pick(wrappers, update.optimizer)
                _add_logs(logs, update, share, _backward(model, update, share, wrapper))
        if all(update is None for update in updates):
            return logs
        _check_same(updates)
        update = updates[0]
        wrapper = _pick(wrappers, update.optimizer)
        params = trainable if update.params is None else _trainable(update.params)
        if average is not None:
            average(update.name, params)
        wrapper.unscale(params)
        step = UpdateStep(update.name, model, params, join_outputs(updates), kept, {})
        with torch.no_grad():
            for modulator in model.modulators:
                modulator(step)
        if update.step:
            step.logs.update(wrapper.step())
        else:
            kept[update.name] = {p: p.grad for p in params if p.grad is not None}
        logs.update({_log_name(update, name): value for name, value in step.logs.items()})
        for p in model.parameters():
            p.grad = None


def _from_model(model: BaseModel) -> Source:
    return lambda chunk, last: model.updates(**chunk)


def _backward(model: BaseModel, update: Update, share: float, wrapper: MutualOptimWrapper) -> Dict[str, Tensor]:
    loss, values = model.parse_losses(update.losses)
    inputs = None if update.params is None else _trainable(update.params)
    if loss.requires_grad and inputs != []:
        wrapper.backward(loss if share == 1 else loss * share, inputs=inputs, retain_graph=update.retain_graph)
    return values


def _trainable(params: Iterable[nn.Parameter]) -> List[nn.Parameter]:
    return [p for p in params if p.requires_grad]


def _add_logs(logs: Dict[str, Tensor], update: Update, share: float, values: Dict[str, Tensor]) -> None:
    for name, value in values.items():
        name, value = _log_name(update, name), value.detach() * share
        logs[name] = logs[name] + value if name in logs else value


def _log_name(update: Update, name: str) -> str:
    return f'{update.name}.{name}' if update.name else name


def _check_splittable(update: Update, parts: int) -> None:
    if parts > 1 and not update.batch_mean:
        raise ValueError(
            f'optim_wrapper.accumulative_counts > 1 splits the batch, but the losses {sorted(update.losses)} of update '
            f'{update.name!r} are not all means over samples. Set accumulative_counts=1; or, if every loss is such a '
            'mean, give its class the attribute batch_mean = True, or yield Update(..., batch_mean=True).'
        )


def _check_same(updates: List[Optional[Update]]) -> None:
    names = [None if update is None else (update.name, update.step, update.optimizer) for update in updates]
    if any(name != names[0] for name in names):
        raise RuntimeError(f'the schedule yields different updates for the micro-batches of one batch: {names}')


def _wrappers(optim_wrapper: Any) -> Dict[Optional[str], MutualOptimWrapper]:
    named: Dict[Optional[str], Any] = (
        dict(optim_wrapper.items()) if isinstance(optim_wrapper, OptimWrapperDict) else {None: optim_wrapper}
    )
    for name, wrapper in named.items():
        if not isinstance(wrapper, MutualOptimWrapper):
            where = 'optim_wrapper' if name is None else f'optim_wrapper.{name}'
            raise TypeError(
                f'{where} is a {type(wrapper).__name__}, but update schedules and gradient modulators need '
                "type='MutualOptimWrapper' ('mmmutual.MutualOptimWrapper' from another scope)"
            )
    if len({(w.amp_dtype, w.accumulative_counts) for w in named.values()}) > 1:
        raise ValueError('all optim wrappers of a model need the same amp_dtype and the same accumulative_counts')
    return named


def _pick(wrappers: Dict[Optional[str], MutualOptimWrapper], name: Optional[str]) -> MutualOptimWrapper:
    if name not in wrappers:
        known: Tuple[Any, ...] = tuple(wrappers)
        raise ValueError(f'an update wants the optimiser {name!r}, but optim_wrapper has {known}')
    return wrappers[name]
