"""What a process reads in training."""

import torch.distributed as dist

from mmmutual.utils.replicas import Replica, get_replica, set_replica

from ..helpers import run_alone, run_distributed


def set_and_get():
    assert get_replica() is None
    set_replica(Replica(1, 2, ('rgb',)))
    found = get_replica()
    set_replica(None)
    assert get_replica() is None
    return found, dist.is_initialized()


def test_share_of_a_process_in_a_group():
    for found, _ in run_distributed(set_and_get, 2):
        assert found == Replica(index=1, count=2, inputs=('rgb',))


def test_one_process_reads_everything_whatever_was_set_before():
    assert run_alone(set_and_get) == (None, False)
