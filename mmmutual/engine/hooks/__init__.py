"""Hooks: exact checkpoints, logs without waiting for the device, checks before training, the base of methods' hooks."""

from .consistency_hook import ConsistencyHook
from .deferred_log_hook import DeferredRuntimeInfoHook
from .exact_checkpoint_hook import ExactCheckpointHook
from .method_hook import MethodHook
from .unify_hook import UnifyHook

__all__ = ['ConsistencyHook', 'DeferredRuntimeInfoHook', 'ExactCheckpointHook', 'MethodHook', 'UnifyHook']
