import random

import numpy as np
import pytest
import torch

from mmmutual.utils.seeding import seeded


def draw():
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_same_numbers_give_the_same_draws_of_all_three_generators():
    with seeded(1, 2, 3):
        first = draw()
    random.random(), np.random.rand(), torch.rand(5)
    with seeded(1, 2, 3):
        assert draw() == first


@pytest.mark.parametrize('other', [(0, 2, 3), (1, 0, 3), (1, 2, 0), (1, 3, 2), (1, 2, 3, 1)])
def test_every_number_and_their_order_counts(other):
    with seeded(1, 2, 3):
        first = draw()
    with seeded(*other):
        assert all(a != b for a, b in zip(draw(), first))


def test_former_states_return_even_after_an_error():
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    expected = draw()
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    with pytest.raises(KeyError), seeded(0):
        raise KeyError(draw())
    assert draw() == expected


def test_neighbouring_seeds_are_unrelated():
    draws = []
    for index in range(200):
        with seeded(0, 0, index):
            draws.append(draw())
    correlation = np.corrcoef(np.array(draws[:-1]).T, np.array(draws[1:]).T)
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 0.3


def test_large_seeds_are_told_apart():
    with seeded(2**31):
        first = draw()
    with seeded(2**31 + 2**40):
        assert draw() != first


def test_negative_number_is_refused():
    with pytest.raises(ValueError, match=r'integers >= 0, got \(0, -1\)'), seeded(0, -1):
        pass
