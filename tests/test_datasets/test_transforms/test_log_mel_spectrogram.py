import importlib.util
import math

import numpy as np
import pytest
import torch

from mmmutual.datasets.transforms import LogMelSpectrogram
from mmmutual.registry import TRANSFORMS
from mmmutual.utils.dependencies import import_torchaudio

RATE = 16000


def log_mel(waveform, rate=RATE, **options):
    step = TRANSFORMS.build(dict(type='LogMelSpectrogram', **options))
    waveform = torch.as_tensor(waveform, dtype=torch.float32)
    return step(dict(waveforms=dict(audio=waveform), sample_rate=rate))['spectrograms']['audio']


def mel(frequency):
    """HTK's mel scale."""
    return 2595 * math.log10(1 + frequency / 700)


def band_edges(n_mels, f_min, f_max):
    """Frequencies at which the triangles begin, peak and end."""
    return [
        700 * (10 ** (m / 2595) - 1) for m in np.linspace(mel(f_min), mel(f_max), n_mels + 2)
    ]  # band k: edges k, k + 1, k + 2


@pytest.mark.parametrize('frequency', [120, 440, 1000, 3000, 7000])
def test_a_tone_is_loudest_in_the_band_that_peaks_next_to_it(frequency):
    spectrogram = log_mel(np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE), n_fft=1024, n_mels=40)
    peaks = band_edges(40, 50, RATE / 2)[1:-1]
    nearest = min(range(40), key=lambda band: abs(mel(peaks[band]) - mel(frequency)))
    assert spectrogram[0, :, 10:-10].argmax(dim=0).unique().tolist() == [nearest]


def test_against_sums_in_float64():
    """One frame of noise by the definition, without FFT and library."""
    n_fft, window_length, hop, n_mels = 64, 50, 32, 8
    waveform = np.random.RandomState(0).randn(200)
    given = log_mel(waveform, 8000, n_fft=n_fft, win_length=window_length, hop_length=hop, n_mels=n_mels, f_min=100)
    assert given.shape == (1, n_mels, 1 + 200 // hop)
    window = np.zeros(n_fft)  # in the middle of the frame
    window[7:57] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_length) / window_length)
    edges = band_edges(n_mels, 100, 4000)
    padded = np.concatenate([np.zeros(n_fft // 2), waveform, np.zeros(n_fft // 2)])
    for frame in (0, 3, 6):
        part = padded[frame * hop : frame * hop + n_fft] * window
        bins = np.arange(n_fft // 2 + 1)
        power = abs(np.exp(-2j * np.pi * np.outer(bins, np.arange(n_fft)) / n_fft) @ part) ** 2
        for band in range(n_mels):
            low, peak, high = edges[band : band + 3]
            frequencies = bins * 8000 / n_fft
            weights = np.minimum((frequencies - low) / (peak - low), (high - frequencies) / (high - peak)).clip(0)
            assert given[0, band, frame].item() == pytest.approx(math.log(max(weights @ power, 1e-6)), abs=1e-4)


def test_silence_is_the_floor():
    assert torch.allclose(log_mel(np.zeros(RATE)), torch.tensor(math.log(1e-6)))
    assert torch.allclose(log_mel(np.zeros(RATE), floor=1e-3), torch.tensor(math.log(1e-3)))


def test_any_length():
    """Sound shorter than one window, and every hop one frame more."""
    lengths = [log_mel(np.ones(count)).shape for count in (1, 48, 159, 160, 320)]
    assert lengths == [(1, 64, frames) for frames in (1, 1, 1, 2, 3)]


def test_louder_by_ten_decibel():
    noise = np.random.RandomState(0).randn(4000)
    difference = log_mel(noise * math.sqrt(10)) - log_mel(noise)
    assert torch.allclose(difference, torch.tensor(math.log(10)), atol=1e-4)


def test_against_torchaudio():
    if importlib.util.find_spec('torchaudio') is None:
        pytest.skip('torchaudio is not installed')
    options = dict(n_fft=512, win_length=400, hop_length=160, n_mels=64, f_min=50.0)
    power = import_torchaudio().transforms.MelSpectrogram(RATE, pad_mode='constant', **options)
    noise = torch.from_numpy(np.random.RandomState(0).randn(4000)).float()
    assert torch.allclose(log_mel(noise, **options)[0], power(noise).log(), atol=1e-4)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(hop_length=0), 'hop_length of LogMelSpectrogram must be at least 1, got 0'),
        (dict(n_mels=0), 'n_mels of LogMelSpectrogram must be at least 1, got 0'),
        (dict(n_fft=256), 'n_fft of LogMelSpectrogram must be at least win_length=400, got 256'),
        (dict(f_min=500, f_max=400), r'f_min of LogMelSpectrogram must lie in \[0, f_max=400\), got 500'),
        (dict(floor=0), 'floor of LogMelSpectrogram must be positive, .* got 0'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        LogMelSpectrogram(**options)


@pytest.mark.parametrize('options', [dict(f_max=5000), dict(f_min=4500)])
def test_more_than_half_of_the_sample_rate(options):
    with pytest.raises(ValueError, match='f_min < f_max <= 4000 Hz, half of the sample rate'):
        log_mel(np.zeros(100), 8000, **options)
