"""Counting the samples of a data set that can't be read, over all worker processes."""

import logging
from collections import deque
from typing import Deque, Optional

import torch
from mmengine.logging import print_log

from mmmutual.utils.errors import UnreadableMediaError


class UnreadableRecord:
    """Which samples turned out to be unreadable; stops the run past a limit.

    Worker processes share the record, whether they are forked or spawned: create it before the data loader. A deep
    copy (``BaseDataset.get_subset``) is the empty record of another data set.

    Args:
        num_samples: size of the data set.
        limit: how many distinct samples may be unreadable; ``None``: 1 % of the samples or 100, whichever is more.

    Raises:
        ValueError: negative limit.
    """

    def __init__(self, num_samples: int, limit: Optional[int] = None) -> None:
        if limit is not None and limit < 0:
            raise ValueError(f'max_unreadable must be an integer >= 0 or None, got {limit}')
        self.limit = max(num_samples // 100, 100) if limit is None else limit
        self._given_limit = limit
        self._flags = torch.zeros(num_samples, dtype=torch.bool).share_memory_()
        self._last: Deque[str] = deque(maxlen=5)

    def __deepcopy__(self, memo: dict) -> 'UnreadableRecord':
        return UnreadableRecord(len(self._flags), self._given_limit)

    @property
    def count(self) -> int:
        """Distinct unreadable samples that all processes of this node's loader have met."""
        return int(self._flags.sum())

    def add(self, index: int, key: str, error: UnreadableMediaError) -> None:
        """Note that a sample is unreadable; the first time a warning names it.

        Args:
            index: of the sample.
            key: of the sample.
            error: what reading it raised.

        Raises:
            RuntimeError: more samples are unreadable than the limit allows.
        """
        self._last.append(str(error))
        if not self._flags[index]:
            self._flags[index] = True
            print_log(
                f"sample '{key}' (index {index}) is unreadable and is replaced by another one, all its inputs and the "
                f'label together, whenever it is drawn: {error}',
                logger='current',
                level=logging.WARNING,
            )
        if self.count > self.limit:
            raise RuntimeError(
                f'{self.count} of {len(self._flags)} samples are unreadable, more than max_unreadable={self.limit}. '
                f'The last ones: {"; ".join(self._last)}'
            ) from error
