"""MML with one peer per process is MML in one process: K processes with a peer each, and 2 x 2 processes.

Dropout is off and batch norms are frozen: statistics of half a batch are others than those of the whole.
"""

import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from mmengine.dataset import DefaultSampler
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmmutual.datasets import ResumableSampler
from mmmutual.datasets.transforms import loading
from mmmutual.engine import PeerParallel
from mmmutual.models.modulators import Modulator
from mmmutual.registry import DATASETS, MODELS
from mmmutual.utils.frame_folders import save_frames
from mmmutual.utils.optical_flow import save_flow
from mmmutual.utils.replicas import Replica, get_replica

from ...helpers import run_alone, run_distributed
from ..classifier_parts import WIDTH, clip_batch, clip_classifier, feature_branch, feature_classifier, samples
from .test_mml_distributed import close

PEERS = {2: ('rgb', 'flow'), 3: ('rgbdiff', 'flow', 'rgb')}
STEPS = {torch.float64: 3, torch.float32: 1}
BATCH, MAX_NORM = 4, 0.5


def optim_wrapper_cfg():
    return dict(
        type='mmmutual.MutualOptimWrapper',
        constructor='mmmutual.BranchOptimWrapperConstructor',
        optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4),
        paramwise_cfg=dict(groups='tsm', fc_lr5=True),
        clip_grad=dict(max_norm=MAX_NORM),
    )


def train(names, dtype, target, accumulate):
    """Logs and parameters of a few steps."""
    torch.manual_seed(0)
    model = clip_classifier(names)
    model.losses.mutual.target = target
    model.to(dtype).init_weights()
    first = {name: p.detach().clone() for name, p in model.named_parameters()}
    network = PeerParallel(model) if dist.is_initialized() else model
    wrapper = build_optim_wrapper(model, dict(optim_wrapper_cfg(), accumulative_counts=accumulate))
    network.eval()
    replica = get_replica() or Replica(0, 1)
    logs = []
    for step in range(STEPS[dtype]):
        inputs, labels = clip_batch(names, BATCH, seed=step)
        mine = slice(replica.index * BATCH // replica.count, (replica.index + 1) * BATCH // replica.count)
        data = dict(inputs={k: v[mine] for k, v in inputs.items()}, data_samples=samples(labels[mine], key='k'))
        logs.append({k: v.double().item() for k, v in network.train_step(data, wrapper).items()})
    trained = {name for name, p in model.named_parameters() if not torch.equal(p, first[name])}
    if dist.is_initialized():
        network.unify()
    return dict(logs=logs, params={name: p.detach().clone() for name, p in model.named_parameters()}, trained=trained)


CASES = {
    '2 peers': (PEERS[2], 'mean_logits', 1),
    '2 peers, accumulated': (PEERS[2], 'mean_logits', 2),
    '3 peers': (PEERS[3], 'mean_logits', 1),
    '3 peers, mean_kl': (PEERS[3], 'mean_kl', 1),
}
WORLDS = {
    '2 x 1': (2, ['2 peers', '2 peers, accumulated']),
    '3 x 1': (3, ['3 peers', '3 peers, mean_kl']),
    '2 x 2': (4, ['2 peers']),
}


def train_all(cases):
    return {(case, dtype): train(CASES[case][0], dtype, *CASES[case][1:]) for case in cases for dtype in STEPS}


@pytest.fixture(scope='module')
def one():
    return run_alone(train_all, list(CASES))


@pytest.mark.parametrize('world', WORLDS)
def test_steps_equal_those_of_one_process(one, world):
    processes, cases = WORLDS[world]
    results = run_distributed(train_all, processes, cases)
    for case in cases:
        names = CASES[case][0]
        for dtype, tolerance in ((torch.float64, 1e-8), (torch.float32, 1e-5)):
            expected = one[case, dtype]
            assert expected['trained'] == set(expected['params'])
            shares = processes // len(names)
            for rank, result in enumerate(run[case, dtype] for run in results):
                close(result['params'], expected['params'], tolerance)
                own = names[rank % len(names)]  # it trained this peer, and no other
                assert result['trained'] == {name for name in expected['params'] if name.startswith(f'branches.{own}.')}
            for step, log in enumerate(expected['logs']):
                assert all(log[f'{name}.grad_norm'] > MAX_NORM for name in names)  # clipping is active
                for name, value in log.items():
                    values = [run[case, dtype]['logs'][step][name] for run in results]
                    per_share = np.array(values).reshape(shares, len(names))
                    assert np.ptp(per_share, axis=1) == pytest.approx(0, abs=1e-12)  # what one peer logs, all do
                    assert per_share.mean() == pytest.approx(value, rel=100 * tolerance, abs=100 * tolerance)


@DATASETS.register_module()
class EightFeatures(Dataset):
    """Features (4,) of two inputs; the peers of a sample must see the same sample."""

    metainfo = dict(classes=['a', 'b', 'c'])

    def __init__(self, count=24):
        generator = torch.Generator().manual_seed(1)
        self.x = torch.randn(count, 2, WIDTH, generator=generator).double()
        self.y = torch.randint(0, 3, (count,), generator=generator).tolist()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        (sample,) = samples([self.y[index]], key=str(int(index)))
        return dict(inputs=dict(a=self.x[index, 0], b=self.x[index, 1]), data_samples=sample)


def run(work_dir, batch=8, epochs=3, **options):
    """Train by the Runner; the logged lines of the first process."""
    shares = dist.get_world_size() // 2 if dist.is_initialized() else 1
    torch.manual_seed(0)
    loader = dict(num_workers=0, dataset=dict(type='EightFeatures'), collate_fn=dict(type='default_collate'))
    runner = Runner(
        model=feature_classifier(['a', 'b']).double(),
        work_dir=work_dir,
        cfg=dict(model_wrapper_cfg=dict(type='mmmutual.PeerParallel')),
        train_dataloader=dict(loader, batch_size=batch // shares, sampler=dict(type='ResumableSampler', shuffle=True)),
        val_dataloader=dict(loader, batch_size=5, sampler=dict(type='DefaultSampler', shuffle=False)),
        val_evaluator=dict(type='BranchAccuracy', topk=(1, 2)),
        train_cfg=options.pop('train_cfg', None) or dict(type='ResumableTrainLoop', max_epochs=epochs),
        val_cfg=dict(),
        optim_wrapper=optim_wrapper_cfg(),
        param_scheduler=dict(type='MultiStepLR', milestones=[1], gamma=0.5),
        default_hooks=dict(
            runtime_info=dict(type='DeferredRuntimeInfoHook'),
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(type='ExactCheckpointHook', interval=1, save_best='ensemble/top1', rule='greater'),
            unify=dict(type='UnifyHook'),
            consistency=dict(type='ConsistencyHook'),
        ),
        randomness=dict(seed=0),
        default_scope='mmmutual',
        experiment_name=work_dir.replace('/', '_'),
        launcher='pytorch' if dist.is_initialized() else 'none',
        **options,
    )
    runner.train()
    return read_log(work_dir)


def read_log(work_dir):
    newest = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))[-1]
    lines = [json.loads(line) for line in newest.read_text().splitlines()]
    names = (
        'a.loss_mutual',
        'b.loss_mutual',
        'a.grad_norm',
        'b.grad_norm',
        'loss',
        'ensemble/top1',
        'a/top1',
        'b/top2',
    )
    return [{name: line[name] for name in (*names, 'lr') if name in line} for line in lines]


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Folder and log of one process with both peers."""
    folder = tmp_path_factory.mktemp('whole')
    return folder, run_alone(run, str(folder))


def assert_same_files(folder, expected):
    for epoch in (1, 2, 3):
        ours, theirs = (torch.load(path / f'epoch_{epoch}.pth', weights_only=True) for path in (folder, expected))
        assert list(ours['state_dict']) == list(theirs['state_dict'])
        for name, value in theirs['state_dict'].items():
            torch.testing.assert_close(ours['state_dict'][name], value, rtol=1e-8, atol=1e-10)
        assert ours['optimizer']['param_groups'] == theirs['optimizer']['param_groups']
        assert list(ours['optimizer']['state']) == list(theirs['optimizer']['state'])
        for number, state in theirs['optimizer']['state'].items():
            momentum = ours['optimizer']['state'][number]['momentum_buffer']
            torch.testing.assert_close(momentum, state['momentum_buffer'], rtol=1e-8, atol=1e-10)
        assert ours['mmmutual_resume']['loader'] == theirs['mmmutual_resume']['loader']


def assert_same_logs(ours, expected):
    assert len(ours) == len(expected)
    assert any('ensemble/top1' in line for line in expected)
    for line, other in zip(ours, expected):
        assert line == pytest.approx(other, rel=1e-8)


@pytest.mark.parametrize('processes', [2, 4])
def test_logs_validation_and_checkpoints_equal_those_of_one_process(whole, tmp_path, processes):
    folder, log = whole
    logs = run_distributed(run, processes, str(tmp_path))
    assert_same_files(tmp_path, folder)
    if processes == 2:  # with two shares the first process logs the losses of its own
        assert_same_logs(logs[0], log)
    best = [path.name for path in folder.glob('best_*')]
    assert best == [path.name for path in tmp_path.glob('best_*')]


def resume(work_dir, checkpoint):
    return run(work_dir, resume=True, load_from=checkpoint)


def test_resume_from_the_file_of_either(whole, tmp_path):
    folder, log = whole
    peers = tmp_path / 'peers'
    run_distributed(run, 2, str(peers))
    by_epoch = len(log) // 3
    from_one = run_distributed(resume, 2, str(tmp_path / '1 to 2'), str(folder / 'epoch_1.pth'))[0]
    assert_same_logs(from_one[-2 * by_epoch :], log[-2 * by_epoch :])
    from_two = run_alone(resume, str(tmp_path / '2 to 1'), str(peers / 'epoch_2.pth'))
    assert_same_logs(from_two[-by_epoch:], log[-by_epoch:])
    assert_same_files_of(tmp_path / '1 to 2', folder, 3)


def run_iterations(work_dir):
    """Validate every second iteration, where no epoch has ended."""
    return run(work_dir, train_cfg=dict(type='IterBasedTrainLoop', max_iters=4, val_interval=2))


def test_validation_between_epochs_is_of_what_all_have_trained(tmp_path):
    expected = run_alone(run_iterations, str(tmp_path / 'one'))
    assert [line for line in expected if 'ensemble/top1' in line][0] != expected[-1]
    for processes in (2, 4):
        logs = run_distributed(run_iterations, processes, str(tmp_path / str(processes)))[0]
        found, wanted = ([line for line in log if 'ensemble/top1' in line] for log in (logs, expected))
        assert len(found) == len(wanted) == 2
        assert all(line == pytest.approx(other) for line, other in zip(found, wanted))


def copy_for_averages():
    with pytest.raises(TypeError, match='cannot be copied, as EMAHook does'):
        copy.deepcopy(PeerParallel(feature_classifier(['a', 'b'])).module)


def test_moving_averages_are_refused():
    run_distributed(copy_for_averages, 2)


def overflow():
    """Whether each of two steps changed the weights, and the scale after it; one peer overflows in the first."""
    model = feature_classifier(['a', 'b'])
    network = PeerParallel(model)
    wrapper = build_optim_wrapper(model, dict(optim_wrapper_cfg(), amp_dtype='float16'))
    own = model.branches['ab'[dist.get_rank()]]
    found = []
    for broken in (True, False):
        before = own.head.fc.weight.detach().clone()
        inputs = {name: torch.ones(2, 4) for name in 'ab'}
        if broken:
            inputs['b'] = torch.full((2, 4), float('nan'))
        network.train_step(dict(inputs=inputs, data_samples=samples([0, 1], key='k')), wrapper)
        found.append((not torch.equal(before, own.head.fc.weight), wrapper.scaler.scale))
    return found


def test_a_step_that_one_peer_cannot_take_none_takes():
    first, second = run_distributed(overflow, 2)
    assert first == second
    assert [changed for changed, _ in first] == [False, True]
    assert first[0][1] == first[1][1] == 2.0**15


def assert_same_files_of(folder, expected, epoch):
    ours, theirs = (torch.load(path / f'epoch_{epoch}.pth', weights_only=True) for path in (folder, expected))
    for name, value in theirs['state_dict'].items():
        torch.testing.assert_close(ours['state_dict'][name], value, rtol=1e-8, atol=1e-10)


def batch_norms():
    """Running means after unify: of own branch over shares, of the others from their processes."""
    model = feature_classifier(['a', 'b'])
    for branch in model.branches.values():
        branch.encoder.norm = nn.BatchNorm1d(2)
    network = PeerParallel(model)
    rank = dist.get_rank()
    own = 'ab'[rank % 2]
    model.branches[own].encoder.norm.running_mean.fill_(rank)
    network.unify()
    return {name: branch.encoder.norm.running_mean.tolist() for name, branch in model.branches.items()}


def test_unify_averages_batch_norms_over_the_shares_of_a_peer():
    for result in run_distributed(batch_norms, 4):
        assert result == dict(a=[1.0, 1.0], b=[2.0, 2.0])  # ranks 0 and 2; ranks 1 and 3


def sync_batch_norms():
    """Global ranks that the batch norm of each branch takes its statistics over."""
    model = feature_classifier(['a', 'b'])
    for branch in model.branches.values():
        branch.encoder.norm = nn.SyncBatchNorm(2)
    nn.parallel.DistributedDataParallel._passing_sync_batchnorm_handle = lambda self, module: None  # wants a GPU
    PeerParallel(model)
    own = 'ab'[dist.get_rank() % 2]
    return dist.get_process_group_ranks(model.branches[own].encoder.norm.process_group)


def test_synchronised_batch_norms_stay_within_a_peer():
    assert run_distributed(sync_batch_norms, 4) == [[0, 2], [1, 3], [0, 2], [1, 3]]


def other_samples():
    model = feature_classifier(['a', 'b'])
    network = PeerParallel(model)
    wrapper = build_optim_wrapper(model, optim_wrapper_cfg())
    keys = ['same', 'same' if dist.get_rank() == 0 else 'other']
    data_samples = [sample for key in keys for sample in samples([0], key=key)]
    with pytest.raises(RuntimeError, match='hold different samples'):
        network.train_step(
            dict(inputs=dict(a=torch.zeros(2, 4), b=torch.zeros(2, 4)), data_samples=data_samples), wrapper
        )
    data_samples = samples([0] * (2 + dist.get_rank()), key='k')
    with pytest.raises(RuntimeError, match='hold different samples'):
        network.train_step(dict(inputs={}, data_samples=data_samples), wrapper)
    data_samples = samples([0, 0], key='k', frame_size=(40, 48 + dist.get_rank()))
    with pytest.raises(RuntimeError, match=r"\('k', \(40, 4[89]\)\)"):
        network.train_step(dict(inputs={}, data_samples=data_samples), wrapper)


def test_peers_with_different_samples_stop():
    run_distributed(other_samples, 2)


@MODELS.register_module()
class PeerTestModulator(Modulator):
    pass


HEADLESS = dict(a=feature_branch(None), b=feature_branch(None))
REFUSED = dict(
    modulator=dict(modulators=[dict(type='PeerTestModulator')]),
    shared=dict(branches=HEADLESS, head=dict(type='LinearHead', num_classes=3, in_channels=5)),
    three=dict(branches=dict(a=feature_branch(), b=feature_branch(), c=feature_branch())),
    load=dict(),
)


def refused(kind):
    with pytest.raises(ValueError) as error:
        PeerParallel(feature_classifier(['a', 'b'], **REFUSED[kind]), load='some' if kind == 'load' else 'all')
    return str(error.value)


@pytest.mark.parametrize(
    ('kind', 'words'),
    [
        ('modulator', "'PeerTestModulator'"),
        ('shared', "'head.fc.weight'"),
        ('three', "multiple of 3 processes, one for each of the branches \\['a', 'b', 'c'\\], got 2"),
        ('load', "must be one of \\('all', 'own'\\), got 'some'"),
    ],
)
def test_what_cannot_be_split_is_refused(kind, words):
    for message in run_distributed(refused, 2, kind):
        assert re.search(words, message), message


def check_loaders():
    network = PeerParallel(feature_classifier(['a', 'b']))
    dataset = EightFeatures()
    loaders = {kind.__name__: DataLoader(dataset, sampler=kind(dataset)) for kind in (ResumableSampler, DefaultSampler)}
    for where, right in (('train', 'ResumableSampler'), ('val', 'DefaultSampler'), ('test', 'DefaultSampler')):
        (wrong,) = set(loaders) - {right}
        network.check_loader(loaders[right], f'{where}_dataloader')
        with pytest.raises(ValueError, match=f'{where}_dataloader.sampler must be a {right}'):
            network.check_loader(loaders[wrong], f'{where}_dataloader')
    indices = [list(loaders['ResumableSampler'].sampler), list(loaders['DefaultSampler'].sampler)]
    assert indices[0] != indices[1]
    return indices[0]


def test_training_loaders_split_by_share_and_others_by_process():
    by_rank = run_distributed(check_loaders, 4)
    assert by_rank[0] == by_rank[1]
    assert by_rank[2] == by_rank[3]
    assert sorted(by_rank[0] + by_rank[2]) == list(range(24))


def run_on_clips(work_dir, data_root, load):
    """Train on stored clips; what was decoded, and the log."""
    decoded = []
    decode = loading._decode

    def note(source, numbers, readers):
        decoded.append(source['kind'])
        return decode(source, numbers, readers)

    loading._decode = note
    pipeline = [
        dict(type='SampleSegments', num_segments=4, split='train'),
        dict(type='LoadFrames'),
        dict(type='MultiScaleCrop', size=32),
        dict(type='PackMultiModalInputs'),
    ]
    lists = dict(rgb=dict(kind='frames', ann_file='rgb.txt'), flow=dict(kind='flow_frames', ann_file='flow.txt'))
    dataset = dict(
        type='VideoListDataset', data_root=data_root, classes=3, modalities=lists, pipeline=pipeline, key='line'
    )
    torch.manual_seed(0)
    runner = Runner(
        model=clip_classifier(('rgb', 'flow')),
        work_dir=work_dir,
        cfg=dict(model_wrapper_cfg=dict(type='mmmutual.PeerParallel', load=load)),
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='ResumableSampler', shuffle=True),
            dataset=dataset,
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(type='ResumableTrainLoop', max_epochs=2),
        optim_wrapper=optim_wrapper_cfg(),
        default_hooks=dict(
            runtime_info=dict(type='DeferredRuntimeInfoHook'),
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(type='ExactCheckpointHook', interval=2),
            consistency=dict(type='ConsistencyHook'),
        ),
        randomness=dict(seed=0),
        default_scope='mmmutual',
        experiment_name=work_dir.replace('/', '_'),
        launcher='pytorch',
    )
    runner.train()
    return sorted(set(decoded)), read_log(work_dir)


@pytest.fixture
def clips(tmp_path):
    generator = np.random.RandomState(0)
    lines = dict(rgb='', flow='')
    for clip in range(4):
        frames = [generator.randint(0, 256, (40, 48, 3), dtype=np.uint8) for _ in range(9)]
        save_frames(tmp_path / f'clip{clip}', frames)
        save_flow(tmp_path / f'flow{clip}', frames)
        lines['rgb'] += f'clip{clip} 9 {clip % 3}\n'
        lines['flow'] += f'flow{clip} 8 {clip % 3}\n'
    for name, text in lines.items():
        (tmp_path / f'{name}.txt').write_text(text)
    return tmp_path


def test_each_process_may_decode_its_own_input_only(clips, tmp_path):
    whole = run_distributed(run_on_clips, 2, str(tmp_path / 'all'), str(clips), 'all')
    own = run_distributed(run_on_clips, 2, str(tmp_path / 'own'), str(clips), 'own')
    assert [kinds for kinds, _ in whole] == [['flow_frames', 'frames']] * 2
    assert [kinds for kinds, _ in own] == [['frames'], ['flow_frames']]
    assert own[0][1] == whole[0][1]  # the same crops and moments of the same samples
    assert len(own[0][1]) == 4
