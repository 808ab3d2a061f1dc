"""What is known to be broken in the packages that we stand on, and what is done about it: all in this place."""

import importlib
import importlib.machinery
import importlib.util
import sys
import types

from . import checkpoint_loading

_installed = False


def install_guards() -> None:
    """Install every guard that must be in place before use: ``import mmmutual`` does; repeated calls do nothing."""
    global _installed
    if not _installed:
        checkpoint_loading.install()
        _installed = True


def require_mmaction() -> types.ModuleType:
    """Import mmaction2's models or say what to install.

    Raises:
        ImportError: naming the known cause: mmaction2 is absent, its 1.2.0 wheel lacks a folder, or it refuses the
            installed mmcv.
    """
    try:
        return importlib.import_module('mmaction.models')
    except AssertionError as error:
        raise ImportError(
            f'mmaction2 refuses an installed package: {error} Known to work: mmaction2==1.1.0 with mmcv-lite==2.0.1 '
            '(pip install mmaction2==1.1.0 mmcv-lite==2.0.1).'
        ) from error
    except ModuleNotFoundError as error:
        missing = error.name or ''
        if missing.startswith('mmaction.models.localizers.drn'):
            advice = (
                "the wheel of mmaction2 1.2.0 lacks its own folder 'mmaction/models/localizers/drn'. Install "
                'mmaction2==1.1.0, or 1.2.0 from its source'
            )
        elif missing in ('mmaction', 'mmcv'):
            advice = f'{missing} is not installed. Run: pip install mmaction2==1.1.0 mmcv-lite==2.0.1'
        elif missing.startswith('mmcv._ext'):
            advice = "mmcv's compiled part does not load. mmcv-lite does without it: pip install mmcv-lite==2.0.1"
        else:
            advice = f'it needs the package {missing!r}. Run: pip install {missing.split(".")[0]}'
        raise ImportError(f'mmaction2 cannot be imported: {advice}.') from error


def require_pkg_resources() -> None:
    """mmengine 0.10.7 imports ``pkg_resources`` for configs inherited by ``package::``; setuptools 81 dropped it.

    Raises:
        ImportError: naming the version of setuptools to install.
    """
    if importlib.util.find_spec('pkg_resources') is None:
        raise ImportError(
            "mmengine resolves '_base_ = package::config' through pkg_resources, which setuptools 81 removed. "
            "Run: pip install 'setuptools<81'"
        )


def import_torchaudio() -> types.ModuleType:
    """The real torchaudio, also beside a torch without CUDA.

    Its wheels for Linux link CUDA libraries that a CPU-only machine lacks, although features, transforms and
    resampling are plain Python. When, and only when, its compiled library can't be loaded, the module that loads it is
    replaced by one that says so.

    Raises:
        ImportError: if torchaudio is not installed.
    """
    if 'torchaudio' in sys.modules:
        return sys.modules['torchaudio']
    try:
        return importlib.import_module('torchaudio')
    except OSError:
        for name in [name for name in sys.modules if name.split('.')[0] == 'torchaudio']:
            del sys.modules[name]
    except ModuleNotFoundError as error:
        raise ImportError(f'sound features need torchaudio ({error}). Run: pip install torchaudio') from error
    stand_in = types.ModuleType('torchaudio._extension')
    stand_in.__spec__ = importlib.machinery.ModuleSpec('torchaudio._extension', loader=None)
    stand_in._IS_TORCHAUDIO_EXT_AVAILABLE = False
    stand_in._IS_ALIGN_AVAILABLE = False
    stand_in.fail_if_no_align = lambda function: function
    stand_in._check_cuda_version = lambda: None
    sys.modules['torchaudio._extension'] = stand_in
    return importlib.import_module('torchaudio')
