"""mmmutual: the OpenMMLab toolbox for modalities that teach one another."""

import importlib.util

from .version import __version__

if importlib.util.find_spec('mmengine') is None:
    raise ImportError("mmmutual stands on mmengine, mmcv and mmaction2. Run: pip install 'mmmutual[mim]'")

from .utils.dependencies import install_guards  # noqa: E402  it needs mmengine

# Before anything loads a checkpoint or imports torchaudio.
install_guards()

__all__ = ['__version__']
