import numpy as np
import pytest
import soundfile
import torch

from mmmutual.datasets.transforms import CropOrPadAudio, LoadAudio, LogMelSpectrogram
from mmmutual.registry import TRANSFORMS
from mmmutual.utils import UnreadableMediaError


def load(path, **options):
    results = LoadAudio(**options)(dict(sources=dict(audio=dict(kind='audio', path=str(path)))))
    return results['waveforms']['audio']


@pytest.fixture
def stereo(tmp_path):
    """Left 0.5, 0.5, ..., right 0, -0.25, -0.5, 0, ... at 8 kHz: exact in 16 bits."""
    samples = np.stack([np.full(300, 0.5), np.resize([0, -0.25, -0.5], 300)], axis=1)
    soundfile.write(tmp_path / 'stereo.wav', samples, 8000)
    return tmp_path / 'stereo.wav'


def test_channels(stereo):
    mean = load(stereo, sample_rate=8000)
    assert mean.dtype == torch.float32
    assert mean.shape == (300,)
    assert mean[:4].tolist() == [0.25, 0.125, 0.0, 0.25]
    assert load(stereo, sample_rate=8000, channels='first').tolist() == [0.5] * 300


def test_only_sound_is_read_and_resampled(stereo):
    sources = dict(
        rgb=dict(kind='video', path='none.mp4', num_frames=None),
        left=dict(kind='audio', path=str(stereo)),
        right=dict(kind='audio', path=str(stereo)),
    )
    results = TRANSFORMS.build(dict(type='LoadAudio'))(dict(sources=sources))
    assert {name: len(waveform) for name, waveform in results['waveforms'].items()} == dict(left=600, right=600)
    assert results['sample_rate'] == 16000


def test_no_sound_among_the_inputs():
    with pytest.raises(ValueError, match=r"needs an input of kind 'audio', got {'rgb': 'video'}"):
        LoadAudio()(dict(sources=dict(rgb=dict(kind='video', path='a.mp4', num_frames=None))))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(sample_rate=0), 'sample_rate of LoadAudio must be at least 1 Hz, got 0'),
        (dict(channels='left'), r"channels of LoadAudio must be one of \('mean', 'first'\), got 'left'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        LoadAudio(**options)


@pytest.mark.parametrize(
    ('file', 'reason'),
    [
        ('odd/empty_header_only.wav', 'empty audio'),
        ('odd/av1_noaudio.mkv', 'no audio stream'),
        ('odd/zero_bytes.webm', 'unreadable'),
        ('none.wav', 'unreadable'),
    ],
)
def test_what_has_no_sound(data_root, file, reason):
    with pytest.raises(UnreadableMediaError, match=file) as error:
        load(data_root / 'media' / file)
    assert error.value.reason.split(':')[0] == reason


@pytest.mark.parametrize(
    ('file', 'seconds'),
    [
        ('fsdd/recordings/3_jackson_7.wav', None),
        ('esc10/*/*.ogg', 5),
        ('media/odd/pcm_u8_32k_stereo.wav', None),
        ('media/odd/audio_only.mp4', None),
        ('media/odd/silence_2s.wav', 2),
        ('media/odd/short_48_samples.wav', 48 / 48000),
        ('media/good/kinetics_abseiling_k400.mp4', 10),
    ],
)
def test_real_sounds_become_pictures_of_one_size(data_root, file, seconds):
    path = sorted(data_root.glob(file))[0]
    waveform = load(path)
    if seconds is not None:
        assert len(waveform) == pytest.approx(16000 * seconds, abs=16000 * 0.1)
    results = dict(waveforms=dict(audio=waveform), sample_rate=16000)
    spectrogram = LogMelSpectrogram()(CropOrPadAudio(2, mode='center')(results))['spectrograms']['audio']
    assert spectrogram.shape == (1, 64, 201)
    assert spectrogram.isfinite().all()
