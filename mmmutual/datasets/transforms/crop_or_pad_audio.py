"""Cutting sound to one length, so that samples form a batch."""

from typing import Any, Dict

import numpy as np
from mmcv.transforms import BaseTransform
from torch import Tensor
from torch.nn.functional import pad as pad_with

from mmmutual.registry import TRANSFORMS

OPTIONS = dict(mode=('random', 'center', 'start'), pad=('zeros', 'repeat'))


@TRANSFORMS.register_module()
class CropOrPadAudio(BaseTransform):
    """Cut a part of one length out of every waveform, the same part of all inputs, or fill up what is shorter.

    Random parts draw once per sample from numpy's generator; every start that leaves room is equally likely.

    Required keys: ``waveforms`` and ``sample_rate``, see :class:`LoadAudio`. Changed key: ``waveforms``.

    Args:
        duration: length of the result in seconds, rounded to samples.
        mode: where the part lies: ``'random'`` (training), ``'center'``, or at the ``'start'``.
        pad: what follows a shorter sound: ``'zeros'``, or the sound itself in ``'repeat'``.

    Raises:
        ValueError: an option with a value that is not allowed; while running, a duration of no sample.
    """

    def __init__(self, duration: float, mode: str = 'random', pad: str = 'zeros') -> None:
        if duration <= 0:
            raise ValueError(f'duration of CropOrPadAudio must be more than 0 seconds, got {duration}')
        for option, value in dict(mode=mode, pad=pad).items():
            if value not in OPTIONS[option]:
                raise ValueError(f'{option} of CropOrPadAudio must be one of {OPTIONS[option]}, got {value!r}')
        self.duration = duration
        self.mode = mode
        self.pad = pad

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Cut all waveforms alike."""
        length = round(self.duration * results['sample_rate'])
        if length < 1:
            raise ValueError(
                f'duration={self.duration} s of CropOrPadAudio is no sample at {results["sample_rate"]} Hz'
            )
        position = np.random.random() if self.mode == 'random' else dict(start=0.0, center=0.5)[self.mode]
        results['waveforms'] = {
            name: self._fit(waveform, length, position) for name, waveform in results['waveforms'].items()
        }
        return results

    def _fit(self, waveform: Tensor, length: int, position: float) -> Tensor:
        """``length`` samples of a waveform (N,), from ``position`` in [0, 1) of the possible starts on."""
        room = len(waveform) - length
        if room >= 0:
            start = int(position * (room + 1))
            return waveform[start : start + length]
        if self.pad == 'zeros':
            return pad_with(waveform, (0, -room))
        return waveform.repeat(-(-length // len(waveform)))[:length]
