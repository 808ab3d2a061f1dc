"""``make install`` in a scratch folder with a stand-in for Python that writes down what it is asked to do."""

import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')

STAND_IN = """#!/bin/sh
echo "$@" >>"$CALLS"
case "$*" in
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"install --disable-pip-version-check"*"$FAIL_AT"*) [ -z "$FAIL_AT" ] ;;
esac
"""


class Workshop:
    """A folder with the Makefile and what ``install`` depends on."""

    def __init__(self, root, folder):
        self.folder, self.calls_file = folder, folder / 'calls'
        shutil.copytree(root / 'requirements', folder / 'requirements')
        for name in ('Makefile', 'requirements.txt', 'setup.py', 'pyproject.toml'):
            shutil.copy(root / name, folder)
        self.python = folder / 'stand-in-python'
        self.python.write_text(STAND_IN)
        self.python.chmod(0o755)

    def make(self, *arguments, fail_at='', returncode=0):
        """Run make; the calls that the stand-in got, and make's own words."""
        self.calls_file.write_text('')
        environment = {name: value for name, value in os.environ.items() if not name.startswith(('MAKE', 'MFLAGS'))}
        environment.update(CALLS=str(self.calls_file), FAIL_AT=fail_at)
        done = subprocess.run(
            ['make', f'PYTHON={self.python}', *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert (done.returncode != 0) == (returncode != 0), done.stdout + done.stderr
        return self.calls_file.read_text().splitlines(), done.stdout + done.stderr


@pytest.fixture
def workshop(root, tmp_path):
    return Workshop(root, tmp_path)


def touch_later(path, newer_than):
    """Give ``path`` a time after ``newer_than``'s, whatever the clock's resolution."""
    later = newer_than.stat().st_mtime + 10
    os.utime(path, (later, later))


def test_install_runs_once(workshop):
    calls, _ = workshop.make('install')
    installs = [call for call in calls if '-m pip install' in call]
    assert [call for call in calls if '-m venv' in call]
    assert 'pip setuptools wheel' in installs[0]
    assert '--requirement requirements.txt' in installs[1]
    assert '--no-build-isolation --editable .' in installs[2]
    assert all('--constraint requirements/constraints.txt' in call for call in installs)
    again, words = workshop.make('install')
    assert again == []
    assert 'Nothing to be done' in words


@pytest.mark.parametrize('changed', ['requirements/runtime.txt', 'requirements/constraints.txt', 'setup.py'])
def test_install_runs_again_when_its_sources_change(workshop, changed):
    workshop.make('install')
    touch_later(workshop.folder / changed, workshop.folder / '.venv' / '.installed')
    calls, _ = workshop.make('install')
    assert len([call for call in calls if '-m pip install' in call]) == 3
    assert not [call for call in calls if '-m venv' in call], 'a healthy .venv is kept'


def test_a_failed_install_is_not_taken_for_done(workshop):
    workshop.make('install', fail_at='--requirement', returncode=2)
    assert not (workshop.folder / '.venv' / '.installed').exists()
    calls, _ = workshop.make('install')
    assert [call for call in calls if '--editable' in call]


def test_an_interpreter_that_is_too_old_is_named(workshop):
    calls, words = workshop.make('install', 'PYTHON=false', returncode=2)
    assert calls == []
    assert "'false' is not. Name one: make install PYTHON=python3.11" in words


@pytest.mark.parametrize(
    ('target', 'command'),
    [
        ('quickstart', 'tools/quickstart.py --work-dir work_dirs/quickstart'),
        ('test', '-m pytest -n 2'),
        ('test-fast', '-m pytest -n 2 --dist loadfile -m not slow'),
    ],
)
def test_targets_install_what_is_missing(workshop, target, command):
    calls, _ = workshop.make(target)
    assert [call for call in calls if '--editable' in call]
    assert command in calls[-1]
    calls, _ = workshop.make(target)
    assert len(calls) == 1


def test_pytest_arguments_pass_through(workshop):
    calls, _ = workshop.make('test', 'PYTEST_ARGS=--golden-root elsewhere', 'WORKERS=5')
    assert calls[-1].endswith('-n 5 --dist loadfile --golden-root elsewhere')


def test_help_is_the_default_and_names_every_target(workshop, root):
    _, words = workshop.make()
    phony = [line for line in (root / 'Makefile').read_text().splitlines() if line.startswith('.PHONY')][0]
    for target in phony.split()[1:]:
        assert f'make {target} ' in words


def test_ci_runs_lint_and_test_from_any_folder(root, tmp_path):
    checkout = tmp_path / 'checkout'
    (checkout / '.ci').mkdir(parents=True)
    shutil.copy(root / '.ci' / 'run', checkout / '.ci')
    (checkout / 'Makefile').write_text('lint test:\n\t@echo did $@ with CI=$$CI\n')
    done = subprocess.run(
        [checkout / '.ci' / 'run'], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith('did')]
    assert lines == ['did lint with CI=true', 'did test with CI=true']
