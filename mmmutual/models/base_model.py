"""The base of every task model: batches in, an update schedule and modulators for training, predictions out."""

from typing import Any, Dict, Iterator, List, Optional, Sequence, Union

from mmengine.model import BaseModel
from torch import Tensor, nn

from mmmutual.engine import Update, drive
from mmmutual.engine.optim_wrapper import MutualOptimWrapper
from mmmutual.registry import MODELS

MODES = ('tensor', 'loss', 'predict', 'update')


class MutualModel(BaseModel):
    """A task model whose training is composed: losses, an update schedule, gradient modulators.

    Subclasses define :meth:`joint_update`, :meth:`predict` and :meth:`tensor`.

    Args:
        data_preprocessor (dict): makes device tensors of a collated batch.
        schedule (dict): an :class:`~mmmutual.engine.UpdateSchedule`.
        modulators (Sequence[dict]): edit gradients between backward and step, in this order.
        init_cfg (dict, optional): of mmengine's BaseModule.
    """

    def __init__(
        self,
        data_preprocessor: Optional[dict] = None,
        schedule: Optional[dict] = None,
        modulators: Sequence[dict] = (),
        init_cfg: Optional[Union[dict, list]] = None,
    ) -> None:
        if isinstance(data_preprocessor, dict):  # by our registry: plain names are found without a default scope too
            data_preprocessor = MODELS.build(data_preprocessor)
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.schedule = MODELS.build(schedule or dict(type='mmmutual.JointSchedule'))
        self.modulators = nn.ModuleList(MODELS.build(cfg) for cfg in modulators)

    def joint_update(self, inputs: dict, data_samples: List[Any]) -> Update:
        """All losses of one batch as a single update."""
        raise NotImplementedError(f'{type(self).__name__} must define joint_update()')

    def predict(self, inputs: dict, data_samples: Optional[List[Any]]) -> List[Any]:
        """Data samples with predictions."""
        raise NotImplementedError(f'{type(self).__name__} must define predict()')

    def tensor(self, inputs: dict, data_samples: Optional[List[Any]]) -> Any:
        """Raw outputs."""
        raise NotImplementedError(f'{type(self).__name__} must define tensor()')

    def updates(self, inputs: dict, data_samples: Optional[List[Any]] = None) -> Iterator[Update]:
        """The schedule's generator over one preprocessed batch."""
        return self.schedule.updates(self, inputs, data_samples)

    def forward(self, inputs: dict, data_samples: Optional[List[Any]] = None, mode: str = 'tensor') -> Any:
        """Run the model.

        Args:
            inputs: input name -> tensor (B, ...), preprocessed.
            data_samples: B samples.
            mode: 'tensor', 'loss' or 'predict' as of mmengine; 'update' is the engine's own.

        Raises:
            RuntimeError: in mode 'loss' if the schedule or the modulators would not take effect.
            ValueError: for another mode.
        """
        if mode == 'tensor':
            return self.tensor(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'update':
            return self._only_update(inputs, data_samples)
        if mode == 'loss':
            self._refuse_if_composed('this model was called for its losses only, by a foreign model wrapper or by hand')
            return self._only_update(inputs, data_samples).losses
        raise ValueError(f'mode must be one of {MODES}, got {mode!r}')

    def train_step(self, data: Any, optim_wrapper: Any) -> Dict[str, Tensor]:
        """One iteration; returns scalars to log.

        Under a stock optim wrapper a plain joint model is trained as mmengine trains any model (gradients clipped by
        one norm over all branches).

        Raises:
            RuntimeError: under a stock optim wrapper, if the schedule or the modulators would not take effect.
        """
        single = next(iter(optim_wrapper.values())) if hasattr(optim_wrapper, 'values') else optim_wrapper
        if isinstance(single, MutualOptimWrapper):
            return drive(self, data, optim_wrapper)
        self._refuse_if_composed(f'optim_wrapper is a {type(single).__name__}')
        return super().train_step(data, optim_wrapper)

    def _only_update(self, inputs: dict, data_samples: List[Any]) -> Update:
        """What a plain schedule yields."""
        updates = self.updates(inputs, data_samples)
        update = next(updates)
        if next(updates, None) is not None:
            raise RuntimeError(f'{type(self.schedule).__name__} says that it is plain, but yields a second update')
        return update

    def _refuse_if_composed(self, why: str) -> None:
        if not self.schedule.plain or len(self.modulators) > 0:
            parts = [type(self.schedule).__name__] + [type(m).__name__ for m in self.modulators]
            raise RuntimeError(
                f'{why}, so that {", ".join(parts)} would silently do nothing. Set '
                "model_wrapper_cfg=dict(type='mmmutual.MutualDistributedDataParallel') and "
                "optim_wrapper.type='mmmutual.MutualOptimWrapper' (configs/_base_/default_runtime.py and "
                'configs/_base_/schedules do).'
            )
