"""Which part of each batch this process reads: its share among those that hold different samples.

In data-parallel training that is one share per process. Where several processes hold one peer each of the same samples
(:class:`mmmutual.engine.PeerParallel`), they read the same share, and perhaps only the inputs of their own peer.
"""

from typing import NamedTuple, Optional, Tuple

from mmengine.dist import is_distributed


class Replica(NamedTuple):
    """Share ``index`` of ``count``; ``inputs``: names of the inputs that this process needs, None: all."""

    index: int
    count: int
    inputs: Optional[Tuple[str, ...]] = None


_replica: Optional[Replica] = None


def set_replica(replica: Optional[Replica]) -> None:
    """Say what this process reads in training; None: a share of its own, all inputs. Model wrappers do."""
    global _replica
    _replica = replica


def get_replica() -> Optional[Replica]:
    """What this process reads in training; None: a share of its own, all inputs."""
    return _replica if is_distributed() else None
