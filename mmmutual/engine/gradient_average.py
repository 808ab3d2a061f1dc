"""Average gradients over processes, for the updates that DDP's own reduction can't take."""

import zlib
from typing import Iterable, Iterator, List, Optional

import torch
import torch.distributed as dist
from torch import Tensor, nn

BUCKET_BYTES = 25 * 2**20


def average_gradients(
    name: str,
    params: List[nn.Parameter],
    group: Optional[dist.ProcessGroup] = None,
    host_group: Optional[dist.ProcessGroup] = None,
) -> None:
    """Replace ``p.grad`` by its mean over processes, where any of them has one.

    A parameter that has a gradient on no process keeps ``None`` (so that momentum and weight decay leave it alone, as
    in one process); one that lacks it here only counts as zero here.

    Args:
        name: of the update, the same on every process.
        params: the same parameters in the same order on every process.
        group: the processes to average over; None: all.
        host_group: the same processes in a group whose backend takes CPU tensors, over which it is agreed who has a
            gradient, so that the device is not waited for; None: the default group, which then must be one.

    Raises:
        RuntimeError: if the processes are at different updates.
    """
    key = zlib.crc32(f'{name} {len(params)}'.encode()) // 2
    header = torch.tensor([key, -key], dtype=torch.int32)
    dist.all_reduce(header, op=dist.ReduceOp.MAX, group=host_group)
    if header[0] != -header[1]:
        raise RuntimeError(
            f'the schedule yields different updates on different processes, here {name!r}. What it yields must not '
            'depend on the samples of one process: where a modality is missing, yield its update with a loss of zero.'
        )
    has = torch.tensor([p.grad is not None for p in params], dtype=torch.int32)
    dist.all_reduce(has, op=dist.ReduceOp.MAX, group=host_group)
    has = has.tolist()
    used = [p for p, n in zip(params, has) if n]
    for p in used:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    pending = []
    for grads in _buckets(p.grad for p in used):
        flat = torch.cat([g.reshape(-1) for g in grads])
        pending.append((grads, flat, dist.all_reduce(flat, group=group, async_op=True)))
    for grads, flat, work in pending:
        work.wait()
        flat /= dist.get_world_size(group)
        for g, mean in zip(grads, flat.split([g.numel() for g in grads])):
            g.copy_(mean.view(g.shape))


def _buckets(grads: Iterable[Tensor]) -> Iterator[List[Tensor]]:
    """Consecutive gradients of one type and device, up to :data:`BUCKET_BYTES` together."""
    bucket: List[Tensor] = []
    size = 0
    for g in grads:
        same = not bucket or (bucket[0].dtype, bucket[0].device) == (g.dtype, g.device)
        if bucket and (not same or size + g.nbytes > BUCKET_BYTES):
            yield bucket
            bucket, size = [], 0
        bucket.append(g)
        size += g.nbytes
    if bucket:
        yield bucket
