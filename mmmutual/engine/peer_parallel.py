"""One peer per process: only logits travel between them (spec/mml.md 4.2; the paper's own way of training)."""

import zlib
from typing import Any, Dict, List, Optional

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmmutual.registry import MODEL_WRAPPERS
from mmmutual.utils.replicas import Replica, set_replica

from .ddp import MutualDistributedDataParallel
from .logit_exchange import LogitExchange
from .optim_wrapper import MutualOptimWrapper
from .unify import average_batch_norms, broadcast_weights

LOAD = ('all', 'own')


@MODEL_WRAPPERS.register_module()
class PeerParallel(MutualDistributedDataParallel):
    """Each process trains one branch on its own device; logits (B, C) are all-reduced over the branches.

    K branches on K x D processes: rank r trains branch r % K on share r // K of the samples, so that the peers of one
    sample sit on neighbouring ranks. Gradients are averaged over the D processes of a branch. The losses are the
    model's own, computed everywhere from the logits of all branches, of which only those of this process carry a
    gradient: that gradient is the one that a single process with all branches would get.

    One config line: ``model_wrapper_cfg=dict(type='mmmutual.PeerParallel')``. ``batch_size`` of the loader is that of
    each share. Before a checkpoint is written and before validation every process gets the weights of all branches:
    files are those of one process with all branches, validation splits its samples over all processes as ever. In
    training the weights of the other branches wait in host memory, without gradients and optimiser state.

    Args:
        module (MutualModel): a model of several branches with ``train_branch``.
        device_ids (list[int], optional): the GPU of this process; ignored for a module on the CPU.
        load (str): of which inputs each process decodes the frames in training. ``'all'``: of all, so that a sample
            of which one input is unreadable is replaced by the same other one everywhere. ``'own'``: of its branch's
            input only, K times less decoding; every file must be readable (``tools/misc/check_media.py``), else the
            run stops.
        kwargs: further arguments of DDP.

    Raises:
        ValueError: if the number of processes is no multiple of K; if the model has a schedule other than joint,
            modulators, parameters outside its branches, or parts that need other branches' features.
    """

    def __init__(
        self, module: nn.Module, device_ids: Optional[List[int]] = None, load: str = 'all', **kwargs: Any
    ) -> None:
        if load not in LOAD:
            raise ValueError(f'model_wrapper_cfg.load must be one of {LOAD}, got {load!r}')
        if not hasattr(module, 'train_branch'):
            raise TypeError(f'PeerParallel needs a model of several branches, got {type(module).__name__}')
        rank, world = dist.get_rank(), dist.get_world_size()
        self._names = list(module.parameter_branches())
        count = len(self._names)
        if world % count:
            raise ValueError(
                f"model_wrapper_cfg.type='PeerParallel' wants a multiple of {count} processes, one for each of the "
                f'branches {self._names}, got {world}'
            )
        share, own = divmod(rank, count)
        self._own, self._first = self._names[own], share * count
        # every process must take part in making every group
        of_branch = [dist.new_group(range(k, world, count)) for k in range(count)]
        peers = [dist.new_group(range(d, d + count)) for d in range(0, world, count)]
        self._peers, self._host_peers = peers[share], peers[share]
        host_of_branch = None
        if dist.get_backend() != 'gloo':
            host_of_branch = [dist.new_group(range(k, world, count), backend='gloo') for k in range(count)][own]
            hosts = [dist.new_group(range(d, d + count), backend='gloo') for d in range(0, world, count)]
            self._host_peers = hosts[share]
        for part in module.modules():
            if isinstance(part, nn.SyncBatchNorm):  # else it would take statistics of other networks too
                part.process_group = of_branch[own]
        module.train_branch(self._own, LogitExchange(self._names, self._own, self._peers))
        super().__init__(module, device_ids, process_group=of_branch[own], **kwargs)
        self._host_group = host_of_branch or of_branch[own]
        inputs = (module.branches[self._own].input_name,) if load == 'own' else None
        set_replica(Replica(share, world // count, inputs))

    @property
    def _guests(self) -> Dict[str, nn.Module]:
        branches = self.module.parameter_branches()
        return {name: branches[name] for name in self._names if name != self._own}

    def train(self, mode: bool = True) -> 'PeerParallel':
        """Set the mode; other branches come to the device for predictions, and leave it for training."""
        device = next(self.module.parameter_branches()[self._own].parameters()).device
        for guest in self._guests.values():
            guest.to('cpu' if mode else device)
        return super().train(mode)

    def train_step(self, data: Any, optim_wrapper: Any) -> Dict[str, Tensor]:
        """One iteration of this process's branch; returns the scalars that one process with all would log.

        Raises:
            TypeError: if there are several optim wrappers.
            RuntimeError: if the peers hold different samples.
        """
        if not isinstance(optim_wrapper, MutualOptimWrapper):
            raise TypeError(f'PeerParallel needs one MutualOptimWrapper, got {type(optim_wrapper).__name__}')
        self._refuse_different_samples(data['data_samples'])
        if optim_wrapper.scaler is not None:
            optim_wrapper.scaler.group = self._peers  # a step that one of them cannot take, none does
        own = self.module.branches[self._own].input_name
        inputs = {name: value for name, value in data['inputs'].items() if name == own}
        logs = super().train_step(dict(data, inputs=inputs), optim_wrapper)
        return self._with_norms_of_others(logs)

    def check_loader(self, dataloader: DataLoader, where: str) -> None:
        """Refuse a loader that would not give the peers the same samples in training, or other ones in evaluation.

        Raises:
            ValueError: naming the sampler that is needed.
        """
        shares = getattr(dataloader.sampler, 'world_size', None)
        wanted = dist.get_world_size() // len(self._names) if where.startswith('train') else dist.get_world_size()
        if shares != wanted:
            right = 'ResumableSampler' if where.startswith('train') else 'DefaultSampler'
            raise ValueError(
                f'{where}.sampler must be a {right} with PeerParallel, which splits the samples into {wanted} shares '
                f'there, got {type(dataloader.sampler).__name__} with {shares}'
            )

    def unify(self) -> None:
        """Give every process the weights of all branches."""
        branches = self.module.parameter_branches()
        average_batch_norms(branches[self._own], self.process_group)
        for rank, name in enumerate(self._names, start=self._first):
            broadcast_weights(branches[name], rank, self._host_peers)

    def whole_optimizer_state(self, optim_wrapper: MutualOptimWrapper) -> Optional[Dict[int, dict]]:
        """State of each parameter by its number, of all branches, on the first process; None on the others."""
        if self._first > 0:
            return None  # the first share holds the same
        state = _to_cpu(optim_wrapper.optimizer.state_dict()['state'])
        states: Optional[list] = [None] * len(self._names) if dist.get_rank() == 0 else None
        dist.gather_object(state, states, dst=0, group=self._host_peers)
        if states is None:
            return None
        return dict(sorted((number, value) for part in states for number, value in part.items()))

    def own_optimizer_state(self, optim_wrapper: MutualOptimWrapper, state: Dict[int, dict]) -> Dict[int, dict]:
        """What of :meth:`whole_optimizer_state` this process needs."""
        params = (p for group in optim_wrapper.optimizer.param_groups for p in group['params'])
        own = [number for number, p in enumerate(params) if p.requires_grad]
        return {number: state[number] for number in own if number in state}

    def _refuse_different_samples(self, data_samples: List[Any]) -> None:
        # with its frames' size: crops of other frames would show other parts of the picture
        told = [(sample.get('key', sample.get('gt_label')), sample.get('frame_size')) for sample in data_samples]
        digest = zlib.crc32(repr(told).encode())
        bounds = torch.tensor([digest, -digest])
        dist.all_reduce(bounds, op=dist.ReduceOp.MIN, group=self._host_peers)
        if bounds[0] != -bounds[1]:
            raise RuntimeError(
                f'the processes of the branches {self._names} hold different samples, or frames of different sizes, '
                f'here ({self._own!r}) {told}. '
                "train_dataloader.sampler must be a ResumableSampler; with load='own' a file that one of them cannot "
                "read has the same effect: find it by tools/misc/check_media.py, or set load='all'"
            )

    def _with_norms_of_others(self, logs: Dict[str, Tensor]) -> Dict[str, Tensor]:
        own = logs.get(f'{self._own}.grad_norm')
        if own is None:
            return logs
        norms = torch.zeros(len(self._names), dtype=own.dtype, device=own.device)
        norms[self._names.index(self._own)] = own
        dist.all_reduce(norms, group=self._peers)
        return {**logs, **{f'{name}.grad_norm': norm for name, norm in zip(self._names, norms)}}


def _to_cpu(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_cpu(item) for key, item in value.items()}
    return value.cpu() if isinstance(value, Tensor) else value
