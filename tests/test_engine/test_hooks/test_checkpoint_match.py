"""How much of a checkpoint fits a model."""

import logging
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmmutual.engine import ConsistencyHook
from mmmutual.engine.hooks import checkpoint_match
from mmmutual.engine.hooks.checkpoint_match import report_match


@pytest.fixture
def lines(monkeypatch):
    found = []
    monkeypatch.setattr(checkpoint_match, 'print_log', lambda text, logger, level: found.append((level, text)))
    return found


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


@pytest.mark.parametrize('wrap', [lambda state: state, lambda state: dict(state_dict=state)])
def test_counts_by_name_and_shape(lines, wrap):
    state = {f'module.{name}': value for name, value in model().state_dict().items()}
    report_match(model(), wrap(state), 'file.pth')
    del state['module.1.num_batches_tracked']
    report_match(model(), wrap(state), 'file.pth')
    state['module.0.weight'] = torch.zeros(4, 2)
    state['other'] = state.pop('module.0.bias')
    report_match(model(), wrap(state), 'file.pth')
    assert lines == [
        (logging.INFO, 'file.pth: 7 matched, 0 missing [], 0 unexpected [], 0 of another shape []'),
        (logging.INFO, 'file.pth: 6 matched, 0 missing [], 0 unexpected [], 0 of another shape []'),
        (
            logging.WARNING,
            "file.pth: 4 matched, 1 missing ['0.bias'], 1 unexpected ['other'], 1 of another shape ['0.weight']",
        ),
    ]


@pytest.mark.parametrize('state', [{}, dict(backbone=torch.zeros(1), meta='x'), {'0.weight': torch.zeros(9, 2)}])
def test_nothing_that_matches_is_an_error(state):
    runner = SimpleNamespace(model=model(), _load_from='file.pth', work_dir='w')
    with pytest.raises(ValueError, match=r"checkpoint file.pth matches nothing of Sequential.*'0.bias', '0.weight'"):
        ConsistencyHook().after_load_checkpoint(runner, dict(state_dict=state))
