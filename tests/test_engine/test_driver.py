"""The driver in one process: each toy method against the same steps written out by hand, in float64."""

import copy
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from mmengine.dataset import default_collate
from mmengine.optim import OptimWrapper
from torch.utils._python_dispatch import TorchDispatchMode

from mmmutual.engine import MultiOptimWrapperConstructor, MutualOptimWrapper, Update, UpdateSchedule, drive
from mmmutual.registry import MODELS

from . import toy_methods as toy


def batch(size=8, **kwargs):
    dataset = toy.ToyPairs(**kwargs)
    return default_collate([dataset[i] for i in range(size)])


def unpack(data):
    return data['inputs']['a'], data['inputs']['v'], torch.cat([sample.gt_label for sample in data['data_samples']])


def wrapper_for(model, method, kind='SGD', lr=0.2, **kwargs):
    def of(optimizer_cfg=None, **extra):
        return dict(optimizer=optimizer_cfg or dict(type=kind, lr=lr), **extra, **kwargs)

    if method == 'inner':
        return MultiOptimWrapperConstructor(dict(main=of(), side=of(dict(type=kind, lr=0.05), modules=['side'])))(model)
    return MutualOptimWrapper(getattr(torch.optim, kind)(model.parameters(), lr=lr), **kwargs)


def step(loss, module, lr, **others):
    """Gradient descent on a module's parameters, by hand; returns the gradients used."""
    params = list(module.parameters())
    grads = torch.autograd.grad(loss, params, allow_unused=True, **others)
    with torch.no_grad():
        for p, g in zip(params, grads):
            if g is not None:
                p -= lr * g
    return grads


def assert_same(model, twin):
    for (name, p), q in zip(model.named_parameters(), twin.parameters()):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-12, msg=name)


def test_joint_modulator_sees_outputs_and_scales_gradients():
    model = toy.build('joint')
    twin, data = copy.deepcopy(model), batch()
    logs = drive(model, data, wrapper_for(model, 'joint'))

    a, v, y = unpack(data)
    features = dict(a=twin.encoders['a'](a), v=twin.encoders['v'](v))
    scores = {name: twin.head(f).softmax(1)[range(8), y].sum().item() for name, f in features.items()}
    ahead = max(scores, key=scores.get)
    ratio = torch.tensor(scores[ahead] / min(scores.values()), dtype=torch.float64)
    coefficient = 1 - torch.tanh(3 * (ratio - 1))
    assert 0.1 < coefficient < 0.9, 'the test would not see the modulator'
    loss = F.cross_entropy(twin.head(features['a'] + features['v']), y)
    for name, encoder in twin.encoders.items():
        step(loss, encoder, 0.2 * (coefficient if name == ahead else 1), retain_graph=True)
    step(loss, twin.head, 0.2)
    assert_same(model, twin)
    assert logs['loss'] == loss.detach()
    torch.testing.assert_close(logs[f'{ahead}.coefficient'], coefficient)


def test_alternating_forwards_each_branch_after_the_step_of_the_former():
    model = toy.build('alternating')
    twin, data = copy.deepcopy(model), batch()
    logs = drive(model, data, wrapper_for(model, 'alternating'))

    *inputs, y = unpack(data)
    projection = torch.eye(toy.FEATURES, dtype=torch.float64)
    for name, x in zip('av', inputs):
        features = twin.encoders[name](x)
        loss = F.cross_entropy(twin.head(features), y)
        params = [*twin.encoders[name].parameters(), twin.head.weight, twin.head.bias]
        grads = list(torch.autograd.grad(loss, params))
        grads[-2] = grads[-2] @ projection
        mean = features.detach().mean(0)
        k = projection @ mean
        projection = projection - torch.outer(k, k) / (1 + mean @ k)
        with torch.no_grad():
            for p, g in zip(params, grads):
                p -= 0.2 * g
        torch.testing.assert_close(logs[f'{name}.loss'], loss.detach())
    assert_same(model, twin)
    torch.testing.assert_close(model.modulators[0].P, projection)


def test_inner_steps_train_the_side_net_only_and_the_main_step_all_but_it():
    model = toy.build('inner')
    twin, data = copy.deepcopy(model), batch()
    drive(model, data, wrapper_for(model, 'inner'))

    a, v, y = unpack(data)
    a, v = twin.encoders['a'](a), twin.encoders['v'](v)
    for _ in range(2):
        step(F.mse_loss(twin.side(a.detach()), v.detach()), twin.side, 0.05)
    loss = F.cross_entropy(twin.head(a + v), y) + F.mse_loss(twin.side(a), v)
    step(loss, twin.encoders, 0.2, retain_graph=True)
    step(loss, twin.head, 0.2)
    assert_same(model, twin)


def test_two_losses_combine_the_kept_gradients_with_the_new_ones():
    model = toy.build('two_losses')
    twin, data = copy.deepcopy(model), batch()
    drive(model, data, wrapper_for(model, 'two_losses'))

    a, v, y = unpack(data)
    a, v = twin.encoders['a'](a), twin.encoders['v'](v)
    params = list(twin.parameters())
    first = torch.autograd.grad(F.cross_entropy(twin.head(a), y), params, retain_graph=True, allow_unused=True)
    second = torch.autograd.grad(F.cross_entropy(twin.head(a + v), y), params)
    agree = [None if k is None else k * g > 0 for k, g in zip(first, second)]
    assert any(x is not None and x.any() and not x.all() for x in agree), 'the test would not see the combination'
    with torch.no_grad():
        for p, k, g in zip(params, first, second):
            p -= 0.2 * (g if k is None else torch.where(k * g > 0, k + g, g))
    assert_same(model, twin)


@pytest.mark.parametrize('method', toy.METHODS)
@pytest.mark.parametrize('counts', [2, 3, 20])
def test_accumulation_changes_nothing(method, counts):
    whole, split = toy.build(method), toy.build(method)
    dataset = dict(without_v=(1, 2, 3))  # the second of three micro-batches, (2, 3, 4), has one v only
    wrappers = {
        model: wrapper_for(model, method, accumulative_counts=n, clip_grad=dict(max_norm=0.2))
        for model, n in ((whole, 1), (split, counts))
    }
    for _ in range(3):
        logs = [drive(model, batch(**dataset), wrapper) for model, wrapper in wrappers.items()]
    for (name, value), other in zip(whole.state_dict().items(), split.state_dict().values()):
        torch.testing.assert_close(value, other, rtol=0, atol=1e-12, msg=name)
    torch.testing.assert_close(*logs, rtol=0, atol=1e-12)


class Schedule(UpdateSchedule):
    """Yields what a function makes of the model and the batch."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def updates(self, model, inputs, data_samples):
        yield from self.function(model, inputs['a'], inputs['v'])


def with_schedule(function, modulators=()):
    model = toy.build('plain')
    model.schedule = Schedule(function)
    model.modulators.extend(modulators)
    return model


def test_accumulation_refuses_a_loss_that_is_no_mean():
    def updates(model, a, v):
        yield Update(dict(loss_sum=model.encoders['a'](a).sum()), name='s', batch_mean=False)

    model = with_schedule(updates)
    drive(model, batch(), wrapper_for(model, 'plain'))
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=r"accumulative_counts.*'loss_sum'.*'s'.*batch_mean = True"):
        drive(model, batch(), wrapper_for(model, 'plain', accumulative_counts=2))
    assert_same(model, before)


@pytest.mark.parametrize('what', ['name', 'step', 'number'])
def test_micro_batches_must_have_the_same_updates(what):
    def updates(model, a, v):
        odd = bool(a.eq(first).all())
        yield Update(
            dict(loss=model.encoders['a'](a).mean()),
            name='x' if odd and what == 'name' else 'y',
            step=not (odd and what == 'step'),
            batch_mean=True,
        )
        if odd and what == 'number':
            yield Update(dict(loss=model.encoders['a'](a).mean()), name='y', batch_mean=True)

    data = batch()
    first = data['inputs']['a'][:4]
    model = with_schedule(updates)
    with pytest.raises(RuntimeError, match='different updates for the micro-batches'):
        drive(model, data, wrapper_for(model, 'plain', accumulative_counts=2))


def test_an_unknown_optimizer_is_named():
    def updates(model, a, v):
        yield Update(dict(loss=model.encoders['a'](a).mean()), optimizer='club')

    model = with_schedule(updates)
    with pytest.raises(ValueError, match=r"'club'.*\(None,\)"):
        drive(model, batch(), wrapper_for(model, 'plain'))
    inner = toy.build('inner')
    inner.schedule = model.schedule
    with pytest.raises(ValueError, match=r"'club'.*\('main', 'side'\)"):
        drive(inner, batch(), wrapper_for(inner, 'inner'))


def test_an_update_trains_only_its_parameters():
    seen = []

    def updates(model, a, v):
        both = model.head(model.encoders['a'](a) + model.encoders['v'](v)).square().mean()
        yield Update(dict(loss=both), 'v', list(model.encoders['v'].parameters()), retain_graph=True)
        yield Update(dict(loss=both), 'head', [model.head.weight])

    class Spy(torch.nn.Module):
        def forward(self, update):
            seen.append((update.name, [n for n, p in model.named_parameters() if p.grad is not None]))
            assert all(p.grad is not None for p in update.params)

    model = with_schedule(updates, [Spy()])
    before = copy.deepcopy(model)
    # momentum and weight decay would move what is not trained, were its gradient zero instead of None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9, weight_decay=0.1)
    drive(model, batch(), MutualOptimWrapper(optimizer))
    assert [name for name, _ in seen] == ['v', 'head']
    assert seen[0][1] == [f'encoders.v.{i}.{kind}' for i in (0, 3) for kind in ('weight', 'bias')]
    assert seen[1][1] == ['head.weight']
    changed = [n for (n, p), q in zip(model.named_parameters(), before.parameters()) if not torch.equal(p, q)]
    assert changed == [*seen[0][1], 'head.weight']
    assert all(p.grad is None for p in model.parameters())


def test_modulators_see_unclipped_gradients_in_order_and_without_a_graph():
    calls = []

    class First(torch.nn.Module):
        def forward(self, update):
            calls.append(('first', model.head.weight.grad.clone()))
            model.head.weight.grad = model.head.weight * 2  # would record a graph

    class Second(torch.nn.Module):
        def forward(self, update):
            calls.append(('second', model.head.weight.grad.clone()))
            assert not model.head.weight.grad.requires_grad
            update.logs['second'] = torch.tensor(7.0)

    def updates(model, a, v):
        yield Update(dict(loss=(model.head.weight * 3).sum()), name='u')

    model = with_schedule(updates, [First(), Second()])
    weight = model.head.weight.detach().clone()
    logs = drive(model, batch(), wrapper_for(model, 'plain', clip_grad=dict(max_norm=0.5)))
    assert [name for name, _ in calls] == ['first', 'second']
    assert torch.equal(calls[0][1], torch.full_like(weight, 3))
    assert torch.equal(calls[1][1], 2 * weight)
    assert logs['u.second'] == 7
    torch.testing.assert_close(logs['u.grad_norm'], (2 * weight).norm())
    torch.testing.assert_close(
        model.head.weight.detach(), weight - 0.2 * 0.5 * weight / weight.norm(), atol=1e-6, rtol=0
    )


def test_frozen_parameters_are_left_out_of_named_ones():
    def updates(model, a, v):
        yield Update(dict(loss=model.encoders['a'](a).mean()), params=list(model.encoders['a'].parameters()))
        yield Update(dict(loss=model.encoders['v'](v).square().mean()), params=list(model.encoders['v'].parameters()))

    model = with_schedule(updates)
    wrapper = wrapper_for(model, 'plain')
    model.encoders['a'].requires_grad_(False)
    model.encoders['v'][0].requires_grad_(False)
    before = copy.deepcopy(model)
    drive(model, batch(), wrapper)
    changed = [n for (n, p), q in zip(model.named_parameters(), before.parameters()) if not torch.equal(p, q)]
    assert changed == ['encoders.v.3.weight', 'encoders.v.3.bias']


def test_a_loss_without_graph_trains_nothing():
    def updates(model, a, v):
        yield Update(dict(loss=torch.zeros(())), name='v')

    model = with_schedule(updates)
    before = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, weight_decay=0.1)
    assert drive(model, batch(), MutualOptimWrapper(optimizer)) == {'v.loss': torch.zeros(())}
    assert_same(model, before)


@pytest.mark.parametrize('method', toy.METHODS)
def test_a_step_reads_nothing_from_the_device(method):
    class Count(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            counts[func.overloadpacket] += 1
            return func(*args, **(kwargs or {}))

    counts = Counter()
    model, data = toy.build(method), batch(without_v=(0,))
    wrapper = wrapper_for(model, method, clip_grad=dict(max_norm=0.1))
    for single in wrapper.values() if method == 'inner' else [wrapper]:
        for group in single.optimizer.param_groups:
            group.update(momentum=0.9, weight_decay=0.1)
    with Count():
        drive(model, data, wrapper)
    assert counts[torch.ops.aten.addmm] > 0
    assert counts[torch.ops.aten._local_scalar_dense] == counts[torch.ops.aten.nonzero] == 0
    with Count():
        bool(torch.ones(1))
    assert counts[torch.ops.aten._local_scalar_dense] == 1, 'the counter does not count'


class SavedBytes:
    """Bytes of activations that autograd holds: now, and at most."""

    def __init__(self, model):
        self.now = self.peak = 0
        self.own = {p.data_ptr() for p in model.parameters()}

    def pack(self, tensor):
        return Saved(self, tensor)

    def measure(self, function, *args):
        with torch.autograd.graph.saved_tensors_hooks(self.pack, lambda saved: saved.tensor):
            function(*args)
        assert self.now == 0
        return self.peak


class Saved:
    def __init__(self, meter, tensor):
        self.meter, self.tensor = meter, tensor
        self.size = 0 if tensor.data_ptr() in meter.own else tensor.nbytes
        meter.now += self.size
        meter.peak = max(meter.peak, meter.now)

    def __del__(self):
        self.meter.now -= self.size


def test_one_encoder_and_one_micro_batch_are_in_memory_at_a_time():
    def peak(method, counts=1):
        model = toy.build(method)
        return SavedBytes(model).measure(
            drive, model, batch(24), wrapper_for(model, method, accumulative_counts=counts)
        )

    joint, alternating = peak('plain'), peak('alternating')
    assert alternating < 0.7 * joint
    assert peak('alternating', 2) < 0.6 * alternating
    assert peak('plain', 3) < 0.4 * joint


def test_a_stock_optim_wrapper_is_refused():
    model = toy.build('joint')
    stock = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(TypeError, match=r"optim_wrapper is a OptimWrapper.*'mmmutual.MutualOptimWrapper'"):
        drive(model, batch(), stock)


def test_wrappers_of_one_model_must_agree():
    model = toy.build('inner')
    one, two = dict(optimizer=dict(type='SGD', lr=0.1)), dict(modules=['side'], optimizer=dict(type='SGD', lr=0.1))
    wrappers = MultiOptimWrapperConstructor(dict(main=one, side=dict(two, accumulative_counts=2)))(model)
    with pytest.raises(ValueError, match='the same amp_dtype and the same accumulative_counts'):
        drive(model, batch(), wrappers)


def test_toys_are_registered_for_a_config():
    assert MODELS.get('ToyAlternating') is toy.ToyAlternating
