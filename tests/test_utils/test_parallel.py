"""Jobs over processes: order, errors, and no orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmmutual.utils.parallel import run_jobs

from ..helpers import wait_until


def square(number):
    time.sleep(0.02 * (3 - number))  # later ones end first
    return number * number, os.getpid()


def fail(number):
    if number == 1:
        raise KeyError('one')
    return number


def test_results_are_in_the_order_of_the_items(capsys):
    results = run_jobs(square, iter([1, 2, 3]), 2, 'squares')
    assert list(results) == [1, 2, 3]
    assert [value for value, _ in results.values()] == [1, 4, 9]
    assert os.getpid() not in {process for _, process in results.values()}
    assert 'squares' in capsys.readouterr().err


def test_nothing_to_do():
    assert run_jobs(square, [], 2, 'nothing') == {}


def test_errors_of_a_job_come_out():
    with pytest.raises(KeyError, match='one'):
        run_jobs(fail, range(20), 2, 'failing')


def test_number_of_workers_is_checked():
    with pytest.raises(ValueError, match='num_workers must be at least 1, got 0'):
        run_jobs(square, [1], 0, 'none')


WAITING = """
import os, sys, time
from pathlib import Path
from mmmutual.utils.parallel import run_jobs

def wait(name):
    Path(name).write_text(str(os.getpid()))
    time.sleep(60)

run_jobs(wait, sys.argv[1:], 2, 'waiting')
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='kills by signal')
def test_workers_end_when_their_parent_is_killed(tmp_path):
    files = [tmp_path / 'a', tmp_path / 'b']
    parent = subprocess.Popen([sys.executable, '-c', WAITING, *map(str, files)], stderr=subprocess.DEVNULL)
    wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    workers = [int(file.read_text()) for file in files]
    assert all(is_alive(worker) for worker in workers)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not any(is_alive(worker) for worker in workers))


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f'/proc/{process}/stat')
    return not stat.exists() or stat.read_text().rsplit(')', 1)[1].split()[0] != 'Z'
