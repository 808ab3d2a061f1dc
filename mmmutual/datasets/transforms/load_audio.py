"""Reading the sound of a sample."""

from typing import Any, Dict

import torch
from mmcv.transforms import BaseTransform

from mmmutual.datasets.readers.audio_reader import read_audio
from mmmutual.registry import TRANSFORMS

CHANNELS = ('mean', 'first')


@TRANSFORMS.register_module()
class LoadAudio(BaseTransform):
    """Read the inputs of kind ``'audio'`` whole: sound files, or the sound tracks of videos.

    Required key: ``sources``.

    Added keys: ``waveforms``, dict: input name -> float32 (N,) tensor with full scale at -1 and 1; ``sample_rate``.

    Args:
        sample_rate: in Hz; what was recorded at another rate is resampled.
        channels: which become the one that is kept: the ``'mean'`` of all, or the ``'first'`` (spec/mla.md 2.3).

    Raises:
        ValueError: an option with a value that is not allowed; while running, a sample without an input of kind
            ``'audio'``.
        UnreadableMediaError: while running, ``no audio stream``, ``empty audio`` (0 samples) or ``unreadable``.
    """

    def __init__(self, sample_rate: int = 16000, channels: str = 'mean') -> None:
        if sample_rate < 1:
            raise ValueError(f'sample_rate of LoadAudio must be at least 1 Hz, got {sample_rate}')
        if channels not in CHANNELS:
            raise ValueError(f'channels of LoadAudio must be one of {CHANNELS}, got {channels!r}')
        self.sample_rate = sample_rate
        self.channels = channels

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Add the waveforms; see the class."""
        kinds = {name: source['kind'] for name, source in results['sources'].items()}
        if 'audio' not in kinds.values():
            raise ValueError(f"LoadAudio needs an input of kind 'audio', got {kinds}: add one, or leave LoadAudio out")
        results['waveforms'] = {
            name: self._read(source['path']) for name, source in results['sources'].items() if kinds[name] == 'audio'
        }
        results['sample_rate'] = self.sample_rate
        return results

    def _read(self, path: str) -> torch.Tensor:
        waveform, _ = read_audio(path, self.sample_rate, mono=self.channels == 'mean')
        return torch.from_numpy(waveform[0])
