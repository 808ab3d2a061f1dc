"""What a schedule yields."""

import pytest
import torch

from mmmutual.engine import Update
from mmmutual.engine.update import join_outputs

LOSS = dict(loss=torch.ones(()))


def test_the_graph_is_kept_for_an_update_that_does_not_step():
    assert not Update(LOSS).retain_graph
    assert Update(LOSS, step=False).retain_graph
    assert Update(LOSS, retain_graph=True).retain_graph
    assert Update(LOSS, step=False, retain_graph=False).retain_graph is False


def test_an_update_needs_a_loss():
    assert Update(dict(a_loss=torch.ones(()), acc=torch.ones(()))).losses
    with pytest.raises(ValueError, match=r"'main' has no loss.*\['kl'\]"):
        Update(dict(kl=torch.ones(())), name='main')


def test_outputs_of_micro_batches_are_joined_in_order():
    parts = [Update(LOSS, outputs=dict(x=torch.full((n, 2), float(n)))) for n in (1, 2)]
    assert join_outputs(parts)['x'].tolist() == [[1, 1], [2, 2], [2, 2]]
    assert join_outputs(parts[:1]) is parts[0].outputs


def test_parameters_may_come_from_an_iterator():
    """As ``module.parameters()`` gives them; the driver reads them several times."""
    layer = torch.nn.Linear(2, 2)
    update = Update(LOSS, params=layer.parameters())
    assert [id(p) for p in update.params] == [id(p) for p in update.params] == [id(layer.weight), id(layer.bias)]
    assert Update(LOSS).params is None
