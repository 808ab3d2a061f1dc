"""What two state dicts have in common."""

import logging

import pytest
import torch
from torch import nn

from mmmutual.utils import state_match
from mmmutual.utils.state_match import match_states, refuse_other_shapes, report_states


@pytest.fixture
def lines(monkeypatch):
    found = []
    monkeypatch.setattr(state_match, 'print_log', lambda text, logger, level: found.append((level, text)))
    return found


@pytest.fixture
def wanted():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict()


def test_all_kinds_of_names(wanted):
    given = dict(wanted, other=torch.zeros(1))
    given['0.weight'] = torch.zeros(4, 2)
    del given['0.bias']
    match = match_states(given, wanted)
    assert match.other_shape == ['0.weight']
    assert match.missing == ['0.bias']
    assert match.unexpected == ['other']
    assert match.matched == [name for name in wanted if name.startswith('1.')]
    assert not match.complete


def test_counts_are_logged_and_warn_unless_all_match(lines, wanted):
    report_states(wanted, wanted, 'file.pth', 'Net')
    given = dict(wanted)
    del given['1.num_batches_tracked']
    assert report_states(given, wanted, 'file.pth', 'Net').complete  # old checkpoints have no counters
    given['0.weight'] = torch.zeros(4, 2)
    given['other'] = given.pop('0.bias')
    report_states(given, wanted, 'file.pth', 'Net')
    assert lines == [
        (logging.INFO, 'file.pth: 7 matched, 0 missing [], 0 unexpected [], 0 of another shape []'),
        (logging.INFO, 'file.pth: 6 matched, 0 missing [], 0 unexpected [], 0 of another shape []'),
        (
            logging.WARNING,
            "file.pth: 4 matched, 1 missing ['0.bias'], 1 unexpected ['other'], 1 of another shape ['0.weight']",
        ),
    ]


@pytest.mark.parametrize('name', ['other', '0.weight'])
def test_nothing_that_matches(wanted, name):
    with pytest.raises(ValueError, match=f"x.pth matches nothing of Net: it has names like .'{name}'.*'0.bias'"):
        report_states({name: torch.zeros(9)}, wanted, 'x.pth', 'Net')


def test_other_shapes(wanted):
    refuse_other_shapes(dict(other=torch.zeros(1)), wanted, 'x.pth')
    with pytest.raises(ValueError, match=r'x.pth: 0.weight has shape \(4, 2\), the network wants \(3, 2\)'):
        refuse_other_shapes({'0.weight': torch.zeros(4, 2)}, wanted, 'x.pth')
