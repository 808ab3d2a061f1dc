"""Randomness that depends on numbers a checkpoint knows, and on nothing that happened before."""

import random
from contextlib import contextmanager
from typing import Iterator

import numpy as np
import torch


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seed the global CPU generators of python, numpy and torch inside the block; put their former states back after.

    The numbers, e.g. (seed, epoch, sample index), are mixed by :class:`numpy.random.SeedSequence`, so that
    neighbouring ones give unrelated streams. Generators of a GPU are left alone.

    Args:
        *numbers: what the randomness is to depend on, integers >= 0.

    Raises:
        ValueError: a number is negative.

    Example:
        >>> with seeded(0, 3, 17):
        ...     first = np.random.rand()
        >>> with seeded(0, 3, 17):
        ...     assert np.random.rand() == first
    """
    if any(number < 0 for number in numbers):
        raise ValueError(f'seeds must be integers >= 0, got {numbers}')
    words = np.random.SeedSequence([int(number) for number in numbers]).generate_state(10)
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(int.from_bytes(words[:4].tobytes(), 'little'))
    np.random.seed(words[4:8])
    # torch.manual_seed would also seed the generators of every GPU
    torch.default_generator.manual_seed(int.from_bytes(words[8:10].tobytes(), 'little') >> 1)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
