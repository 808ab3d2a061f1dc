"""What the loop refuses; exact resume is tested with the checkpoints, in test_hooks/test_exact_checkpoint_hook.py."""

import ast
from unittest.mock import patch

import pytest
import torch
from torch.multiprocessing import ProcessRaisedException

from tests.helpers import run_alone

from . import toy_methods as toy


def train(work_dir, kwargs):
    toy.run('plain', work_dir, **kwargs)
    return [ast.literal_eval(line) for line in toy.recorded(work_dir)]


def test_a_sampler_that_cannot_skip_is_named(tmp_path):
    stock = dict(sampler='DefaultSampler', checkpoint=dict(by_epoch=False, interval=1))
    full = run_alone(train, f'{tmp_path}/full', stock)
    within = dict(stock, load_from=f'{tmp_path}/full/iter_4.pth', resume=True)
    with pytest.raises(
        ProcessRaisedException, match=r'after 1 batches .* DefaultSampler cannot skip .*ResumableSampler'
    ):
        run_alone(train, f'{tmp_path}/within', within)
    between = dict(stock, load_from=f'{tmp_path}/full/iter_6.pth', resume=True, epochs=3)
    assert len(full) == 6
    # saved after the last batch of epoch 1, which therefore has none left
    assert [line[:2] for line in run_alone(train, f'{tmp_path}/between', between)] == [(6, 0), (7, 1), (8, 2)]


def first_draws(work_dir, loader):
    """The first number that training draws in each iteration of two epochs."""
    drawn, joint_update = [], toy.ToyModel.joint_update

    def draw_first(*args):
        drawn.append(torch.rand(1).item())
        return joint_update(*args)

    with patch.object(toy.ToyModel, 'joint_update', draw_first):
        toy.run('plain', work_dir, loader=loader)
    return drawn


def test_starting_workers_does_not_shift_what_training_draws(tmp_path):
    none = run_alone(first_draws, tmp_path, None)
    assert len(set(none)) == 6
    for persistent in (False, True):
        loader = dict(num_workers=1, persistent_workers=persistent)
        assert run_alone(first_draws, tmp_path, loader) == none
