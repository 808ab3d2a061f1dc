"""Mistakes that can be known before training are told before training."""

from typing import Any, Dict

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from mmmutual.registry import HOOKS
from mmmutual.utils.seeding import seeded

from .checkpoint_match import report_match


@HOOKS.register_module()
class ConsistencyHook(Hook):
    """Compare what the model reads with what the data sets give, and its weights with those of a checkpoint.

    A data set tells its ``input_names`` and ``num_classes``, a model its ``input_names`` and ``num_classes``; what
    either does not tell is not compared. A data set with ``check_media`` is asked, a model with ``check_inputs`` is
    shown the first sample of every data set, a model wrapper with ``check_loader`` every loader.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Any) -> None:
        """Check every loader that is already built.

        Raises:
            ValueError: naming the model's and the data set's values, or a loader that gives no batch.
            FileNotFoundError: from a data set with ``check_media``.
        """
        model = _task_model(runner)
        for loop_name in ('train', 'val', 'test'):
            loop = getattr(runner, f'_{loop_name}_loop')
            dataloader = getattr(loop, 'dataloader', None)
            dataset = getattr(dataloader, 'dataset', None)
            if dataset is None:
                continue
            _refuse_no_batch(dataloader, f'{loop_name}_dataloader')
            if hasattr(runner.model, 'check_loader'):
                runner.model.check_loader(dataloader, f'{loop_name}_dataloader')
            check(model, dataset, f'{loop_name}_dataloader.dataset')
            if hasattr(dataset, 'check_media'):
                dataset.check_media()
            if hasattr(model, 'check_inputs'):
                show_first_sample(model, dataloader)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Report what of the checkpoint matches.

        Raises:
            ValueError: if nothing does.
        """
        report_match(_task_model(runner), checkpoint, f'checkpoint {runner._load_from or "of " + runner.work_dir}')


def _task_model(runner: Any) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _refuse_no_batch(dataloader: Any, where: str) -> None:
    """An epoch without a step would end without a word."""
    has_length = isinstance(dataloader, DataLoader) and not isinstance(dataloader.dataset, IterableDataset)
    if has_length and len(dataloader) == 0:
        raise ValueError(
            f'{where} gives no batch: {len(dataloader.dataset)} samples, batch_size={dataloader.batch_size} for each '
            f'process, drop_last={dataloader.drop_last}. Make the batch smaller, or set drop_last=False.'
        )


def check(model: Any, dataset: Any, where: str) -> None:
    """Compare one model with one data set.

    Raises:
        ValueError: if a modality is missing from the data, or class counts differ.
    """
    wanted, given = getattr(model, 'input_names', None), getattr(dataset, 'input_names', None)
    if wanted is not None and given is not None:
        missing = [name for name in wanted if name not in given]
        if missing:
            raise ValueError(
                f'the model reads the modalities {list(wanted)}, but {where} gives only {list(given)}: '
                f'{missing} missing. Add them to {where}.modalities or remove the branches that read them.'
            )
    counts: Dict[str, Any] = {
        'model': getattr(model, 'num_classes', None),
        where: getattr(dataset, 'num_classes', None),
    }
    if None not in counts.values() and len(set(counts.values())) > 1:
        raise ValueError(f'numbers of classes differ: {counts}')


def show_first_sample(model: Any, dataloader: Any) -> None:
    """Give the model a batch of one, so that shapes which do not fit are told before training.

    Raises:
        ValueError: from ``model.check_inputs``.
    """
    if isinstance(dataloader.dataset, IterableDataset):
        return  # reading it would take the sample away
    with seeded(0), torch.no_grad():  # a run draws the same numbers with and without this hook
        batch = model.data_preprocessor(dataloader.collate_fn([dataloader.dataset[0]]), False)
    model.check_inputs(batch['inputs'])
