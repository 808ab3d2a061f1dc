"""Jobs over processes: order, errors, and no orphans."""

import functools
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from mmmutual.utils import parallel
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


def die_of_seven(number):
    if number % 7 == 0:
        os._exit(11)
    return number * number


@pytest.mark.parametrize('num_workers', [1, 3])
def test_a_process_that_dies_costs_its_own_item_only(num_workers):
    results = run_jobs(die_of_seven, range(1, 24), num_workers, 'dying', crashed=lambda number: f'{number} died')
    assert list(results.items()) == [(n, n * n if n % 7 else f'{n} died') for n in range(1, 24)]


def note_and_die_of_ten(file, number):
    with open(file, 'ab') as notes:
        notes.write(b'.')
    if number == 10:
        os._exit(11)
    return number


def test_what_was_done_before_a_process_died_is_not_done_again(tmp_path, monkeypatch):
    # the last ones first, as they may come when the pool breaks
    monkeypatch.setattr(parallel, 'as_completed', lambda futures: reversed([f for f in futures if wait([f])]))
    run_jobs(functools.partial(note_and_die_of_ten, tmp_path / 'calls'), range(20), 1, 'dying', crashed=str)
    assert (tmp_path / 'calls').stat().st_size == 21  # the deadly one twice


def test_a_process_that_dies_is_an_error():
    with pytest.raises(BrokenProcessPool):
        run_jobs(die_of_seven, range(1, 9), 2, 'dying')


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
