"""What is broken in other packages, simulated."""

import importlib
import importlib.util
import subprocess
import sys

import pytest
from mmengine.runner import CheckpointLoader

from mmmutual.utils import checkpoint_loading, dependencies


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (
            ModuleNotFoundError('no', name='mmaction.models.localizers.drn'),
            r"wheel of mmaction2 1.2.0 lacks .*'mmaction/models/localizers/drn'. Install mmaction2==1.1.0",
        ),
        (ModuleNotFoundError('no', name='mmaction'), 'mmaction is not installed. Run: pip install mmaction2==1.1.0'),
        (ModuleNotFoundError('no', name='mmcv'), 'mmcv is not installed. Run: pip install .* mmcv-lite==2.0.1'),
        (ModuleNotFoundError('no', name='mmcv._ext'), "mmcv's compiled part does not load. mmcv-lite does without it"),
        (ModuleNotFoundError('no', name='timm.models'), "needs the package 'timm.models'. Run: pip install timm"),
        (AssertionError('MMCV==2.9 is used but incompatible.'), 'MMCV==2.9 is used but incompatible. Known to work'),
    ],
)
def test_mmaction_that_cannot_be_imported(monkeypatch, error, words):
    def fail(name):
        assert name == 'mmaction.models'
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(dependencies.importlib, 'import_module', fail)
        with pytest.raises(ImportError, match=words) as raised:
            dependencies.require_mmaction()
    assert raised.value.__cause__ is error


def test_mmaction_that_can_be_imported():
    assert dependencies.require_mmaction().__name__ == 'mmaction.models'


def test_pkg_resources(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: find(name) if name != 'pkg_resources' else None)
    with pytest.raises(ImportError, match=r"pip install 'setuptools<81'"):
        dependencies.require_pkg_resources()
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: object())
    dependencies.require_pkg_resources()


def test_the_guards_are_on_as_soon_as_the_package_is_imported(monkeypatch):
    assert CheckpointLoader._get_checkpoint_loader('x.pth') is checkpoint_loading.load_from_local
    assert CheckpointLoader._get_checkpoint_loader('https://x/y.pth') is checkpoint_loading.load_from_http
    installs = []
    monkeypatch.setattr(checkpoint_loading, 'install', lambda: installs.append(1))
    dependencies.install_guards()
    assert not installs, 'installed before'


# torchaudio


FBANK = """
import math, torch
from mmmutual.utils.dependencies import import_torchaudio
torchaudio = import_torchaudio()
assert import_torchaudio() is torchaudio
import torchaudio.compliance.kaldi as kaldi
import torchaudio.functional, torchaudio.transforms
rate = 16000
sine = torch.sin(2 * math.pi * 1000 * torch.arange(rate) / rate)[None]
bank = kaldi.fbank(sine, sample_frequency=rate, num_mel_bins=64, dither=0.0)
assert bank.shape == (98, 64) and torch.isfinite(bank).all()
mel = lambda hertz: 1127 * math.log(1 + hertz / 700)
expected = (mel(1000) - mel(20)) / (mel(8000) - mel(20)) * 65 - 1  # index of the bin whose centre is nearest
assert (bank.mean(0).argmax() - expected).abs() <= 1, (bank.mean(0).argmax(), expected)
assert torchaudio.functional.resample(sine, rate, 8000).shape == (1, 8000)
assert torchaudio.transforms.Spectrogram(n_fft=400)(sine).shape == (1, 201, 81)
"""


def test_the_real_torchaudio_works_beside_this_torch():
    if importlib.util.find_spec('torchaudio') is None:
        pytest.skip('torchaudio is not installed')
    subprocess.run([sys.executable, '-W', 'ignore', '-c', FBANK], check=True)


@pytest.fixture
def fake_torchaudio(tmp_path, monkeypatch):
    """Makes a torchaudio whose compiled part does what the given line says."""
    for name in [name for name in sys.modules if name.split('.')[0] == 'torchaudio']:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(line):
        package = tmp_path / 'torchaudio'
        package.mkdir()
        (package / 'early.py').write_text('loaded = 1\n')
        (package / '__init__.py').write_text(
            'from . import early\n'
            'from ._extension import _IS_TORCHAUDIO_EXT_AVAILABLE as compiled, _IS_ALIGN_AVAILABLE as align\n'
            'from ._extension import fail_if_no_align, _check_cuda_version\n'
            '_check_cuda_version()\n'
            '@fail_if_no_align\n'
            'def decorated():\n'
            '    return 7\n'
        )
        (package / '_extension.py').write_text(line)
        importlib.invalidate_caches()

    yield make
    for name in [name for name in sys.modules if name.split('.')[0] == 'torchaudio']:
        del sys.modules[name]


def test_a_library_that_cannot_be_loaded_is_stood_in_for(fake_torchaudio):
    fake_torchaudio("raise OSError('libcudart.so.13: cannot open shared object file')\n")
    module = dependencies.import_torchaudio()
    assert (module.compiled, module.align, module.decorated()) == (False, False, 7)
    assert module.early.loaded
    assert sys.modules['torchaudio'] is module


def test_a_library_that_loads_is_left_alone(fake_torchaudio):
    fake_torchaudio(
        '_IS_TORCHAUDIO_EXT_AVAILABLE = _IS_ALIGN_AVAILABLE = True\n'
        'fail_if_no_align = lambda f: f\n'
        '_check_cuda_version = lambda: None\n'
    )
    assert dependencies.import_torchaudio().compiled is True


def test_torchaudio_that_is_absent_is_named(fake_torchaudio, monkeypatch):
    def fail(name):
        raise ModuleNotFoundError("No module named 'torchaudio'", name='torchaudio')

    with monkeypatch.context() as patch:
        patch.setattr(dependencies.importlib, 'import_module', fail)
        with pytest.raises(ImportError, match='pip install torchaudio'):
            dependencies.import_torchaudio()
