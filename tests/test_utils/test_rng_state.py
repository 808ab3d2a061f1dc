"""States of random generators."""

import io
import random

import numpy as np
import torch

from mmmutual.utils.rng_state import capture_rng_state, restore_rng_state


def draw():
    # gauss and standard_normal keep a second number for the next call
    numbers = [random.random(), random.gauss(0, 1), np.random.rand(), np.random.standard_normal()]
    return [*numbers, *torch.rand(3).tolist(), torch.randn(()).item()]


def seed(value):
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)


def test_restored_generators_repeat_themselves_also_after_a_file():
    seed(1)
    draw()
    state = capture_rng_state()
    expected = [draw(), draw()]
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    for saved in (state, torch.load(file, weights_only=True)):
        seed(2)
        assert draw() not in expected
        restore_rng_state(saved)
        assert [draw(), draw()] == expected


def test_a_state_is_a_copy():
    seed(3)
    state = capture_rng_state()
    first = draw()
    np.random.rand(1000)
    torch.rand(1000)
    restore_rng_state(state)
    assert draw() == first
