"""Sound as a picture: the logarithm of the power in bands of the mel scale."""

import math
from functools import lru_cache
from typing import Any, Dict, Optional

import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from mmmutual.registry import TRANSFORMS


@lru_cache
def mel_filters(num_bins: int, f_min: float, f_max: float, n_mels: int, sample_rate: int) -> Tensor:
    """Weights (n_mels, num_bins) of the frequencies from 0 to half of the sample rate in each band.

    Bands are triangles that peak at 1, equally spaced on the mel scale of HTK, each as wide as two steps of it.
    """
    low, high = (2595 * math.log10(1 + frequency / 700) for frequency in (f_min, f_max))
    edges = 700 * (10 ** (torch.linspace(low, high, n_mels + 2, dtype=torch.float64) / 2595) - 1)
    edges, steps = edges[:, None], edges.diff()[:, None]
    frequencies = torch.linspace(0, sample_rate / 2, num_bins, dtype=torch.float64)
    rise, fall = (frequencies - edges[:-2]) / steps[:-1], (edges[2:] - frequencies) / steps[1:]
    return torch.minimum(rise, fall).clamp(min=0).float()


@TRANSFORMS.register_module()
class LogMelSpectrogram(BaseTransform):
    """log(max(power in a mel band, floor)) of every waveform, frame after frame.

    Frame k is centred at sample k * ``hop_length``; beyond both ends there is silence, so that a sound of any length
    has 1 + N // ``hop_length`` frames. The window is Hann's. The logarithm is natural.

    Required keys: ``waveforms`` and ``sample_rate``, see :class:`LoadAudio`.

    Added key: ``spectrograms``, dict: input name -> float32 (1, n_mels, frames) tensor, low bands first.

    Args:
        n_fft: even number of samples that a frame is transformed with (512 at 16 kHz: 32 ms).
        win_length: samples under the window, in the middle of them (25 ms).
        hop_length: samples from one frame to the next (10 ms).
        n_mels: number of bands.
        f_min: lowest frequency in Hz.
        f_max: highest frequency in Hz; ``None``: half of the sample rate.
        floor: least power. 1e-6 lies above the rounding noise of 16 bits, so silence is log(1e-6) = -13.8.

    Raises:
        ValueError: an option with a value that is not allowed; while running, an ``f_max`` above half of the sample
            rate.
    """

    def __init__(
        self,
        n_fft: int = 512,
        win_length: int = 400,
        hop_length: int = 160,
        n_mels: int = 64,
        f_min: float = 50.0,
        f_max: Optional[float] = None,
        floor: float = 1e-6,
    ) -> None:
        for option, value in dict(win_length=win_length, hop_length=hop_length, n_mels=n_mels).items():
            if value < 1:
                raise ValueError(f'{option} of LogMelSpectrogram must be at least 1, got {value}')
        if n_fft < win_length:
            raise ValueError(f'n_fft of LogMelSpectrogram must be at least win_length={win_length}, got {n_fft}')
        if not 0 <= f_min < (float('inf') if f_max is None else f_max):
            raise ValueError(f'f_min of LogMelSpectrogram must lie in [0, f_max={f_max}), got {f_min}')
        if floor <= 0:
            raise ValueError(f'floor of LogMelSpectrogram must be positive, so that silence has a log, got {floor}')
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.f_min = f_min
        self.f_max = f_max
        self.floor = floor

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Add the spectrograms; see the class."""
        nyquist = results['sample_rate'] / 2
        f_max = nyquist if self.f_max is None else self.f_max
        if not self.f_min < f_max <= nyquist:
            raise ValueError(
                f'LogMelSpectrogram needs f_min < f_max <= {nyquist:g} Hz, half of the sample rate, '
                f'got f_min={self.f_min:g}, f_max={f_max:g}'
            )
        filters = mel_filters(self.n_fft // 2 + 1, self.f_min, f_max, self.n_mels, results['sample_rate'])
        results['spectrograms'] = {
            name: self._log_mel(waveform, filters) for name, waveform in results['waveforms'].items()
        }
        return results

    def _log_mel(self, waveform: Tensor, filters: Tensor) -> Tensor:
        spectrum = torch.stft(
            waveform,
            self.n_fft,
            self.hop_length,
            self.win_length,
            torch.hann_window(self.win_length),
            pad_mode='constant',
            return_complex=True,
        )
        return (filters @ spectrum.abs().square()).clamp(min=self.floor).log()[None]
