"""tools/analysis_tools/benchmark.py at tiny size: that it measures the right work, never how long it takes."""

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from .analysis_tool import FOLDER, run_analysis, run_here
from .clip_folder import write_clips, write_config


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('benchmark')
    write_config(folder / 'mml_tiny.py', write_clips(folder / 'data'))
    return folder


@pytest.fixture
def load(monkeypatch):
    """Import a module that lies beside the tool."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def report_of(place, *args):
    """The numbers of a run of the tool, and what it printed."""
    printed = run_analysis('benchmark.py', *args, '--out', 'report.json', cwd=place)
    report = json.loads((place / 'report.json').read_text())
    assert report['machine']['cores'] > 0
    return report, printed


def check_stages(stages, names):
    assert list(stages) == names
    assert all(stage['ms'] > 0 for stage in stages.values())
    assert sum(stage['share'] for stage in stages.values()) == pytest.approx(1)
    total = sum(stage['ms'] for stage in stages.values())
    assert [stage['share'] for stage in stages.values()] == pytest.approx([s['ms'] / total for s in stages.values()])


TRANSFORMS = ['SampleSegments', 'LoadFrames', 'MultiScaleCrop', 'PackMultiModalInputs', 'collate', 'other']


def test_data(place):
    """As a user starts it: a worker's memory is known once it has been waited for, which forked tests do not."""
    command = [sys.executable, str(FOLDER / 'benchmark.py'), 'data', 'mml_tiny.py', '--out', 'data.json']
    options = ['--num-workers', '2', '--max-samples', '20']
    done = subprocess.run([*command, *options], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads((place / 'data.json').read_text())
    assert (report['split'], report['num_workers'], report['batch_size']) == ('train', 2, 6)
    assert report['samples_per_second'] > 0
    assert report['single_process']['samples_per_second'] > 0
    check_stages(report['single_process']['stages'], TRANSFORMS)
    assert report['peak_memory_mib']['main'] > 10
    assert report['peak_memory_mib']['largest_worker'] > 10
    assert 'LoadFrames' in done.stdout


def test_data_of_another_split_in_this_process(place):
    report, _ = report_of(place, 'data', 'mml_tiny.py', '--split', 'val', '--max-samples', 7)
    assert report['num_workers'] == 0
    names = [
        'SampleSegments',
        'LoadFrames',
        'ResizeShortSide',
        'CenterCrop',
        'PackMultiModalInputs',
        'collate',
        'other',
    ]
    check_stages(report['single_process']['stages'], names)
    assert list(report['peak_memory_mib']) == ['main']


STAGES = ['preprocess', 'forward rgb', 'forward flow', 'losses', 'backward', 'optimizer', 'other']


def test_step(place):
    sizes = ['--batch-size', 2, '--size', 48, '--num-segments', 2]
    report, printed = report_of(place, 'step', 'mml_tiny.py', *sizes, '--steps', 2, '--warmup', 1, '--device', 'cpu')
    assert report['inputs'] == 'rgb=2x3x48x48 flow=2x10x48x48'
    assert (report['batch_size'], report['amp'], report['device']) == (2, None, 'cpu')
    assert report['ms'] > 0
    assert report['samples_per_second'] == pytest.approx(2000 / report['ms'])
    check_stages(report['stages'], STAGES)
    assert report['peak_memory_mib'] > 10
    assert report['gflop_per_second'] == pytest.approx(1000 * report['gflop'] / report['ms'])
    assert 'forward flow' in printed


SOUND = """
_base_ = ['mml_tiny.py']
_base_.train_dataloader.dataset.modalities.sound = dict(kind='audio', ann_file='lists/train_sound.txt')
_base_.train_dataloader.dataset.pipeline[:0] = [
    dict(type='LoadAudio', sample_rate=8000),
    dict(type='CropOrPadAudio', duration=1.0),
    dict(type='LogMelSpectrogram', n_mels=20, hop_length=100),
]
backbone = dict(type='ResNetTSM', depth=18, base_channels=4, in_channels=1, is_shift=False)
head = dict(type='LinearHead', num_classes=3, in_channels=32)
sound = dict(input='sound', encoder=dict(type='FrameEncoder', backbone=backbone), head=head)
model = dict(branches=dict(sound=sound))
"""


def test_sound_keeps_its_size_and_type(place, load):
    (place / 'sound.py').write_text(SOUND)
    tool, flops = load('benchmarks.step'), load('get_flops')
    cfg = flops.load_config(str(place / 'sound.py'))
    settings = tool.StepSettings(batch_size=2, size=48, num_segments=2, steps=1, warmup=1)
    blank = tool.training_inputs(cfg, settings)
    assert tool.shapes_of(blank) == dict(rgb=(2, 3, 48, 48), flow=(2, 10, 48, 48), sound=(1, 1, 20, 81))
    inputs = tool.stored_batch(blank, 2, 3, pin=False)['inputs']
    assert {name: x.dtype for name, x in inputs.items()} == dict(rgb=torch.uint8, flow=torch.uint8, sound=torch.float32)
    assert inputs['rgb'].max() > 200
    assert 0.8 < inputs['sound'].std() < 1.2
    assert 'forward sound' in tool.benchmark_step(cfg, settings)['stages']


def test_flops_of_a_step(place, load):
    """Forward, and twice that backward, except that the stems pass no gradient to the clips."""
    tool, flops, stored = load('benchmarks.step'), load('get_flops'), load('stored_inputs')
    cfg = flops.load_config(str(place / 'mml_tiny.py'))
    report = tool.benchmark_step(cfg, tool.StepSettings(batch_size=3, steps=1, warmup=1))
    forward = flops.complexity(flops.MODELS.build(cfg.model), stored.stored_shapes(cfg, 'train'))['total']
    stems = 4 * 16**2 * 49 * 4 * (3 + 10)
    assert report['gflop'] == pytest.approx(3 * 2 * (3 * forward.multiply_adds - stems) / 1e9)


def test_options_of_a_step(place, load):
    tool, flops = load('benchmarks.step'), load('get_flops')
    cfg = flops.load_config(str(place / 'mml_tiny.py'))
    settings = tool.StepSettings(batch_size=2, amp='bfloat16', channels_last=True, steps=1, warmup=1)
    report = tool.benchmark_step(cfg, settings)
    assert (report['amp'], report['channels_last'], report['compile']) == ('bfloat16', True, False)
    check_stages(report['stages'], STAGES)


def test_backbones_are_what_is_compiled(place, load, monkeypatch):
    tool, flops = load('benchmarks.step'), load('get_flops')
    compiled = []
    monkeypatch.setattr(torch.nn.Module, 'compile', lambda module: compiled.append(type(module).__name__))
    cfg = flops.load_config(str(place / 'mml_tiny.py'))
    report = tool.benchmark_step(cfg, tool.StepSettings(batch_size=2, compile=True, steps=1, warmup=1))
    assert compiled == ['ResNetTSM', 'ResNetTSM']
    assert report['compile']


def test_stages_are_timed_where_they_are(load):
    """A clock that counts its readings: each stage takes one, what lies between none of theirs."""
    clock = load('benchmarks.stage_clock').StageClock(torch.device('cpu'))
    readings = iter(range(100))
    clock.mark = lambda: next(readings)
    layer = torch.nn.Linear(1, 1)
    clock.watch_module(layer, 'layer')
    clock.watch_method(layer, 'extra_repr', 'method')
    with clock.stage('all'):
        layer(torch.zeros(1, 1))
        layer(torch.zeros(1, 1))
        assert layer.extra_repr() == 'in_features=1, out_features=1, bias=True'
    assert clock.read() == {'layer': [1000, 1000], 'method': [1000], 'all': [7000]}
    assert clock.read() == {}


def test_clock_of_a_gpu_waits_only_when_it_is_read(load, monkeypatch):
    """Events stand in for a GPU's: a record counts on, and a time is known after the synchronisation only."""
    state = dict(now=0, synchronised=False)

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            assert not state['synchronised']
            state['now'] += 1
            self.time = state['now']

        def elapsed_time(self, end):
            assert state['synchronised']
            return end.time - self.time

    monkeypatch.setattr(torch.cuda, 'Event', Event)
    monkeypatch.setattr(torch.cuda, 'synchronize', lambda: state.update(synchronised=True))
    clock = load('benchmarks.stage_clock').StageClock(torch.device('cuda'))
    with clock.stage('outside'), clock.stage('inside'):
        pass
    assert clock.read() == {'inside': [1], 'outside': [3]}


def test_rate_of_a_matrix_product(load):
    assert load('benchmarks.step').matmul_rate(torch.device('cpu'), size=64, repeats=2) > 0


def test_ratios(place):
    report, printed = report_of(place, 'ratios', '--only', 'shift', 'video', 'frames', '--repeats', 1)
    assert [row['wanted'] for row in report['comparisons'].values()] == [0.4, 0.7, 0.6, 0.6]
    for title, row in report['comparisons'].items():
        assert row['ratio'] == pytest.approx(row['ours_ms'] / row['theirs_ms'])
        assert {name: len(times) for name, times in row['times_ms'].items()} == dict(ours=1, theirs=1)
        assert title in printed
    assert report['machine']['threads'] == 1


def test_medians_of_turns(load, monkeypatch):
    module = load('benchmarks.comparison')
    now, calls = [0.0], []
    seconds = dict(ours=[9, 1, 5, 2], theirs=[9, 4, 6, 8])  # the first call of each is not timed

    def side(name):
        def call(repetition):
            calls.append((name, repetition))
            now[0] += seconds[name][repetition]

        return call

    monkeypatch.setattr(module.time, 'perf_counter', lambda: now[0])
    result = module.compare(module.Comparison('t', 0.5, side('ours'), side('theirs')), repeats=3)
    assert calls == [(name, repetition) for repetition in range(4) for name in ('ours', 'theirs')]
    assert (result['ours_ms'], result['theirs_ms']) == (2000, 6000)
    assert (result['ratio'], result['wanted']) == (pytest.approx(1 / 3), 0.5)


def test_shift_compares_equal_work(load, monkeypatch):
    models = load('benchmarks.ratio_models')
    results = {}
    for name, function in (('temporal_shift', models.temporal_shift), ('shift', models.MMActionTemporalShift.shift)):

        def spy(*args, name=name, function=function, **kwargs):
            results[name] = args[0], function(*args, **kwargs)
            return results[name][1]

        owner = models if name == 'temporal_shift' else models.MMActionTemporalShift
        monkeypatch.setattr(owner, name, spy)
    (comparison,) = models.shift_case()
    grads = []
    for side in (comparison.ours, comparison.theirs):
        side(0)
        grads.append(next(iter(results.values()))[0].grad)
    (x, ours), (y, theirs) = results['temporal_shift'], results['shift']
    assert x is y
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*grads)


def test_step_compares_equal_work(load):
    (comparison,) = load('benchmarks.ratio_models').step_case(depth=18, size=32, batch_size=1)
    flops = []
    for side in (comparison.ours, comparison.theirs):
        with FlopCounterMode(display=False) as counter:
            side(0)
        flops.append(counter.get_total_flops())
    assert flops[0] == flops[1] > 1e9


def test_video_compares_equal_frames(load, tmp_path):
    (comparison,) = load('benchmarks.ratio_data').video_case(tmp_path)
    ours = comparison.ours(0)['frames']['rgb'].permute(0, 2, 3, 1).numpy()
    theirs = np.stack(comparison.theirs(0)['imgs'])
    assert ours.shape == theirs.shape == (8, 256, 340, 3)
    differences = np.abs(ours.astype(int) - theirs)  # converters to RGB differ by some levels; frames, by many
    assert differences.mean() < 2
    assert np.abs(ours[1:].astype(int) - ours[:-1]).mean() > 10


def test_frames_compare_equal_samples(load, tmp_path):
    """Float32 tensors of both ways: by input (1, 8, ch, 224, 224), and all channels of a segment after each other."""
    stored, normalized = load('benchmarks.ratio_data').frames_case(tmp_path)
    for repetition in (1, 2):  # other crops
        theirs = normalized.theirs(repetition)
        assert (theirs.shape, theirs.dtype) == ((1, 104, 224, 224), torch.float32)
        theirs = dict(zip(('rgb', 'flow'), theirs.unflatten(1, (8, 13)).split([3, 10], dim=2)))
        raw, ours = stored.ours(repetition), normalized.ours(repetition)
        for name, channels in dict(rgb=3, flow=10).items():
            assert raw[name].dtype == torch.uint8
            assert raw[name].shape == ours[name].shape == (1, 8, channels, 224, 224)
            # a level is 0.02 after normalisation, and both round to levels
            assert (ours[name] - theirs[name]).abs().max() < 0.05
            assert ours[name].std() > 0.1


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['data', 'mml_tiny.py', '--cfg-options', 'train_dataloader.batch_size=99'], 'train_dataloader gives no batch'),
        (['data', 'nothing.py'], "config 'nothing.py' does not exist"),
        (['step', 'mml_tiny.py', '--device', 'cuda'], "device 'cuda' is not here: there are 0 GPUs"),
        (['step', 'mml_tiny.py', '--device', 'foo'], "--device must be 'cpu', 'cuda' or 'cuda:N', got 'foo'"),
        (['step', 'mml_tiny.py', '--device', 'meta'], "--device must be 'cpu', 'cuda' or 'cuda:N', got 'meta'"),
        (
            ['step', 'mml_tiny.py', '--cfg-options', 'train_dataloader.dataset.pipeline=[]'],
            'no shapes can be read off train_dataloader: (?!.*--shape)',
        ),
        (['step', 'stock.py', '--device', 'cpu'], 'optim_wrapper must be a MutualOptimWrapper, got OptimWrapper'),
    ],
)
def test_mistakes_in_a_line(place, args, message, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    stock = "optim_wrapper = dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))"
    (place / 'stock.py').write_text(f"_base_ = ['mml_tiny.py']\n{stock}\n")
    with pytest.raises(SystemExit, match=f'error: {message}'):
        run_here(monkeypatch, 'benchmark.py', *args)


def test_report_that_cannot_be_written(place, monkeypatch):
    monkeypatch.chdir(place)
    (place / 'file').touch()
    with pytest.raises(SystemExit, match="error: --out file/report.json can't be written: .*'file'"):
        run_here(monkeypatch, 'benchmark.py', 'data', 'mml_tiny.py', '--max-samples', 1, '--out', 'file/report.json')


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['data', 'c.py', '--num-workers', '-1'], '--num-workers: must be at least 0, got -1'),
        (['ratios', '--repeats', '0'], '--repeats: must be at least 1, got 0'),
        (['ratios', '--only', 'flow'], "invalid choice: 'flow'"),
    ],
)
def test_arguments_that_cannot_be_followed(args, message, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_here(monkeypatch, 'benchmark.py', *args)
    assert message in capsys.readouterr().err
