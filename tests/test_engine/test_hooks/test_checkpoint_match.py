"""How much of a checkpoint fits a model."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmmutual.engine import ConsistencyHook
from mmmutual.engine.hooks.checkpoint_match import report_match
from mmmutual.utils import state_match


@pytest.fixture
def lines(monkeypatch):
    found = []
    monkeypatch.setattr(state_match, 'print_log', lambda text, logger, level: found.append(text))
    return found


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


@pytest.mark.parametrize('wrap', [lambda state: state, lambda state: dict(state_dict=state)])
def test_names_of_data_parallel_and_entries_that_are_no_tensors(lines, wrap):
    state = {f'module.{name}': value for name, value in model().state_dict().items()}
    report_match(model(), wrap(dict(state, epoch=3)), 'file.pth')
    assert lines == ['file.pth: 7 matched, 0 missing [], 0 unexpected [], 0 of another shape []']


@pytest.mark.parametrize('state', [{}, dict(backbone=torch.zeros(1), meta='x'), {'0.weight': torch.zeros(9, 2)}])
def test_nothing_that_matches_is_an_error(state):
    runner = SimpleNamespace(model=model(), _load_from='file.pth', work_dir='w')
    with pytest.raises(ValueError, match=r"checkpoint file.pth matches nothing of Sequential.*'0.bias', '0.weight'"):
        ConsistencyHook().after_load_checkpoint(runner, dict(state_dict=state))
