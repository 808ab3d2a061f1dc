"""The optim wrapper: clipping by hand, mixed precision on the CPU, what it refuses."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.optim import MultiStepLR
from torch import nn

from mmmutual.engine import MutualOptimWrapper, Update, UpdateSchedule, drive, optim_wrapper

from . import toy_methods as toy


def groups(**clip_groups):
    params = {name: nn.Parameter(torch.zeros(len(grad))) for name, grad in clip_groups.items()}
    for name, p in params.items():
        p.grad = torch.tensor(clip_groups[name])
    return params


def sgd(params, **kwargs):
    return torch.optim.SGD(params, lr=1.0, **kwargs)


def test_each_group_is_clipped_by_its_own_norm():
    p = groups(a1=[3.0], a2=[4.0], b=[0.3, 0.4], c=[6.0, 8.0])
    none = nn.Parameter(torch.ones(1))
    wrapper = MutualOptimWrapper(
        sgd(
            [
                dict(params=[p['a1'], none], clip_group='a'),
                dict(params=[p['b']], clip_group='b'),
                dict(params=[p['a2']], clip_group='a'),
                dict(params=[p['c']]),
                dict(params=[nn.Parameter(torch.ones(1))], clip_group='without gradients'),
            ]
        ),
        clip_grad=dict(max_norm=1.0),
    )
    norms = wrapper.step()
    assert {name: round(norm.item(), 5) for name, norm in norms.items()} == {
        'a.grad_norm': 5.0,
        'b.grad_norm': 0.5,
        'grad_norm': 10.0,
    }
    for name, value in dict(a1=[-0.6], a2=[-0.8], b=[-0.3, -0.4], c=[-0.6, -0.8]).items():
        torch.testing.assert_close(p[name].detach(), torch.tensor(value), rtol=1e-5, atol=1e-5)
    assert none == 1


def test_other_norms_and_no_clipping():
    p = groups(a=[3.0, -4.0])['a']
    wrapper = MutualOptimWrapper(sgd([p]), clip_grad=dict(max_norm=1.0, norm_type='inf'))
    assert wrapper.step()['grad_norm'] == 4
    torch.testing.assert_close(p.detach(), torch.tensor([-0.75, 1.0]), rtol=1e-5, atol=1e-5)
    p = groups(a=[3.0, -4.0])['a']
    assert MutualOptimWrapper(sgd([p])).step() == {}
    assert p.tolist() == [-3, 4]


@pytest.mark.parametrize(
    ('option', 'words'),
    [
        (dict(accumulative_counts=0), 'accumulative_counts must be an integer of at least 1, got 0'),
        (dict(accumulative_counts=1.5), 'got 1.5'),
        (dict(amp_dtype='half'), "None, 'auto', 'bfloat16' or 'float16', got 'half'"),
        (dict(clip_grad=dict(type='value', max_norm=1)), r"clip_grad takes .*max_norm.*, got \['type'\]"),
        (dict(clip_grad=dict(norm_type=2)), r"clip_grad needs max_norm.*{'norm_type': 2}"),
        (dict(clip_grad=dict()), 'clip_grad needs max_norm'),
    ],
)
def test_options_that_are_refused(option, words):
    with pytest.raises(ValueError, match=words):
        MutualOptimWrapper(sgd([nn.Parameter(torch.ones(1))]), **option)


def test_update_params_is_refused():
    wrapper = MutualOptimWrapper(sgd([nn.Parameter(torch.ones(1))]))
    with pytest.raises(
        TypeError, match="'mmmutual.MutualDistributedDataParallel'.*'OptimWrapper' or 'AmpOptimWrapper'"
    ):
        wrapper.update_params(torch.ones(()))


def test_mmengine_schedulers_see_the_steps(recwarn):
    p = nn.Parameter(torch.ones(1))
    p.grad = torch.ones(1)
    wrapper = MutualOptimWrapper(sgd([p]))
    scheduler = MultiStepLR(wrapper, milestones=[2], gamma=0.1)
    for lr in (1.0, 0.1, 0.1):
        wrapper.step()
        scheduler.step()
        assert wrapper.get_lr()['lr'] == [pytest.approx(lr)]
    assert not [w for w in recwarn if 'scheduler' in str(w.message)], 'mmengine counts calls of step()'


# mixed precision


def batch(dtype='float32'):
    dataset = toy.ToyPairs(dtype=dtype)
    return default_collate([dataset[i] for i in range(8)])


class Types(nn.Module):
    """Notes in which types the forward ran and the gradients are."""

    def __init__(self, model):
        super().__init__()
        self.forward_types, self.gradient_types = set(), set()
        model.head.register_forward_hook(lambda module, args, output: self.forward_types.add(output.dtype))
        model.modulators.append(self)

    def forward(self, step):
        self.gradient_types |= {p.grad.dtype for p in step.params if p.grad is not None}


@pytest.mark.parametrize('method', toy.METHODS)
@pytest.mark.parametrize(('amp_dtype', 'dtype'), [('auto', torch.bfloat16), ('float16', torch.float16), (None, None)])
def test_the_forward_runs_in_the_type_asked_for(method, amp_dtype, dtype):
    model = toy.build(method, dtype='float32')
    types = Types(model)
    wrapper = toy.optim_wrapper(method, model, amp_dtype=amp_dtype)
    before = copy.deepcopy(model)
    logs = drive(model, batch(), wrapper)
    assert types.forward_types == {dtype or torch.float32}
    assert types.gradient_types == {torch.float32}
    assert all(not torch.equal(p, q) for p, q in zip(model.parameters(), before.parameters()))
    assert all(torch.isfinite(value) for value in logs.values())


def test_auto_takes_float16_only_on_gpus_without_bfloat16(monkeypatch):
    on_gpu = [SimpleNamespace(is_cuda=True)]
    for supported, expected in ((True, 'bfloat16'), (False, 'float16')):
        monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda supported=supported, **kwargs: supported)
        assert optim_wrapper._resolve('auto', on_gpu) == expected
    assert optim_wrapper._resolve('auto', [nn.Parameter(torch.ones(1))]) == 'bfloat16'
    assert optim_wrapper._resolve('float16', on_gpu) == 'float16'
    assert optim_wrapper._resolve(None, on_gpu) is None


class TwoLosses(UpdateSchedule):
    """Keeps the gradients of ``first * sum(bias)``, then steps on ``second * sum(bias)``."""

    def __init__(self, first=1.0, second=1.0):
        super().__init__()
        self.first, self.second = first, second

    def updates(self, model, inputs, data_samples):
        total = model.head.bias.sum()
        yield Update(dict(loss=total * self.first), name='kept', step=False)
        yield Update(dict(loss=total * self.second), name='stepped')


class AddKept(nn.Module):
    def forward(self, step):
        self.seen = {name: p.grad.clone() for name, p in step.model.named_parameters() if p.grad is not None}
        if step.name == 'stepped':
            step.model.head.bias.grad += step.kept['kept'][step.model.head.bias]


def scaled(first=1.0, second=1.0):
    model = toy.build('plain', dtype='float32')
    model.schedule = TwoLosses(first, second)
    model.modulators.append(AddKept())
    return model, MutualOptimWrapper(sgd(model.parameters()), amp_dtype='float16')


def test_float16_modulators_see_gradients_without_the_scale():
    model, wrapper = scaled(2.0, 3.0)
    bias = model.head.bias.detach().clone()
    assert wrapper.scaler.scale == 2**16
    drive(model, batch(), wrapper)
    torch.testing.assert_close(model.modulators[0].seen['head.bias'], torch.full((3,), 3.0))
    torch.testing.assert_close(model.head.bias.detach(), bias - 5.0)


@pytest.mark.parametrize(('first', 'second'), [(1e38, 1.0), (1.0, 1e38), (float('nan'), 1.0)])
def test_float16_overflow_of_either_gradient_skips_the_step_and_halves_the_scale(first, second):
    model, wrapper = scaled(first, second)
    before = copy.deepcopy(model)
    drive(model, batch(), wrapper)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before.parameters()))
    assert wrapper.scaler.scale == 2**15
    model.schedule.first = model.schedule.second = 1.0
    drive(model, batch(), wrapper)
    assert not torch.equal(model.head.bias, before.head.bias)
    assert wrapper.scaler.scale == 2**15


def test_float16_overflow_of_the_forward_itself():
    model = toy.build('alternating', dtype='float32')
    wrapper = MutualOptimWrapper(sgd(model.parameters()), amp_dtype='float16')
    wrapper.scaler.scale = 2.0**60  # gradients of activations are float16, whose largest number is 65504
    before = copy.deepcopy(model)
    drive(model, batch(), wrapper)
    assert wrapper.scaler.scale == 2.0**58
    assert torch.equal(model.head.weight, before.head.weight)


def test_float16_matches_float32_roughly():
    found = []
    for amp_dtype in (None, 'float16', 'bfloat16'):
        model = toy.build('alternating', dtype='float32')
        drive(model, batch(), MutualOptimWrapper(sgd(model.parameters()), amp_dtype=amp_dtype))
        found.append(model.encoders['v'][0].weight.detach())
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=2e-3)
    torch.testing.assert_close(found[2], found[0], rtol=0, atol=2e-2)
    assert not torch.equal(found[1], found[0])


def test_the_scale_is_part_of_the_state():
    p = nn.Parameter(torch.ones(1))
    wrapper, other = (MutualOptimWrapper(sgd([p]), amp_dtype='float16') for _ in range(2))
    wrapper.scaler.scale = 4.0
    state = wrapper.state_dict()
    other.load_state_dict(state)
    assert other.scaler.scale == 4
    full = MutualOptimWrapper(sgd([p]))
    full.load_state_dict(state)
    assert full.scaler is None
    assert 'loss_scaler' not in full.state_dict()
