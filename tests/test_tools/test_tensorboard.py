"""TensorBoard by config: what training logs stands in its event file."""

from pathlib import Path

import pytest

from .analysis_tool import run_analysis
from .clip_folder import run_tool, scalars, write_clips, write_config

event_accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')

BOTH = """
_base_ = ['mml_tiny.py']
visualizer = dict(vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])
"""


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tensorboard')
    write_config(folder / 'mml_tiny.py', write_clips(folder / 'data'))
    (folder / 'both.py').write_text(BOTH)
    return folder


def read_events(work_dir: Path):
    """The event file of the only run."""
    (file,) = work_dir.glob('*/vis_data/events.out.tfevents.*')
    events = event_accumulator.EventAccumulator(str(file))
    events.Reload()
    return events


def curve(events, name):
    """Step -> value."""
    return {event.step: event.value for event in events.Scalars(name)}


def test_beside_the_local_log(place):
    run_tool('train.py', 'both.py', '--work-dir', 'both', cwd=place)
    lines, events = scalars(place / 'both'), read_events(place / 'both')
    validation = ['rgb/top1', 'flow/top1', 'ensemble/top1']
    training = ['loss', 'rgb.loss_cls', 'flow.loss_mutual', 'ensemble.top1', 'rgb.grad_norm', 'lr']
    for names, steps in ((validation, [1, 2]), (training, [1, 2, 3, 4])):
        for name in names:
            logged = {line['step']: line[name] for line in lines if name in line}
            assert list(logged) == steps
            assert curve(events, name) == pytest.approx(logged)
    logged = {name for line in lines for name in line if name != 'step'}
    assert set(events.Tags()['scalars']) == logged
    (config,) = events.Tensors('config/text_summary')
    assert b'MultiModalClassifier' in config.tensor_proto.string_val[0]
    printed = run_analysis('analyze_logs.py', 'cal_train_time', 'both', '--include-outliers', cwd=place)
    assert 'average iter time' in printed
