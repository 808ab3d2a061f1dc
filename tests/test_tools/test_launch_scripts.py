"""dist_*.sh and slurm_*.sh: the argument order of OpenMMLab, and what they start."""

import os
import subprocess

import pytest

from .clip_folder import ROOT

# Stands for python and for srun: prints how it was called.
ECHO = '#!/usr/bin/env bash\necho "path=$PYTHONPATH port=$MASTER_PORT"\nprintf "%s\\n" "$@"\n'


def call(tmp_path, script, *args, **variables):
    """Arguments of the command that a script ends in, and the line about its environment."""
    for name in ('echo_python', 'srun'):
        (tmp_path / name).write_text(ECHO)
        (tmp_path / name).chmod(0o755)
    environment = dict(os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}', PYTHON=str(tmp_path / 'echo_python'))
    environment.update(variables)
    command = ['bash', str(ROOT / 'tools' / script), *args]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    return rest, first


@pytest.mark.parametrize(
    ('script', 'positional', 'tool'),
    [('dist_train.sh', ['cfg.py'], 'train.py'), ('dist_test.sh', ['cfg.py', 'ckpt.pth'], 'test.py')],
)
def test_dist(tmp_path, script, positional, tool):
    extra = ['--amp', '--cfg-options', 'a.b=1 2']
    args, environment = call(tmp_path, script, *positional, '4', *extra, NNODES='2', NODE_RANK='1', PORT='1234')
    assert args[:2] == ['-m', 'torch.distributed.run']
    expected = ['--nnodes=2', '--node_rank=1', '--master_addr=127.0.0.1', '--master_port=1234', '--nproc_per_node=4']
    assert args[2:7] == expected
    assert args[7:] == [str(ROOT / 'tools' / tool), *positional, '--launcher', 'pytorch', *extra]
    assert environment.startswith(f'path={ROOT}/tools/..:')  # works in a checkout that is not installed


@pytest.mark.parametrize(
    ('script', 'positional', 'tool'),
    [('slurm_train.sh', ['cfg.py'], 'train.py'), ('slurm_test.sh', ['cfg.py', 'ckpt.pth'], 'test.py')],
)
def test_slurm(tmp_path, script, positional, tool):
    variables = dict(GPUS='16', GPUS_PER_NODE='8', CPUS_PER_TASK='6', SRUN_ARGS='--qos=high --time=60')
    args, environment = call(tmp_path, script, 'gpu', 'my job', *positional, '--seed', '1', **variables)
    expected = ['-p', 'gpu', '--job-name=my job', '--gres=gpu:8', '--ntasks=16', '--ntasks-per-node=8']
    assert args[:6] == expected
    assert args[6:10] == ['--cpus-per-task=6', '--kill-on-bad-exit=1', '--qos=high', '--time=60']
    assert args[10:12] == [str(tmp_path / 'echo_python'), '-u']
    assert args[12:] == [str(ROOT / 'tools' / tool), *positional, '--launcher=slurm', '--seed', '1']
    port = int(environment.split('port=')[1])
    assert 12000 <= port < 32000  # two jobs on one node do not meet
