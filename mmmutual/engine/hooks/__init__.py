"""Hooks: exact checkpoints, logs without waiting for the device, checks before training, the base of methods' hooks."""

from .average_batch_norm_hook import AverageBatchNormHook
from .consistency_hook import ConsistencyHook
from .deferred_log_hook import DeferredRuntimeInfoHook
from .exact_checkpoint_hook import ExactCheckpointHook
from .method_hook import MethodHook

__all__ = ['AverageBatchNormHook', 'ConsistencyHook', 'DeferredRuntimeInfoHook', 'ExactCheckpointHook', 'MethodHook']
