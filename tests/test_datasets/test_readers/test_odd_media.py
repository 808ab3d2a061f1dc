"""Every odd file through every reader: the table "Required outcome" of the data's README."""

import importlib.util

import numpy as np
import pytest

from mmmutual.datasets.readers import open_video
from mmmutual.datasets.readers.audio_reader import read_audio
from mmmutual.utils.errors import UnreadableMediaError

BACKENDS = [
    'pyav',
    'opencv',
    pytest.param('decord', marks=pytest.mark.skipif(not importlib.util.find_spec('decord'), reason='needs decord')),
]
# name -> ((frames, width, height) or why there is no video, (Hz, channels, samples) or why there is no sound)
ODD = {
    'zero_bytes.webm': ('unreadable', 'unreadable'),
    'corrupt_chunk_out_of_range.mp4': ('unreadable', 'unreadable'),
    'corrupt_empty_stsc.mp4': ('unreadable', 'unreadable'),
    'truncated_half_of_abseiling.mp4': ('unreadable', 'unreadable'),
    'truncated_half_of_mmaction2_test.avi': ((77, 320, 240), (44100, 2, 157824)),
    'vfr_no_duration_header.webm': ((74, 1280, 720), (48000, 2, 233280)),
    'av1_noaudio.mkv': ((125, 640, 360), 'no audio stream'),
    'h264_10bit_noaudio.mp4': ((30, 200, 200), 'no audio stream'),
    'h265_10bit_noaudio.mp4': ((30, 200, 200), 'no audio stream'),
    'rotation_90_1frame.mp4': ((1, 60, 100), 'no audio stream'),
    'vertical_10fps_bento.mp4': ((11, 320, 568), (44100, 1, 44032)),
    'one_frame_with_audio.mp4': ((1, 320, 240), (48000, 1, 2048)),
    'one_by_one_pixel.mp4': ((5, 1, 1), 'no audio stream'),
    'blank_white_300f.mp4': ((300, 320, 240), 'no audio stream'),
    'audio_only.mp4': ('no video stream', (44100, 1, 22464)),
    'audio_only.webm': ('no video stream', (48000, 2, 71040)),
    'mp4_named_aac.aac': ('no video stream', (44100, 1, 425984)),
    'empty_header_only.wav': ('no video stream', 'empty audio'),
    'short_48_samples.wav': ('no video stream', (48000, 1, 48)),
    'silence_2s.wav': ('no video stream', (48000, 1, 96000)),
    'pcm_u8_32k_stereo.wav': ('no video stream', (32000, 2, 320303)),
}


def test_every_odd_file_is_listed(data_root):
    assert {path.name for path in (data_root / 'media' / 'odd').iterdir()} == set(ODD)


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('name', ODD)
def test_video(data_root, name, backend):
    path, (expected, _) = data_root / 'media' / 'odd' / name, ODD[name]
    if isinstance(expected, str):
        for ask in (len, lambda reader: reader.get_frames([0]), list):
            with pytest.raises(UnreadableMediaError) as error, open_video(path, backend) as reader:
                ask(reader)
            assert error.value.reason.split(':')[0] == expected
            assert error.value.path == str(path)
        return
    count, width, height = expected
    numbers = [count // 2, count - 1, 0, count - 1]
    with open_video(path, backend) as reader, open_video(path) as by_pyav:
        assert len(reader) == count
        assert reader.fps == by_pyav.fps
        frames = reader.get_frames(numbers)
        assert frames.shape == (4, height, width, 3)
        assert frames.dtype == np.uint8
        # 10 bits are cut or rounded to 8 before or after the conversion to RGB
        assert np.abs(frames.astype(np.int16) - by_pyav.get_frames(numbers)).mean() < (2 if '10bit' in name else 0.5)
        assert sum(1 for _ in reader) == count
        with pytest.raises(IndexError):
            reader.get_frames([count])


@pytest.mark.parametrize('name', ODD)
def test_sound(data_root, name):
    path, (_, expected) = data_root / 'media' / 'odd' / name, ODD[name]
    if isinstance(expected, str):
        with pytest.raises(UnreadableMediaError) as error:
            read_audio(path)
        assert error.value.reason.split(':')[0] == expected
        assert error.value.path == str(path)
        return
    rate, channels, samples = expected
    waveform, found_rate = read_audio(path, mono=False)
    assert found_rate == rate
    assert waveform.shape == (channels, samples)
    assert waveform.dtype == np.float32
    assert np.isfinite(waveform).all()
    assert read_audio(path, sample_rate=16000)[0].shape == (1, -(-samples * 16000 // rate))
