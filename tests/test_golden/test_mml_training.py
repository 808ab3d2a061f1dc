"""Optimiser and training of MML against the original, ``golden/mml``: every setting is read from the fixtures."""

from typing import Dict, List

import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmmutual.engine import drive
from mmmutual.evaluation.functional import topk_accuracy
from mmmutual.structures import MultiModalDataSample

from . import mml_original as original
from .mml_arrays import Arrays, arrays, load_json

# In the order of the columns of lr_schedule.npz (spec/mml.md 4.3).
GROUPS = (
    *('first_conv_weight', 'first_conv_bias', 'normal_weight', 'normal_bias'),
    *('bn', 'custom_ops', 'lr5_weight', 'lr10_bias'),
)
# The README's, of the first step and of what follows it in ill-conditioned cases.
TOLERANCE, AFTER_ILL_CONDITIONED = 2e-3, 5e-2


def optim_wrapper_cfg(lr: float, wd: float, fc_lr5: bool, momentum: float = 0.0, clip: float = None) -> dict:
    return dict(
        type='mmmutual.MutualOptimWrapper',
        constructor='mmmutual.BranchOptimWrapperConstructor',
        optimizer=dict(type='SGD', lr=lr, momentum=momentum, weight_decay=wd),
        paramwise_cfg=dict(groups='tsm', fc_lr5=fc_lr5),
        clip_grad=None if clip is None else dict(max_norm=clip),
    )


def test_param_groups(golden):
    cases = load_json(golden, 'param_groups.json')
    assert cases
    for case, groups in cases.items():
        arch, *options = case.split('/')
        fc_lr5 = 'fc_lr5=True' in options
        branch = original.branch_cfg(
            'RGB', arch, 5, 4, partial_bn='partial_bn=True' in options, non_local='non_local' in options
        )
        model = original.classifier({'net': branch})
        optimizer = build_optim_wrapper(model, optim_wrapper_cfg(1.0, 1.0, fc_lr5)).optimizer
        names = {id(p): name for name, p in model.branches['net'].named_parameters()}
        ours = {
            group['name'].split('.')[-1]: (
                group['lr'],
                group['weight_decay'],
                [names[id(p)] for p in group['params']],
            )
            for group in optimizer.param_groups
        }
        # The bias that mmcv's non-local block doesn't have is the one difference of the networks (spec/mml.md 3.4).
        golden_groups = {
            group['name'].replace('BN scale/shift', 'bn'): (
                group['lr_mult'],
                group['decay_mult'],
                [original.our_name(name) for name in group['params'] if not name.endswith('.nl.W.0.bias')],
            )
            for group in groups
            if group['params']
        }
        assert set(ours) == set(golden_groups), case
        for name, (lr_mult, decay_mult, params) in golden_groups.items():
            assert ours[name][:2] == (lr_mult, decay_mult), (case, name)
            if 'non_local' in options:  # other order of g, theta, phi, conv_out inside mmcv's block
                assert sorted(ours[name][2]) == sorted(params), (case, name)
            else:
                assert ours[name][2] == params, (case, name)


def test_lr_schedule(golden):
    with arrays(golden, 'lr_schedule') as data:
        kinds = [name[: -len('_cfg')] for name in data if name.endswith('_cfg')]
        assert kinds
        for kind in kinds:
            lr, wd, epochs = data[f'{kind}_cfg'].tolist()
            steps = data[f'{kind}_steps'].tolist()
            if kind == 'cos':
                assert not steps
                cfg = dict(type='CosineAnnealingLR', T_max=int(epochs), eta_min=0)
            else:
                cfg = dict(type='MultiStepLR', milestones=steps, gamma=0.1)
            expected = dict(lr=data[f'{kind}_lr'], weight_decay=data[f'{kind}_wd'])
            assert {values.shape for values in expected.values()} == {(int(epochs), len(GROUPS))}
            compare_schedule(dict(cfg, by_epoch=True), lr, wd, expected)


def compare_schedule(cfg: dict, lr: float, wd: float, expected: Dict[str, np.ndarray]) -> None:
    model = original.classifier({'net': original.branch_cfg('RGB', 'resnet18', 5, 4)})
    optimizer = build_optim_wrapper(model, optim_wrapper_cfg(lr, wd, fc_lr5=True)).optimizer
    scheduler = PARAM_SCHEDULERS.build(dict(cfg, optimizer=optimizer))
    groups = {group['name'].split('.')[-1]: group for group in optimizer.param_groups}
    # A ResNet has no bias in a convolution and no custom layer, and fc_lr5 takes the classifier's.
    assert set(groups) == set(GROUPS) - {'first_conv_bias', 'normal_bias', 'custom_ops'}
    for epoch in range(len(expected['lr'])):
        for name, group in groups.items():
            for option, values in expected.items():
                golden = values[epoch, GROUPS.index(name)]
                np.testing.assert_allclose(group[option], golden, rtol=1e-5, atol=1e-9, err_msg=f'{name} {epoch}')
        optimizer.step()
        scheduler.step()


def test_training(golden, settings, train_case):
    cfg = load_json(golden, 'train_cfg.json')[train_case]
    constants = settings['constants']['train']
    ill_conditioned = train_case in settings['ill_conditioned_after_first_step']
    model = build_peers(cfg, constants)
    wrapper_cfg = optim_wrapper_cfg(cfg['lr'], cfg['wd'], cfg['lr5'], constants['momentum'], cfg['gd'])
    wrapper = build_optim_wrapper(model, wrapper_cfg)
    recorder = GradientRecorder()
    model.modulators.append(recorder)
    model.train()
    with arrays(golden, 'training', train_case) as data:
        epoch, after = [], AFTER_ILL_CONDITIONED if ill_conditioned else TOLERANCE
        for step in range(cfg['steps']):
            x, labels = draw_step(cfg, constants, step)
            assert x.sum(dtype='float64') == pytest.approx(data['x_checksum'][step], rel=1e-5)
            np.testing.assert_array_equal(labels, data['labels'][step])
            clips = original.split_input(x, cfg['modality'], cfg['T'])
            batch = dict(
                inputs=dict(zip(model.branches, clips)),
                data_samples=[MultiModalDataSample().set_gt_label(int(label)) for label in labels],
            )
            epoch.append(drive(model, batch, wrapper))
            tolerance = after if step else TOLERANCE
            for r, name in enumerate(model.branches):
                assert_step(recorder, epoch[-1], name, cfg['param_names'], at(data, r, step), tolerance)
        for r, name in enumerate(model.branches):
            assert_state_after(model.branches[name].state_dict(), cfg['param_names'], data, r, after)
            logged, logits = dict(cfg['tb'][str(r)]), data[f'p{r}_logits']
            assert_epoch_scalars(logged, epoch, name, logits, data['labels'], ill_conditioned)
            assert_logged_rate(logged['lr'], wrapper.optimizer.param_groups, name, cfg['lr5'])


def build_peers(cfg: dict, constants: dict) -> torch.nn.Module:
    """Peers named peer0, peer1 ... in the order of the modalities, filled with the original's weights."""
    branches = {}
    for r, modality in enumerate(cfg['modality']):
        options = dict(shift_div=constants['shift_div'], dropout=constants['dropout'], partial_bn=not cfg['npb'])
        branches[f'peer{r}'] = original.branch_cfg(
            modality, cfg['arch'], cfg['C'], cfg['T'], input=f'peer{r}', **options
        )
    model = original.classifier(branches)
    for r, branch in enumerate(model.branches.values()):
        # There is no list of the original's keys: they are those of the network, mapped back.
        floating = {name: value for name, value in branch.state_dict().items() if value.is_floating_point()}
        shapes = {original_name(name, constants['classifier_key']): value.shape for name, value in floating.items()}
        original.fill_branch(branch, shapes, constants['weight_hash_prefix'].format(r=r))
    return model


def original_name(ours: str, classifier_key: str) -> str:
    """The inverse of ``our_name`` for ResNets with shift in ``blockres`` or none."""
    name = ours.replace('head.fc.', f'{classifier_key}.').replace('encoder.backbone.', 'base_model.')
    name = name.replace('.downsample.conv.', '.downsample.0.').replace('.downsample.bn.', '.downsample.1.')
    for n in '123':
        name = name.replace(f'.conv{n}.conv.', f'.conv{n}.').replace(f'.conv{n}.bn.', f'.bn{n}.')
    return name


class GradientRecorder(torch.nn.Module):
    """A modulator that keeps the norm of each gradient before clipping, 0 where there is none, and edits none."""

    def forward(self, step):
        self.outputs = step.outputs
        self.norms = {
            name: {key: 0.0 if p.grad is None else p.grad.norm().item() for key, p in branch.named_parameters()}
            for name, branch in step.model.branches.items()
        }


def draw_step(cfg: dict, constants: dict, step: int):
    """Input (B, T * channels, S, S) of all peers, and labels (B,)."""
    channels = sum(original.LOADED[modality] for modality in cfg['modality'])
    x = original.random_input(cfg['seed'] + step, (cfg['B'], cfg['T'] * channels, cfg['S'], cfg['S']))
    rng = np.random.RandomState(cfg['seed'] + constants['label_seed_offset'] + step)
    return x, rng.randint(0, cfg['C'], cfg['B'])


def at(data: Arrays, r: int, step: int) -> Dict[str, np.ndarray]:
    """What is stored of one step of peer r."""
    return {name: data[f'p{r}_{name}'][step] for name in ('logits', 'ce', 'kl', 'grad_norm', 'total_norm')}


def assert_step(
    recorder: GradientRecorder,
    logs: Dict[str, torch.Tensor],
    name: str,
    param_names: List[str],
    expected: Dict[str, np.ndarray],
    tolerance: float,
) -> None:
    norms = np.array([recorder.norms[name][original.our_name(key)] for key in param_names])
    ours = dict(
        logits=recorder.outputs[f'logits.{name}'],
        ce=logs[f'{name}.loss_cls'],
        kl=logs.get(f'{name}.loss_mutual', torch.zeros(())),  # one peer alone has none
        grad_norm=norms,
        total_norm=np.linalg.norm(norms),
    )
    for key, value in ours.items():
        assert original.relative_error(value, expected[key]) < tolerance, f'{name} {key}'


def assert_state_after(
    state: Dict[str, torch.Tensor], param_names: List[str], data: Arrays, r: int, tolerance: float
) -> None:
    """Parameters and buffers of peer r after the last step."""
    backbone = 'encoder.backbone'
    after = {
        'param_norm': np.array([state[original.our_name(key)].norm().item() for key in param_names]),
        'fc_bias': state['head.fc.bias'],
        'fc_weight_row0': state['head.fc.weight'][0],
        'conv1_slice': state[f'{backbone}.conv1.conv.weight'][0],
        'bn1_mean': state[f'{backbone}.conv1.bn.running_mean'],
        'bn1_var': state[f'{backbone}.conv1.bn.running_var'],
        'bn1_weight': state[f'{backbone}.conv1.bn.weight'],
        'l4bn_mean': state[f'{backbone}.layer4.1.conv2.bn.running_mean'],
        'l4bn_weight': state[f'{backbone}.layer4.1.conv2.bn.weight'],
    }
    for key, value in after.items():
        assert original.relative_error(value, data[f'p{r}_{key}_after']) < tolerance, f'peer{r} {key}'
    batches = [state[f'{backbone}.{bn}.num_batches_tracked'] for bn in ('conv1.bn', 'layer4.1.conv2.bn')]
    assert [int(n) for n in batches] == data[f'p{r}_bn1_num_batches'].tolist()


def assert_epoch_scalars(
    logged: Dict[str, float],
    epoch: List[Dict[str, torch.Tensor]],
    name: str,
    logits: np.ndarray,
    labels: np.ndarray,
    ill_conditioned: bool,
) -> None:
    """What the original logs of an epoch against our logs of its steps.

    Our training logs no top-5 accuracy: for it, and for top-1 again, our function of the evaluation is compared, on the
    original's logits. The fixtures hold nothing of the validation (``loss/test``, ``acc/test_top1`` ...).
    """
    tolerance = AFTER_ILL_CONDITIONED if ill_conditioned else TOLERANCE
    assert set(logged) == {'loss/train', 'loss/mutual', 'acc/train_top1', 'acc/train_top5', 'lr'}

    def mean(scalar):
        return np.mean([float(logs.get(f'{name}.{scalar}', 0.0)) for logs in epoch])

    assert mean('loss_cls') == pytest.approx(logged['loss/train'], rel=tolerance)
    assert mean('loss_mutual') == pytest.approx(logged['loss/mutual'], rel=tolerance)
    if not ill_conditioned:  # there a sample may change sides
        assert 100 * mean('top1') == pytest.approx(logged['acc/train_top1'], rel=1e-6)
    top = topk_accuracy(torch.from_numpy(logits).flatten(0, 1), torch.from_numpy(labels).flatten(), (1, 5))
    theirs = [logged['acc/train_top1'], logged['acc/train_top5']]
    assert [100 * top[1], 100 * top[5]] == pytest.approx(theirs, rel=1e-6)


def assert_logged_rate(logged: float, groups: List[dict], name: str, fc_lr5: bool) -> None:
    """The original logs the rate of its last group, ten times the base rate even if it is empty (spec/mml.md 6.27)."""
    rates = {group['name']: group['lr'] for group in groups}
    ours = rates[f'{name}.lr10_bias'] if fc_lr5 else 10 * rates[f'{name}.first_conv_weight']
    assert ours == pytest.approx(logged, rel=1e-6)
