"""What ``pip install .`` and ``pip install -e .`` put where mim and mmengine look for it; no network, no isolation."""

import email
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

PIP = [sys.executable, '-m', 'pip', '--disable-pip-version-check', '--no-input']


def run(command, cwd, **environment):
    """Run ``command``; its standard output, or a failure that shows both streams."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, f'{command}\n{done.stdout}\n{done.stderr}'
    return done.stdout


def run_hook(name, tree, out):
    """Run a build hook of setuptools as pip does, with the built file in ``out``."""
    code = f'from setuptools import build_meta; build_meta.{name}({str(out)!r})'
    run([sys.executable, '-W', 'ignore', '-c', code], cwd=tree)


def build_wheel(tree, out):
    """Path of the wheel built from ``tree``, a folder or an unpacked source distribution."""
    run([*PIP, 'wheel', tree, '--no-deps', '--no-build-isolation', '-w', out], cwd=out)
    (path,) = out.glob('mmmutual-*.whl')
    return path


def expected_mim_files(root):
    """What ``.mim`` must hold: every file below tools and configs, and the two indexes."""
    files = {'model-index.yml', 'dataset-index.yml'}
    for folder in ('tools', 'configs'):
        files |= {str(path.relative_to(root)) for path in (root / folder).rglob('*') if path.is_file()}
    return files


def mim_files(wheel):
    """Names below ``mmmutual/.mim`` in a wheel."""
    prefix = 'mmmutual/.mim/'
    return {name[len(prefix) :] for name in wheel.namelist() if name.startswith(prefix) and not name.endswith('/')}


@pytest.fixture(scope='module')
def wheel(source_tree, tmp_path_factory):
    """The wheel that ``pip install .`` would build, opened."""
    with zipfile.ZipFile(build_wheel(source_tree, tmp_path_factory.mktemp('wheel'))) as archive:
        yield archive


def test_wheel_holds_what_mim_looks_for(wheel, source_tree):
    assert mim_files(wheel) == expected_mim_files(source_tree)
    assert wheel.read('mmmutual/.mim/model-index.yml') == (source_tree / 'model-index.yml').read_bytes()


def test_wheel_build_leaves_the_working_copy_alone(wheel, source_tree):
    assert not (source_tree / 'mmmutual' / '.mim').exists()


def test_wheel_holds_every_module_and_nothing_else(wheel, source_tree):
    modules = {path.relative_to(source_tree).as_posix() for path in (source_tree / 'mmmutual').rglob('*.py')}
    inside = {name for name in wheel.namelist() if name.endswith('.py') and '/.mim/' not in name}
    assert inside == modules


def test_wheel_forgets_what_was_deleted(wheel, source_tree, tmp_path):
    gone = source_tree / 'build' / 'lib' / 'mmmutual' / 'gone.py'  # what the build of a module that is deleted leaves
    gone.write_text('')
    with zipfile.ZipFile(build_wheel(source_tree, tmp_path)) as again:
        assert set(again.namelist()) == set(wheel.namelist())


def test_wheel_metadata(wheel, source_tree):
    (name,) = [name for name in wheel.namelist() if name.endswith('.dist-info/METADATA')]
    metadata = email.message_from_bytes(wheel.read(name))
    version = {}
    exec((source_tree / 'mmmutual' / 'version.py').read_text(), version)
    assert metadata['Name'] == 'mmmutual'
    assert metadata['Version'] == version['__version__']
    assert set(metadata.get_all('Provides-Extra')) == {'all', 'docs', 'mim', 'optional', 'tests'}
    unconditional = [line for line in metadata.get_all('Requires-Dist') if 'extra ==' not in line]
    # An unconditional mmcv-lite would be installed over the mmcv that a user has.
    assert not [line for line in unconditional if line.startswith(('mmcv', 'mmengine', 'mmaction'))]
    assert [line for line in unconditional if line.startswith('torch>')]


def test_source_distribution_builds_the_same_wheel(wheel, source_tree, tmp_path):
    run_hook('build_sdist', source_tree, tmp_path)
    (archive,) = tmp_path.glob('mmmutual-*.tar.gz')
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / 'unpacked', filter='data')
    (unpacked,) = (tmp_path / 'unpacked').iterdir()
    with zipfile.ZipFile(build_wheel(unpacked, tmp_path)) as again:
        assert set(again.namelist()) == set(wheel.namelist())


@pytest.fixture(scope='module')
def editable(source_tree, tmp_path_factory):
    """The site-packages of an editable install of the copied sources."""
    prefix = tmp_path_factory.mktemp('editable')
    run(
        [*PIP, 'install', '--no-deps', '--no-build-isolation', '--ignore-installed', '--prefix', prefix, '-e', '.'],
        cwd=source_tree,
    )
    (site,) = prefix.glob('lib*/python*/site-packages')
    return site


def test_editable_install_links_into_the_working_copy(editable, source_tree):
    mim = source_tree / 'mmmutual' / '.mim'
    assert {path.name for path in mim.iterdir()} == {'tools', 'configs', 'model-index.yml', 'dataset-index.yml'}
    for path in mim.iterdir():
        assert path.is_symlink()
        assert path.resolve() == (source_tree / path.name).resolve()
    assert not [path for path in editable.iterdir() if path.name == 'mmmutual'], 'a second mmmutual hides the first'


def test_mim_finds_the_editable_install(editable, source_tree, tmp_path):
    # mim and mmengine share get_installed_path; without our top_level.txt it answers <site-packages>/mmmutual.
    code = "from mmengine.utils import get_installed_path; print('found:', get_installed_path('mmmutual'))"
    output = run([sys.executable, '-W', 'ignore', '-c', code], cwd=tmp_path, PYTHONPATH=str(editable))
    assert f'found: {source_tree / "mmmutual"}\n' in output


def test_editable_install_can_be_repeated(editable, source_tree, tmp_path):
    out = tmp_path / 'again'
    out.mkdir()
    run_hook('build_editable', source_tree, out)
    assert list(out.glob('mmmutual-*.whl'))
    assert (source_tree / 'mmmutual' / '.mim' / 'tools').is_symlink()
