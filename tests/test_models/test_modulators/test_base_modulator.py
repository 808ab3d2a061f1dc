"""The contract of modulators, as the driver keeps it for the classifier."""

import pytest
import torch
from torch import nn

from mmmutual.engine import MutualOptimWrapper, UpdateStep, drive
from mmmutual.models.modulators import Modulator
from mmmutual.registry import MODELS
from mmmutual.structures import MultiModalDataSample

from ..classifier_parts import feature_classifier


@MODELS.register_module()
class HalveBranch(Modulator):
    """Halves one branch's gradients, counts its calls and notes what it saw."""

    def __init__(self, branch: str) -> None:
        super().__init__()
        self.branch = branch
        self.register_buffer('calls', torch.zeros((), dtype=torch.int64))

    def forward(self, step: UpdateStep) -> None:
        self.calls += 1
        for p in step.model.branches[self.branch].parameters():
            p.grad.mul_(0.5)
        step.logs['labels_seen'] = step.outputs['labels'].sum()
        self.seen = step


def test_it_edits_gradients_before_the_step():
    def moved(modulators):
        torch.manual_seed(0)
        model = feature_classifier(('a', 'b'), modulators=modulators)
        before = {name: p.clone() for name, p in model.named_parameters()}
        wrapper = MutualOptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
        samples = [MultiModalDataSample().set_gt_label(i) for i in (2, 1)]
        x = torch.arange(8.0).reshape(2, 4)
        logs = drive(model, dict(inputs=dict(a=x, b=x), data_samples=samples), wrapper)
        return model, logs, {name: p - before[name] for name, p in model.named_parameters()}

    _, _, plain = moved([])
    model, logs, edited = moved([dict(type='HalveBranch', branch='a')])
    for name, change in plain.items():
        factor = 0.5 if '.a.' in name else 1.0
        torch.testing.assert_close(edited[name], factor * change)
        assert change.abs().max() > 0
    step = model.modulators[0].seen
    assert step.name == ''
    assert step.model is model
    assert {id(p) for p in step.params} == {id(p) for p in model.parameters()}
    assert step.outputs['logits.a'].shape == (2, 3)
    assert not step.outputs['logits.a'].requires_grad
    assert logs['labels_seen'] == 3
    assert model.state_dict()['modulators.0.calls'] == 1  # its state is in checkpoints


def test_a_modulator_must_define_forward():
    class Idle(Modulator):
        pass

    step = UpdateStep('', nn.Identity(), [], {}, {}, {})
    with pytest.raises(NotImplementedError, match=r'Idle must define forward\(\)'):
        Idle()(step)
