"""mmmutual: the OpenMMLab toolbox for modalities that teach one another."""

from .utils.dependencies import install_guards
from .version import __version__

# Before anything loads a checkpoint or imports torchaudio.
install_guards()

__all__ = ['__version__']
