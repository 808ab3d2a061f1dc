"""All losses of all branches in one backward and one step."""

from typing import Any, Iterator, List, Optional

from mmengine.model import BaseModel

from mmmutual.registry import MODELS

from ..update import Update
from .base_schedule import UpdateSchedule


@MODELS.register_module()
class JointSchedule(UpdateSchedule):
    """One update: the model's own joint losses. The schedule of MML and of every plain network."""

    plain = True

    def updates(self, model: BaseModel, inputs: dict, data_samples: Optional[List[Any]]) -> Iterator[Update]:
        """Yield the model's joint update."""
        yield model.joint_update(inputs, data_samples)
