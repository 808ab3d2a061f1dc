"""The mutual loss against a reference of plain loops over floats (spec/mml.md 4.1)."""

import math

import pytest
import torch

from mmmutual.models.losses import MutualKLLoss

TARGETS = ('mean_logits', 'mean_probs', 'mean_kl')
BATCH, CLASSES = 3, 5


def logits_of(*names, seed=0, scale=2.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return {name: (scale * torch.randn(BATCH, CLASSES, generator=generator)).to(dtype) for name in names}


def softmax(row):
    top = max(row)
    exps = [math.exp(v - top) for v in row]
    return [e / sum(exps) for e in exps]


def kl(q, p):
    return sum(a * (math.log(a) - math.log(b)) for a, b in zip(q, p))


def mean_of(rows):
    return [sum(column) / len(rows) for column in zip(*rows)]


def reference(logits, student, teachers, target='mean_logits', t=1.0):
    """The mean over the batch of KL(q_k || p_k), times t squared."""
    total = 0.0
    for b in range(BATCH):
        rows = {name: [v / t for v in z[b].tolist()] for name, z in logits.items()}
        own = softmax(rows[student])
        if target == 'mean_logits':
            total += kl(softmax(mean_of([rows[name] for name in teachers])), own)
        elif target == 'mean_probs':
            total += kl(mean_of([softmax(rows[name]) for name in teachers]), own)
        else:
            total += sum(kl(softmax(rows[name]), own) for name in teachers) / len(teachers)
    return t * t * total / BATCH


@pytest.mark.parametrize('target', TARGETS)
@pytest.mark.parametrize('t', [1.0, 3.0])
def test_three_branches(target, t):
    logits = logits_of('rgb', 'flow', 'audio')
    losses = MutualKLLoss(loss_weight=0.5, temperature=t, target=target)(logits)
    assert list(losses) == ['rgb', 'flow', 'audio']
    for student, loss in losses.items():
        teachers = [name for name in logits if name != student]
        expected = 0.5 * reference(logits, student, teachers, target, t)
        assert loss.shape == ()
        assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_the_targets_differ_for_three_branches():
    logits = logits_of('rgb', 'flow', 'audio')
    values = [MutualKLLoss(target=target)(logits)['rgb'].item() for target in TARGETS]
    assert min(abs(a - b) for a in values for b in values if a is not b) > 1e-3


@pytest.mark.parametrize('t', [1.0, 2.5])
def test_the_targets_coincide_for_two_branches(t):
    logits = logits_of('rgb', 'flow')
    values = [MutualKLLoss(target=target, temperature=t)(logits) for target in TARGETS]
    for name in logits:
        assert values[0][name].item() == pytest.approx(values[1][name].item(), rel=1e-12)
        assert values[0][name].item() == pytest.approx(values[2][name].item(), rel=1e-12)


def test_one_branch_has_no_teacher():
    assert MutualKLLoss()(logits_of('rgb')) == {}


def test_one_way_teaching():
    logits = logits_of('rgb', 'flow', 'audio')
    losses = MutualKLLoss(teachers=dict(rgb=['flow', 'audio'], audio=['flow']))(logits)
    assert list(losses) == ['rgb', 'audio']
    assert losses['rgb'].item() == pytest.approx(reference(logits, 'rgb', ['flow', 'audio']), rel=1e-12)
    assert losses['audio'].item() == pytest.approx(reference(logits, 'audio', ['flow']), rel=1e-12)


@pytest.mark.parametrize('target', TARGETS)
def test_gradient_is_p_minus_q(target):
    """d loss_k / d z_k = (p_k - q_k) / B; a student's loss gives its teachers nothing."""
    logits = {name: z.requires_grad_() for name, z in logits_of('rgb', 'flow').items()}
    losses = MutualKLLoss(target=target)(logits)
    own, teacher = torch.autograd.grad(losses['rgb'], list(logits.values()), allow_unused=True)
    p, q = torch.softmax(logits['rgb'], dim=1), torch.softmax(logits['flow'], dim=1)
    torch.testing.assert_close(own, ((p - q) / BATCH).detach(), rtol=1e-10, atol=1e-14)
    assert teacher is None or torch.count_nonzero(teacher) == 0


def test_gradient_with_temperature():
    """w t^2 / t (p - q) / B at temperature t: the scale by t^2 leaves one factor t."""
    logits = {name: z.requires_grad_() for name, z in logits_of('rgb', 'flow').items()}
    loss = MutualKLLoss(temperature=4.0, loss_weight=3.0)(logits)['rgb']
    (grad,) = torch.autograd.grad(loss, logits['rgb'])
    p, q = (torch.softmax(logits[name] / 4, dim=1) for name in ('rgb', 'flow'))
    torch.testing.assert_close(grad, (3 * 4 * (p - q) / BATCH).detach(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize('target', TARGETS)
def test_gradcheck(target):
    """The numerical derivative moves the targets too, so the student's logits are held apart from them."""
    fixed = logits_of('rgb', 'flow', 'audio')
    loss = MutualKLLoss(target=target, temperature=2.0, teachers=dict(rgb=['flow', 'audio']))
    z = fixed['rgb'].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss({**fixed, 'rgb': z})['rgb'], (z,))


def test_half_precision_logits_are_computed_in_float32():
    logits = logits_of('rgb', 'flow', 'audio', dtype=torch.bfloat16, scale=4.0)
    losses = MutualKLLoss()(logits)
    exact = MutualKLLoss()({name: z.double() for name, z in logits.items()})
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(exact[name].item(), rel=1e-5)


@pytest.mark.parametrize('target', TARGETS)
def test_autocast_does_not_touch_it(target):
    """The driver runs losses under autocast, which would round matrix products to 8 bits."""
    logits = logits_of('rgb', 'flow', 'audio', dtype=torch.float32, scale=5.0)
    outside = MutualKLLoss(target=target)(logits)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = MutualKLLoss(target=target)(logits)
    for name in logits:
        assert inside[name].item() == pytest.approx(outside[name].item(), rel=1e-6)


def test_certain_teachers_give_finite_losses():
    z = {'rgb': torch.tensor([[0.0, 0.0]], requires_grad=True), 'flow': torch.tensor([[0.0, 1e4]])}
    for target in TARGETS:
        loss = MutualKLLoss(target=target)(z)['rgb']
        assert loss.item() == pytest.approx(math.log(2), rel=1e-6)
        (grad,) = torch.autograd.grad(loss, z['rgb'])
        torch.testing.assert_close(grad, torch.tensor([[0.5, -0.5]]))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(temperature=0), 'temperature must be positive, got 0'),
        (dict(target='mean'), "target must be one of .*'mean_kl'.*, got 'mean'"),
        (dict(teachers=dict(rgb=['rgb'])), "teachers of 'rgb' must be other branches"),
        (dict(teachers=dict(rgb=[])), "teachers of 'rgb' must be other branches"),
        (dict(teachers=dict(rgb=['flow', 'flow'])), "teachers of 'rgb' must be other branches, each once"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        MutualKLLoss(**options)


@pytest.mark.parametrize('teachers', [dict(rgb=['depth']), dict(depth=['rgb'])])
def test_teacher_or_student_that_is_no_branch(teachers):
    with pytest.raises(ValueError, match=r"names \['depth'\]; the branches are \['flow', 'rgb'\]"):
        MutualKLLoss(teachers=teachers)(logits_of('rgb', 'flow'))
