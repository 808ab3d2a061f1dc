"""The engine: update schedules and their driver, the optim and model wrappers, hooks and loops.

It knows models by their interface only, and imports no floor above the ground: the base model's ``train_step`` calls
:func:`drive`.
"""

from .ddp import MutualDistributedDataParallel
from .driver import drive
from .hooks import ConsistencyHook, DeferredRuntimeInfoHook, ExactCheckpointHook, MethodHook, UnifyHook
from .loops import ResumableTrainLoop
from .optim_wrapper import MutualOptimWrapper
from .optim_wrapper_constructors import BranchOptimWrapperConstructor, MultiOptimWrapperConstructor
from .peer_parallel import PeerParallel
from .schedules import JointSchedule, UpdateSchedule
from .update import Update, UpdateStep

__all__ = [
    'BranchOptimWrapperConstructor',
    'ConsistencyHook',
    'DeferredRuntimeInfoHook',
    'ExactCheckpointHook',
    'JointSchedule',
    'MethodHook',
    'MultiOptimWrapperConstructor',
    'MutualDistributedDataParallel',
    'MutualOptimWrapper',
    'PeerParallel',
    'ResumableTrainLoop',
    'UnifyHook',
    'Update',
    'UpdateSchedule',
    'UpdateStep',
    'drive',
]
