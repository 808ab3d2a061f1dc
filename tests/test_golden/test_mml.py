"""MML against the numbers of the original code, ``golden/mml``: every setting is read from the fixtures."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmmutual.apis.checkpoint_conversion import read_branch
from mmmutual.engine import drive
from mmmutual.models.encoders import temporal_shift
from mmmutual.models.losses import BranchCrossEntropy, MutualKLLoss
from mmmutual.structures import MultiModalDataSample

from . import mml_original as original


@pytest.fixture(scope='module')
def golden(golden_root):
    return golden_root / 'mml'


@pytest.fixture(scope='module')
def keys(golden):
    return json.loads((golden / 'keys.json').read_text())


def load_json(golden: Path, name: str) -> dict:
    return json.loads((golden / name).read_text())


def pytest_generate_tests(metafunc):
    """One test per case of the set at hand, whatever its names are."""
    kinds = dict(forward_case='forward_cfg.json', train_case='train_cfg.json', gradient_case='grad_*.npz')
    for argument, files in kinds.items():
        if argument in metafunc.fixturenames:
            folder = Path(__file__).parents[2] / metafunc.config.getoption('--golden-root') / 'mml'
            found = sorted(folder.glob(files))
            if argument == 'gradient_case':
                cases = [path.stem[len('grad_') :] for path in found]
            else:
                cases = list(json.loads(found[0].read_text())) if found else []
            metafunc.parametrize(argument, cases)


def test_shift(golden):
    data = np.load(golden / 'shift.npz')
    cases = sorted(int(name[3:]) for name in data.files if name.startswith('cfg'))
    assert cases
    for i in cases:
        _, segments, _, _, shift_div = data[f'cfg{i}'].tolist()
        x = torch.from_numpy(data[f'x{i}']).requires_grad_()
        y = temporal_shift(x, segments, shift_div)
        (y * torch.from_numpy(data[f'w{i}'])).sum().backward()
        np.testing.assert_array_equal(y.detach().numpy(), data[f'y{i}'])
        np.testing.assert_array_equal(x.grad.numpy(), data[f'dx{i}'])


def test_mutual_loss(golden):
    data = np.load(golden / 'mutual_loss.npz')
    peers = sorted(name[: -len('_z')] for name in data.files if name.endswith('_z'))
    assert peers
    for k in peers:
        z = torch.from_numpy(data[f'{k}_z']).requires_grad_()
        labels = torch.from_numpy(data[f'{k}_y'])
        logits = {f'peer{i}': z[i] for i in range(len(z))}
        ce, kl = BranchCrossEntropy()(logits, labels), MutualKLLoss()(logits)
        sum([*ce.values(), *kl.values()]).backward()
        assert original.relative_error(torch.stack(list(ce.values())), data[f'{k}_ce']) < 1e-5
        assert original.relative_error(torch.stack(list(kl.values())), data[f'{k}_kl']) < 1e-4
        assert original.relative_error(z.grad, data[f'{k}_dz']) < 1e-5
        target = torch.softmax((z.detach().sum(0) - z.detach()) / (len(z) - 1), dim=-1)
        assert original.relative_error(target, data[f'{k}_target']) < 1e-5


def stem_pairs(golden: Path) -> dict:
    """(source, target) -> kernels before and after; the same modality keeps its kernel (spec/mml.md 3.5)."""
    data = np.load(golden / 'stem_transfer.npz')
    pairs = {tuple(name.split('_to_')): data[name] for name in data.files if '_to_' in name}
    assert pairs
    pairs.update({(name, name): data[f'src_{name}'] for name in {source for source, _ in pairs}})
    return {(source, target): (data[f'src_{source}'], after) for (source, target), after in pairs.items()}


def test_stem_transfer(golden, tmp_path):
    """Through ``tune_from`` in every direction, on narrow networks with as many kernels as are stored."""
    for (source, target), (before, after) in stem_pairs(golden).items():
        trained = original.classifier({'a': narrow_branch(source, len(before))})
        with torch.no_grad():
            trained.branches['a'].encoder.backbone.conv1.conv.weight.copy_(torch.from_numpy(before))
        torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'source.pth')
        tune_from = dict(checkpoint=str(tmp_path / 'source.pth'), source_modality=source.lower())
        model = original.classifier({'b': dict(narrow_branch(target, len(before)), tune_from=tune_from)})
        model.init_weights()
        ours = model.branches['b'].encoder.backbone.conv1.conv.weight.detach()
        np.testing.assert_allclose(ours.numpy(), after, rtol=1e-5, atol=1e-7, err_msg=f'{source} to {target}')


def narrow_branch(modality: str, width: int) -> dict:
    branch = original.branch_cfg(modality, 'resnet18', 5, 4, base_channels=width)
    branch['head']['in_channels'] = width * 8
    return branch


def build_network(cfg: dict, shapes: dict, folder: Path) -> torch.nn.Module:
    """Our model, filled by a checkpoint of the original as tools/model_converters/mml_to_mmmutual.py reads it."""
    branch = original.branch_cfg(
        cfg['modality'],
        cfg['base_model'],
        cfg['num_class'],
        cfg['num_segments'],
        shift=cfg['is_shift'],
        dropout=cfg.get('dropout', 0.5),
        non_local=cfg.get('non_local', False),
        shift_div=cfg.get('shift_div', 8),
        shift_place=cfg.get('shift_place', 'blockres'),
        temporal_pool=cfg.get('temporal_pool', False),
    )
    model = original.classifier({'net': branch})
    torch.save(original.checkpoint(shapes), folder / 'original.pth.tar')
    model.load_state_dict(read_branch(str(folder / 'original.pth.tar'), 'net', ['base_model.']))
    return model.eval()


def network_input(model: torch.nn.Module, cfg: dict) -> torch.Tensor:
    x = original.random_input(cfg['input_seed'], cfg['input_shape'])
    (clips,) = original.split_input(x, [cfg['modality']], cfg['num_segments'])
    name = cfg['modality'].lower()
    return model.data_preprocessor(dict(inputs={name: clips}))['inputs'][name]


def test_forward(golden, keys, forward_case, tmp_path):
    cfg = load_json(golden, 'forward_cfg.json')[forward_case]
    if cfg['base_model'] == 'BNInception':
        pytest.skip('BNInception, an optional network of the golden set, is not built here')
    data = np.load(golden / f'{forward_case}.npz')
    model = build_network(cfg, keys[forward_case[len('fwd_') :]], tmp_path)
    backbone = model.branches['net'].encoder.backbone
    seen = {}

    def keep(name):
        return lambda module, args, out: seen.__setitem__(f'pool_{name}', out.mean(dim=(2, 3)))

    if cfg['base_model'].startswith('resnet'):
        backbone.conv1.conv.register_forward_hook(keep('conv1'))
        for name in backbone.res_layers:
            getattr(backbone, name).register_forward_hook(keep(name))
    with torch.no_grad():
        x = network_input(model, cfg)
        features, logits = model.branches['net'](x)
        frame_logits = model.branches['net'].head.fc(features)
    tolerance = 1e-4
    assert original.relative_error(logits, data['logits']) < tolerance
    assert original.relative_error(frame_logits, data['frame_logits']) < tolerance
    pools = [name for name in data.files if name.startswith('pool_')]
    assert pools or not cfg['base_model'].startswith('resnet')
    for name in pools:
        assert original.relative_error(seen[name], data[name]) < tolerance, name


def test_gradient(golden, keys, gradient_case, tmp_path):
    cfg = load_json(golden, 'forward_cfg.json')[f'fwd_{gradient_case}']
    data = np.load(golden / f'grad_{gradient_case}.npz')
    model = build_network(cfg, keys[gradient_case], tmp_path)
    _, logits = model.branches['net'](network_input(model, cfg))
    loss = F.cross_entropy(logits, torch.from_numpy(data['label']))
    loss.backward()
    assert original.relative_error(loss.reshape(1), data['loss']) < 1e-4
    params = dict(model.branches['net'].named_parameters())
    norms = [params[original.our_name(name)].grad.norm().item() for name in keys[f'grad_{gradient_case}']]
    assert original.relative_error(np.array(norms), data['grad_norm']) < 1e-3


def optim_wrapper_cfg(lr: float, wd: float, fc_lr5: bool, clip: float = None) -> dict:
    return dict(
        type='mmmutual.MutualOptimWrapper',
        constructor='mmmutual.BranchOptimWrapperConstructor',
        optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=wd),
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


@pytest.mark.parametrize('kind', ['step', 'cos'])
def test_lr_schedule(golden, kind):
    data = np.load(golden / 'lr_schedule.npz')
    lr, wd, epochs = data[f'{kind}_cfg'].tolist()
    epochs = int(epochs)
    model = original.classifier({'net': original.branch_cfg('RGB', 'resnet18', 5, 4)})
    original_order = [
        'first_conv_weight', 'first_conv_bias', 'normal_weight', 'normal_bias', 'bn', 'custom_ops', 'lr5_weight',
        'lr10_bias',
    ]  # fmt: skip
    optimizer = build_optim_wrapper(model, optim_wrapper_cfg(lr, wd, fc_lr5=True)).optimizer
    if kind == 'step':
        cfg = dict(type='MultiStepLR', milestones=data['step_steps'].tolist(), gamma=0.1)
    else:
        cfg = dict(type='CosineAnnealingLR', T_max=epochs, eta_min=0)
    scheduler = PARAM_SCHEDULERS.build(dict(cfg, by_epoch=True, optimizer=optimizer))
    columns = {group['name'].split('.')[-1]: i for i, group in enumerate(optimizer.param_groups)}
    compared = 0
    for epoch in range(epochs):
        for column, name in enumerate(original_order):
            if name in columns:
                group = optimizer.param_groups[columns[name]]
                np.testing.assert_allclose(group['lr'], data[f'{kind}_lr'][epoch, column], rtol=1e-5, atol=1e-9)
                np.testing.assert_allclose(group['weight_decay'], data[f'{kind}_wd'][epoch, column], rtol=1e-5)
                compared += 1
        optimizer.step()
        scheduler.step()
    assert compared == 5 * epochs  # of the eight groups a ResNet with fc_lr5 fills five


def test_training(golden, train_case):
    case, cfg = train_case, load_json(golden, 'train_cfg.json')[train_case]
    data = np.load(golden / f'train_{case}.npz')
    settings = load_json(golden, 'settings.json')
    constants = settings['constants']['train']
    ill_conditioned = case in settings['ill_conditioned_after_first_step']
    names = [f'peer{r}' for r in range(len(cfg['modality']))]
    model = original.classifier(
        {
            name: original.branch_cfg(
                modality,
                cfg['arch'],
                cfg['C'],
                cfg['T'],
                input=name,
                partial_bn=not cfg['npb'],
                shift_div=constants['shift_div'],
                dropout=constants['dropout'],
            )  # fmt: skip
            for name, modality in zip(names, cfg['modality'])
        }
    )
    for r, name in enumerate(names):
        fill_from_parameters(model.branches[name], constants['weight_hash_prefix'].format(r=r))
    wrapper = build_optim_wrapper(model, optim_wrapper_cfg(cfg['lr'], cfg['wd'], cfg['lr5'], cfg['gd']))
    recorder = GradientRecorder()
    model.modulators.append(recorder)
    model.train()
    channels = sum(original.LOADED[m] for m in cfg['modality'])
    for step in range(cfg['steps']):
        x = original.random_input(cfg['seed'] + step, (cfg['B'], cfg['T'] * channels, cfg['S'], cfg['S']))
        labels = np.random.RandomState(cfg['seed'] + constants['label_seed_offset'] + step).randint(
            0, cfg['C'], cfg['B']
        )
        np.testing.assert_array_equal(labels, data['labels'][step])
        clips = original.split_input(x, cfg['modality'], cfg['T'])
        batch = dict(
            inputs=dict(zip(names, clips)),
            data_samples=[MultiModalDataSample().set_gt_label(int(label)) for label in labels],
        )
        logs = drive(model, batch, wrapper)
        tolerance = 5e-2 if ill_conditioned and step else 2e-3
        for r, name in enumerate(names):
            where = f'{case} step {step} {name}'
            branch = model.branches[name]
            assert (
                original.relative_error(recorder.outputs[f'logits.{name}'], data[f'p{r}_logits'][step]) < tolerance
            ), where
            assert abs(logs[f'{name}.loss_cls'] - data[f'p{r}_ce'][step]) < tolerance * abs(data[f'p{r}_ce'][step]), (
                where
            )
            kl = logs.get(f'{name}.loss_mutual', torch.zeros(()))
            assert abs(kl - data[f'p{r}_kl'][step]) <= tolerance * abs(data[f'p{r}_kl'][step]), where
            ours = {key: recorder.norms.get(p, 0.0) for key, p in branch.named_parameters()}
            norms = np.array([ours[original.our_name(key)] for key in cfg['param_names']])
            assert original.relative_error(norms, data[f'p{r}_grad_norm'][step]) < tolerance, where
            assert (
                abs(np.linalg.norm(norms) - data[f'p{r}_total_norm'][step]) < tolerance * data[f'p{r}_total_norm'][step]
            )
    tolerance = 5e-2 if ill_conditioned else 2e-3
    for r, name in enumerate(names):
        state = model.branches[name].state_dict()
        after = {
            'param_norm': np.array([state[original.our_name(key)].norm().item() for key in cfg['param_names']]),
            'fc_bias': state['head.fc.bias'],
            'fc_weight_row0': state['head.fc.weight'][0],
            'conv1_slice': state['encoder.backbone.conv1.conv.weight'][0],
            'bn1_mean': state['encoder.backbone.conv1.bn.running_mean'],
            'bn1_var': state['encoder.backbone.conv1.bn.running_var'],
            'bn1_weight': state['encoder.backbone.conv1.bn.weight'],
            'l4bn_mean': state['encoder.backbone.layer4.1.conv2.bn.running_mean'],
            'l4bn_weight': state['encoder.backbone.layer4.1.conv2.bn.weight'],
        }
        for key, value in after.items():
            assert original.relative_error(value, data[f'p{r}_{key}_after']) < tolerance, f'{case} {name} {key}'
        batches = [state[f'encoder.backbone.{bn}.num_batches_tracked'] for bn in ('conv1.bn', 'layer4.1.conv2.bn')]
        assert [int(n) for n in batches] == data[f'p{r}_bn1_num_batches'].tolist()


class GradientRecorder(torch.nn.Module):
    """A modulator that keeps the norm of each gradient before clipping, and edits none."""

    def forward(self, step):
        self.outputs = step.outputs
        self.norms = {p: p.grad.norm().item() for p in step.params if p.grad is not None}


def fill_from_parameters(branch: torch.nn.Module, prefix: str) -> None:
    """Training cases have no key list: the original's keys are those of the network's names, mapped back."""
    shapes = {}
    for name, value in branch.state_dict().items():
        if value.is_floating_point():
            shapes[original_name(name)] = tuple(value.shape)
    original.fill_branch(branch, shapes, prefix)


def original_name(ours: str) -> str:
    """The inverse of ``our_name`` for ResNets with shift in ``blockres`` or none."""
    name = ours.replace('head.fc.', 'new_fc.').replace('encoder.backbone.', 'base_model.')
    name = name.replace('.downsample.conv.', '.downsample.0.').replace('.downsample.bn.', '.downsample.1.')
    for n in '123':
        name = name.replace(f'.conv{n}.conv.', f'.conv{n}.').replace(f'.conv{n}.bn.', f'.bn{n}.')
    return name
