"""tools/dist_train.sh with one peer per process: on one machine, and on two that find each other by address."""

import json
import os
import socket
import subprocess
import sys

import pytest

from .clip_folder import ROOT, losses, metrics, run_tool, scalars, write_clips, write_config

OPTIONS = ['--cfg-options', 'model_wrapper_cfg.type=PeerParallel', '--seed', '3']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """Folder with the clips and the config ``mml_tiny.py``."""
    folder = tmp_path_factory.mktemp('peers')
    write_config(folder / 'mml_tiny.py', write_clips(folder / 'data'))
    return folder


def start(place, work_dir, processes, **variables):
    command = ['bash', str(ROOT / 'tools' / 'dist_train.sh'), 'mml_tiny.py', str(processes), *OPTIONS]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, **variables}
    command += ['--work-dir', str(place / work_dir)]
    return subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(*processes):
    for process in processes:
        output = process.communicate(timeout=180)[0]
        assert process.returncode == 0, output[-3000:]


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope='module')
def one_machine(place):
    finish(start(place, 'one', 2, PORT=free_port()))
    return place / 'one'


@pytest.mark.slow
def test_two_machines_train_as_one(place, one_machine):
    port = free_port()
    finish(*(start(place, 'two', 1, NNODES='2', NODE_RANK=str(node), PORT=port) for node in range(2)))
    assert losses(place / 'two') == losses(one_machine)
    assert metrics(scalars(place / 'two')) == metrics(scalars(one_machine))


@pytest.mark.slow
def test_the_checkpoint_is_tested_by_any_number_of_processes(place, one_machine):
    last, checkpoint = metrics(scalars(one_machine))[-1], str(one_machine / 'epoch_2.pth')
    run_tool('test.py', 'mml_tiny.py', checkpoint, *OPTIONS[:2], '--work-dir', 'alone', cwd=place)
    command = ['bash', str(ROOT / 'tools' / 'dist_test.sh'), 'mml_tiny.py', checkpoint, '3', *OPTIONS[:2]]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, 'PORT': free_port()}
    done = subprocess.run([*command, '--work-dir', 'three'], cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for work_dir in ('alone', 'three'):
        (found,) = place.glob(f'{work_dir}/*/*.json')
        tested = json.loads(found.read_text())
        assert {name: tested[name] for name in last} == pytest.approx(last)
