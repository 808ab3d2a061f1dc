"""The ensemble's logits by hand."""

import pytest
import torch

from mmmutual.models.fusions import MeanLogits

LOGITS = dict(rgb=torch.tensor([[1.0, 2.0]]), flow=torch.tensor([[3.0, -6.0]]))


def test_mean():
    assert MeanLogits()(LOGITS).tolist() == [[2.0, -2.0]]


def test_one_branch_is_itself():
    assert torch.equal(MeanLogits()(dict(rgb=LOGITS['rgb'])), LOGITS['rgb'])


def test_coefficients_are_divided_by_the_number_of_branches():
    """(1/M) sum of c_m z_m, not by the sum of the coefficients (spec/mml.md 5)."""
    assert MeanLogits(dict(flow=2.0))(LOGITS).tolist() == [[3.5, -5.0]]
    assert MeanLogits(dict(rgb=0.0, flow=0.5))(LOGITS).tolist() == [[0.75, -1.5]]


def test_coefficient_of_no_branch():
    with pytest.raises(ValueError, match=r"fusion.coefficients names \['audio'\]; the branches are \['flow', 'rgb'\]"):
        MeanLogits(dict(audio=1.0)).check_branches(list(LOGITS))
