"""Parts ask for what they need by the names of their parameters."""

import pytest
from torch import nn

from mmmutual.models.classifiers.named_inputs import call_with, wanted_names

ALLOWED = ('features', 'logits', 'labels')


def part(forward):
    class Part(nn.Module):
        pass

    Part.forward = forward
    return Part()


def test_names_are_those_of_forward():
    module = part(lambda self, labels, *, logits: (labels, logits))
    names = wanted_names(module, 'losses.cls', ALLOWED)
    assert names == ('labels', 'logits')
    assert call_with(module, names, dict(features=1, logits=2, labels=3)) == (3, 2)


def test_parameters_with_a_default_keep_it():
    module = part(lambda self, logits, scale=5: logits * scale)
    names = wanted_names(module, 'losses.cls', ALLOWED)
    assert names == ('logits',)
    assert call_with(module, names, dict(logits=2)) == 10


def test_an_optional_input_is_given():
    module = part(lambda self, logits, labels=None: labels)
    assert call_with(module, wanted_names(module, 'x', ALLOWED), dict(logits=2, labels=3)) == 3


@pytest.mark.parametrize('forward', [lambda self, pred, labels: 0, lambda self: 0, lambda self, *args: 0])
def test_unknown_or_no_names(forward):
    with pytest.raises(ValueError, match=r"losses.mine: forward\(\) of Part asks for .*'features', 'logits', 'labels'"):
        wanted_names(part(forward), 'losses.mine', ALLOWED)
