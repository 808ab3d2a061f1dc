import numpy as np
import pytest
import torch

from mmmutual.datasets.transforms import CropOrPadAudio
from mmmutual.registry import TRANSFORMS


def fit(crop, *lengths, rate=10):
    """Waveforms 1, 2, 3 ... of these lengths, cut."""
    waveforms = {str(number): torch.arange(1.0, length + 1) for number, length in enumerate(lengths)}
    results = crop(dict(waveforms=waveforms, sample_rate=rate))
    cut = [waveform.tolist() for waveform in results['waveforms'].values()]
    return cut if len(cut) > 1 else cut[0]


@pytest.mark.parametrize(('mode', 'first'), [('start', 1), ('center', 3)])
def test_fixed_part(mode, first):
    crop = TRANSFORMS.build(dict(type='CropOrPadAudio', duration=0.4, mode=mode))
    assert fit(crop, 8) == [first, first + 1, first + 2, first + 3]
    assert fit(crop, 4) == [1, 2, 3, 4]


def test_every_start_is_equally_likely_and_follows_the_seed():
    crop = CropOrPadAudio(0.4)
    starts = []
    for seed in range(400):
        np.random.seed(seed)
        cut = fit(crop, 7)
        assert cut == [cut[0] + step for step in range(4)]
        starts.append(int(cut[0]))
    assert set(starts) == {1, 2, 3, 4}  # the last 4 of 7 samples too
    assert min(starts.count(start) for start in (1, 2, 3, 4)) > 70
    np.random.seed(3)
    assert fit(crop, 7)[0] == starts[3]


def test_inputs_of_a_sample_keep_together():
    crop = CropOrPadAudio(0.4)
    for seed in range(20):
        np.random.seed(seed)
        one, other = fit(crop, 50, 50)
        assert one == other
    np.random.seed(0)
    fit(crop, 50, 50)
    drawn_once = np.random.random()
    np.random.seed(0)
    assert np.random.random(2)[1] == drawn_once


@pytest.mark.parametrize('mode', ['random', 'center', 'start'])
def test_padding(mode):
    assert fit(CropOrPadAudio(0.7, mode, pad='zeros'), 3) == [1, 2, 3, 0, 0, 0, 0]
    assert fit(CropOrPadAudio(0.7, mode, pad='repeat'), 3) == [1, 2, 3, 1, 2, 3, 1]
    assert fit(CropOrPadAudio(0.7, mode, pad='repeat'), 1) == [1] * 7


def test_two_in_a_row_are_the_stft_crop_of_mla():
    """Tiled to 10 s, then 5 s from anywhere up to 5 s (spec/mla.md 2.3), here at 2 Hz."""
    for seed in range(20):
        np.random.seed(seed)
        results = dict(waveforms=dict(audio=torch.arange(7.0)), sample_rate=2)
        results = CropOrPadAudio(10, 'start', pad='repeat')(results)
        cut = CropOrPadAudio(5, 'random')(results)['waveforms']['audio']
        start = int(cut[0])  # of 0 ... 10: 7 has become 0, and so on
        assert len(cut) == 10
        assert [int(value) for value in cut] == [(start + step) % 7 for step in range(10)]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(duration=0), 'duration of CropOrPadAudio must be more than 0 seconds, got 0'),
        (dict(duration=1, mode='middle'), r"mode .* must be one of \('random', 'center', 'start'\), got 'middle'"),
        (dict(duration=1, pad='reflect'), r"pad .* must be one of \('zeros', 'repeat'\), got 'reflect'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        CropOrPadAudio(**options)


def test_less_than_a_sample():
    with pytest.raises(ValueError, match=r'duration=0.01 s .* no sample at 10 Hz'):
        fit(CropOrPadAudio(0.01), 7)
