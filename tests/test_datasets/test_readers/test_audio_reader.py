"""Sound of files that we write, whose samples are known."""

import os
import sys

import av
import numpy as np
import pytest
import soundfile

from mmmutual.datasets.readers import audio_reader
from mmmutual.datasets.readers.audio_reader import read_audio
from mmmutual.utils.errors import UnreadableMediaError

RATE = 8000


def tone(frequency, seconds=1.0, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def write_by_pyav(path, samples, codec, rate=RATE, layout='mono', muxer=None):
    """samples: int16 (1, N * C), channels interleaved."""
    with av.open(str(path), 'w', options=muxer or {}) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples, format='s16', layout=layout)
        frame.sample_rate = rate
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


@pytest.mark.parametrize(('subtype', 'step'), [('PCM_U8', 1 / 128), ('PCM_16', 1 / 32768), ('PCM_24', 2**-23)])
def test_full_scale_is_one(tmp_path, subtype, step):
    samples = np.stack([tone(440), -tone(300)], axis=1)
    soundfile.write(tmp_path / 'a.wav', samples, RATE, subtype=subtype)
    waveform, rate = read_audio(tmp_path / 'a.wav', mono=False)
    assert rate == RATE
    assert waveform.dtype == np.float32
    assert waveform.shape == (2, RATE)
    np.testing.assert_allclose(waveform, samples.T, atol=1.01 * step)


def test_mono_is_the_mean_of_the_channels(tmp_path):
    samples = np.stack([tone(440), 0.5 * tone(440), np.zeros(RATE)], axis=1)
    soundfile.write(tmp_path / 'a.wav', samples, RATE, subtype='FLOAT')
    waveform, _ = read_audio(str(tmp_path / 'a.wav'))
    assert waveform.shape == (1, RATE)
    np.testing.assert_allclose(waveform[0], 0.5 * tone(440), atol=1e-6)


@pytest.mark.parametrize('rate', [16000, 11025, 4000])
def test_resampling_keeps_the_tone(tmp_path, rate):
    soundfile.write(tmp_path / 'a.wav', tone(440), RATE, subtype='FLOAT')
    waveform, found = read_audio(tmp_path / 'a.wav', sample_rate=rate)
    assert found == rate
    assert waveform.shape == (1, rate)
    assert waveform.dtype == np.float32
    assert waveform.flags.c_contiguous
    inner = slice(rate // 10, -rate // 10)  # the filter meets silence at both ends
    np.testing.assert_allclose(waveform[0, inner], tone(440, rate=rate)[inner], atol=5e-3)


def test_resampling_leaves_out_what_the_new_rate_cannot_hold(tmp_path):
    soundfile.write(tmp_path / 'a.wav', tone(3000), RATE, subtype='FLOAT')
    waveform, _ = read_audio(tmp_path / 'a.wav', sample_rate=4000)
    assert np.abs(waveform[0, 400:-400]).max() < 0.01  # and no alias at 1 kHz


def test_the_same_rate_is_left_as_it_is(tmp_path):
    soundfile.write(tmp_path / 'a.wav', tone(440), RATE, subtype='FLOAT')
    np.testing.assert_array_equal(read_audio(tmp_path / 'a.wav', RATE)[0], read_audio(tmp_path / 'a.wav')[0])


@pytest.mark.parametrize('suffix', ['.flac', '.wav', '.mkv', '.mov'])
def test_lossless_sound_in_any_container(tmp_path, suffix):
    samples = np.stack([tone(440), tone(300)])
    interleaved = (samples.T.reshape(1, -1) * 32767).round().astype(np.int16)
    codec = 'flac' if suffix == '.flac' else 'pcm_s16le'
    path = write_by_pyav(tmp_path / f'a{suffix}', interleaved, codec, layout='stereo')
    waveform, rate = read_audio(path, mono=False)
    assert rate == RATE
    np.testing.assert_array_equal(waveform, (interleaved.reshape(-1, 2).T / 32768).astype(np.float32))


def test_both_libraries_give_the_same(data_root, monkeypatch):
    path = data_root / 'media' / 'odd' / 'pcm_u8_32k_stereo.wav'
    waveform, rate = read_audio(path, mono=False)
    monkeypatch.setattr(audio_reader, '_SOUNDFILE_SUFFIXES', ('.none',))
    other, other_rate = read_audio(path, mono=False)
    assert rate == other_rate
    np.testing.assert_array_equal(waveform, other)


def test_sound_track_is_the_sound_of_the_clip(data_root):
    # The wav is this track at 16 kHz, resampled by others.
    folder = data_root / 'media' / 'good'
    wav, _ = read_audio(folder / 'mmaction2_test.wav')
    track, rate = read_audio(folder / 'mmaction2_test.avi', sample_rate=16000)
    assert rate == 16000
    assert track.shape == wav.shape == (1, 104908)
    assert np.corrcoef(wav[0], track[0])[0, 1] > 0.99


def test_six_channels(data_root):
    waveform, rate = read_audio(data_root / 'media' / 'good' / 'bigbuckbunny_51ch.mp4', mono=False)
    assert (waveform.shape[0], rate) == (6, 48000)


def test_another_format_than_the_suffix_says(tmp_path):
    samples = (tone(440)[None] * 32767).astype(np.int16)
    path = write_by_pyav(tmp_path / 'a.mov', samples, 'pcm_s16le').rename(tmp_path / 'a.wav')
    np.testing.assert_array_equal(read_audio(path)[0], (samples / 32768).astype(np.float32))


@pytest.mark.parametrize('suffix', ['.wav', '.flac'])
def test_cut_off_file_gives_what_is_there(tmp_path, suffix):
    path = tmp_path / f'a{suffix}'
    soundfile.write(path, tone(440, seconds=4), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    waveform, _ = read_audio(path)
    assert 1.4 * RATE < waveform.shape[1] <= 2 * RATE
    np.testing.assert_allclose(waveform[0], tone(440, seconds=4)[: waveform.shape[1]], atol=1e-3)


def test_cut_off_while_downloading(tmp_path):
    samples = (tone(440, seconds=4)[None] * 32767).astype(np.int16)
    path = write_by_pyav(tmp_path / 'a.mov', samples, 'pcm_s16le', muxer={'movflags': 'faststart'})
    path.write_bytes(path.read_bytes()[:-RATE])  # bytes: half a second
    waveform, _ = read_audio(path)
    assert 3 * RATE < waveform.shape[1] <= 3.5 * RATE
    np.testing.assert_array_equal(waveform, (samples[:, : waveform.shape[1]] / 32768).astype(np.float32))


def test_reasons(tmp_path):
    (tmp_path / 'noise.wav').write_bytes(bytes(range(256)))
    (tmp_path / 'noise.mp3').write_bytes(b'')
    for path in (
        tmp_path / 'none.wav',
        tmp_path / 'none.mp4',
        tmp_path / 'noise.wav',
        tmp_path / 'noise.mp3',
        tmp_path,
    ):
        with pytest.raises(UnreadableMediaError, match='unreadable: ') as error:
            read_audio(path)
        assert error.value.path == str(path)


@pytest.mark.skipif(sys.platform in ('win32', 'darwin'), reason='names of files are text here')
def test_a_name_that_is_no_text(tmp_path):
    soundfile.write(tmp_path / 'a.wav', tone(440), RATE)
    expected, _ = read_audio(tmp_path / 'a.wav')
    path = (tmp_path / 'a.wav').rename(os.fsdecode(os.fsencode(tmp_path) + b'/\xff.wav'))
    np.testing.assert_array_equal(read_audio(path)[0], expected)
    path.unlink()
    with pytest.raises(UnreadableMediaError, match='unreadable: No such file'):
        read_audio(path)


@pytest.mark.parametrize('sample_rate', [0, -8000])
def test_impossible_rate(tmp_path, sample_rate):
    with pytest.raises(ValueError, match=f'sample_rate must be at least 1, got {sample_rate}'):
        read_audio(tmp_path / 'a.wav', sample_rate)
