"""The contract of update schedules."""

from typing import Any, Iterator, List, Optional

from mmengine.model import BaseModel, BaseModule

from ..update import Update


class UpdateSchedule(BaseModule):
    """A generator of updates over one batch.

    The driver resumes the generator after each update has been stepped, so what follows a ``yield`` sees the new
    parameters, and a forward that stands after it is held in memory only from then on. State that lives across
    iterations belongs into registered buffers: checkpoints, resume and DDP then see it.

    Attributes:
        plain (bool): True only if it yields exactly one update, which trains everything by one backward: such a
            schedule may go through DDP's own forward.
    """

    plain = False

    def updates(self, model: BaseModel, inputs: dict, data_samples: Optional[List[Any]]) -> Iterator[Update]:
        """Yield the updates of one (micro-)batch.

        Args:
            model: the task model, never wrapped.
            inputs: input name -> tensor (B, ...) or dict of such.
            data_samples: B samples.
        """
        raise NotImplementedError(f'{type(self).__name__} must define updates()')
