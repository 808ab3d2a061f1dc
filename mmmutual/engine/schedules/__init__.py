"""Update schedules: in which order, and for which parameters, one batch trains a model."""

from .base_schedule import UpdateSchedule
from .joint_schedule import JointSchedule

__all__ = ['JointSchedule', 'UpdateSchedule']
