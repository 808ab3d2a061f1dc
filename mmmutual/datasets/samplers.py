"""Samplers whose indices say of which epoch they are, and that can start in the middle of one."""

import math
from typing import Any, Iterator, Optional, Tuple

from mmengine.dataset import DefaultSampler

from mmmutual.registry import DATA_SAMPLERS
from mmmutual.utils.replicas import get_replica


class SampleIndex(int):
    """An index into a data set that carries what the augmentation of the sample is seeded with.

    It travels to the worker processes inside the batches of the sampler. A wrapper data set (``ConcatDataset``,
    ``RepeatDataset``) shifts it by ``-`` and ``%``: the result keeps the seeds, and ``drawn`` stays what the sampler
    gave, so that two visits of one sample in one epoch are augmented differently.

    Args:
        value: index, >= 0.
        seed: seed of the run.
        epoch: epoch, from 0.
        drawn: index that the sampler gave; ``value`` by default.
    """

    seed: int
    epoch: int
    drawn: int

    def __new__(cls, value: int, seed: int = 0, epoch: int = 0, drawn: Optional[int] = None) -> 'SampleIndex':
        index = super().__new__(cls, value)
        index.seed = int(seed)
        index.epoch = int(epoch)
        index.drawn = int(value) if drawn is None else int(drawn)
        return index

    def __getnewargs__(self) -> Tuple[int, int, int, int]:
        return int(self), self.seed, self.epoch, self.drawn

    def __sub__(self, other: int) -> 'SampleIndex':
        return SampleIndex(int(self) - other, self.seed, self.epoch, self.drawn)

    def __mod__(self, other: int) -> 'SampleIndex':
        return SampleIndex(int(self) % other, self.seed, self.epoch, self.drawn)


@DATA_SAMPLERS.register_module()
class ResumableSampler(DefaultSampler):
    """mmengine's :class:`DefaultSampler`, the same indices in the same order, with exact resume in mid-epoch.

    It yields :class:`SampleIndex`. Processes that train peers of the same samples get the same indices, see
    :class:`mmmutual.engine.PeerParallel`. Arguments as of ``DefaultSampler``: ``dataset, shuffle, seed, round_up``.
    """

    _skip = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        replica = get_replica()
        if replica is not None:
            self.rank, self.world_size = replica.index, replica.count
            size = len(self.dataset)
            first = 0 if self.round_up else self.rank
            self.num_samples = math.ceil((size - first) / self.world_size)
            self.total_size = self.num_samples * self.world_size if self.round_up else size

    def skip(self, num_samples: int) -> None:
        """Leave out the first indices of this rank in the next epoch that is begun, and in no other.

        Args:
            num_samples: how many, 0 to ``len(self)``.

        Raises:
            ValueError: out of that range.
        """
        if not 0 <= num_samples <= len(self):
            raise ValueError(f'skip must lie in [0, {len(self)}] (the samples of this rank), got {num_samples}')
        self._skip = num_samples

    def __iter__(self) -> Iterator[SampleIndex]:
        """The rest of this epoch's indices of this rank."""
        # A list, not a generator: seed, epoch and skip are those of the moment at which the epoch begins.
        indices = [SampleIndex(index, self.seed, self.epoch) for index in super().__iter__()]
        indices, self._skip = indices[self._skip :], 0
        return iter(indices)
