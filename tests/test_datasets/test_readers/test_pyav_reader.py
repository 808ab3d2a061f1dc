"""Sparse reading against plain decoding of the whole file, in many containers, codecs and states of damage."""

import gc
import os
import struct

import av
import numpy as np
import pytest

from mmmutual.datasets.readers import open_video
from mmmutual.datasets.readers.pyav_reader import PyAVReader
from mmmutual.utils.errors import UnreadableMediaError

from ...video_files import decode_all, moving_frames, write_video

COUNT = 40
VARIABLE_TIMES = np.cumsum(np.random.RandomState(0).randint(10, 90, COUNT)).tolist()

# file name -> options of write_video
FORMATS = {
    'b_frames.mp4': dict(bf=3),
    'b_frames.mkv': dict(bf=3),
    'b_frames.mov': dict(bf=3),
    'b_frames.ts': dict(bf=3),
    'b_frames_without_pts.avi': dict(bf=3),
    'no_b_frames.mp4': dict(bf=0),
    'no_b_frames.avi': dict(bf=0),
    'no_timestamps.h264': dict(bf=3),
    'pyramid.mp4': dict(bf=5, x264_params='b-pyramid=normal:ref=4'),
    'open_gop.mkv': dict(x264_params='open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3'),
    'intra_refresh.mp4': dict(x264_params='intra-refresh=1:keyint=20:bframes=0'),
    'interlaced.ts': dict(x264_params='tff=1:interlaced=1'),
    'one_gop.mp4': dict(gop=250),
    'variable_rate.mp4': dict(times=VARIABLE_TIMES),
    'variable_rate.mkv': dict(times=VARIABLE_TIMES),
    'negative_times.mkv': dict(times=[index * 40 - 400 for index in range(COUNT)]),
    'hevc_open_gop.mp4': dict(codec='libx265', x265_params='log-level=none:keyint=12:open-gop=1:bframes=4:pools=1'),
    'vp8.webm': dict(codec='libvpx', gop=30),
    'superframes.webm': dict(codec='libvpx-vp9', gop=30, auto_alt_ref=1, lag_in_frames=16, b=100000, cpu_used=8),
    'mpeg4.avi': dict(codec='mpeg4', bf=0),
    'mpeg4_b_frames.avi': dict(codec='mpeg4', bf=2),
    'mpeg2.mpg': dict(codec='mpeg2video', bf=2),
    'mpeg1.mpg': dict(codec='mpeg1video', bf=2),
    'only_keyframes.avi': dict(codec='mjpeg', pix_fmt='yuvj420p'),
    'palette.gif': dict(codec='gif', pix_fmt='rgb8'),
}
TRUSTED = ('b_frames.mp4', 'b_frames.mkv', 'open_gop.mkv', 'variable_rate.mp4', 'hevc_open_gop.mp4', 'superframes.webm')


def index_sets(count, rng):
    """Random frame numbers, sorted and not, with repetitions, and the ends."""
    yield from (rng.randint(0, count, size) for size in (1, 2, 8, 8, 16))
    yield np.arange(0, count, max(1, count // 8))
    yield [count - 1, 0, 0, count - 1]


def assert_sparse_equals_sequential(path, reference):
    with open_video(path) as reader:
        assert len(reader) == len(reference)
        for indices in index_sets(len(reference), np.random.RandomState(0)):
            frames = reader.get_frames(indices)
            assert frames.dtype == np.uint8
            np.testing.assert_array_equal(frames, np.stack([reference[index] for index in indices]))
        played = list(reader)
        assert len(played) == len(reference)
        assert all(np.array_equal(mine, other) for mine, other in zip(played, reference))


@pytest.mark.parametrize('name', FORMATS)
def test_every_format_gives_exactly_the_frames_of_plain_decoding(tmp_path, name):
    path = write_video(tmp_path / name, moving_frames(COUNT), **FORMATS[name])
    reference = decode_all(path)
    assert len(reference) == COUNT
    assert_sparse_equals_sequential(path, reference)


@pytest.mark.parametrize('name', TRUSTED)
def test_neither_length_nor_frames_need_all_decoded(tmp_path, monkeypatch, name):
    path = write_video(tmp_path / name, moving_frames(COUNT), **FORMATS[name])
    monkeypatch.setattr(PyAVReader, '_count_by_decoding', None)
    monkeypatch.setattr(PyAVReader, '_play', None)
    with open_video(path) as reader:
        assert len(reader) == COUNT
        for indices in index_sets(COUNT, np.random.RandomState(0)):
            reader.get_frames(indices)


def test_few_packets_are_decoded_for_a_few_frames(tmp_path, monkeypatch):
    decoded = []

    def count(stream, packets, times):
        decoded.append(len(packets))
        return original(stream, packets, times)

    from mmmutual.datasets.readers import pyav_reader

    original = pyav_reader._decode_only
    monkeypatch.setattr(pyav_reader, '_decode_only', count)
    path = write_video(tmp_path / 'a.mp4', moving_frames(COUNT), gop=8, bf=0, x264_params='scenecut=0')
    with open_video(path) as reader:
        reader.get_frames([30, 3, 9])
    assert decoded == [4, 2, 7]  # 0-3, 8-9, 24-30


@pytest.mark.parametrize('folder', ['media/good', 'media/grid', 'sthv2'])
def test_real_videos(data_root, folder):
    videos = [
        path for path in sorted((data_root / folder).iterdir()) if path.suffix in ('.mp4', '.avi', '.mkv', '.mpg')
    ]
    assert videos
    for path in videos:
        reference = decode_all(path)
        with open_video(path) as reader:
            assert len(reader) == len(reference), path
            for indices in index_sets(len(reference), np.random.RandomState(1)):
                expected = np.stack([reference[index] for index in indices])
                assert np.array_equal(reader.get_frames(indices), expected), (path, indices)


# name -> (frames, width, height) or the reason why it is unreadable: the table "Required outcome" of the data's README
ODD = {
    'zero_bytes.webm': 'unreadable',
    'corrupt_chunk_out_of_range.mp4': 'unreadable',
    'corrupt_empty_stsc.mp4': 'unreadable',
    'truncated_half_of_abseiling.mp4': 'unreadable',
    'truncated_half_of_mmaction2_test.avi': (77, 320, 240),
    'vfr_no_duration_header.webm': (74, 1280, 720),
    'av1_noaudio.mkv': (125, 640, 360),
    'h264_10bit_noaudio.mp4': (30, 200, 200),
    'h265_10bit_noaudio.mp4': (30, 200, 200),
    'rotation_90_1frame.mp4': (1, 60, 100),
    'vertical_10fps_bento.mp4': (11, 320, 568),
    'one_frame_with_audio.mp4': (1, 320, 240),
    'one_by_one_pixel.mp4': (5, 1, 1),
    'blank_white_300f.mp4': (300, 320, 240),
    'audio_only.mp4': 'no video stream',
    'audio_only.webm': 'no video stream',
    'mp4_named_aac.aac': 'no video stream',
    'empty_header_only.wav': 'no video stream',
    'short_48_samples.wav': 'no video stream',
    'silence_2s.wav': 'no video stream',
    'pcm_u8_32k_stereo.wav': 'no video stream',
}


@pytest.mark.parametrize('name', ODD)
def test_odd_files_give_the_required_outcome(data_root, name, capfd):
    path = data_root / 'media' / 'odd' / name
    if isinstance(ODD[name], str):
        with pytest.raises(UnreadableMediaError) as error, open_video(path) as reader:
            len(reader)
        assert error.value.reason.split(':')[0] == ODD[name]
        assert error.value.path == str(path)
    else:
        count, width, height = ODD[name]
        with open_video(path) as reader:
            assert len(reader) == count
            # not the first frame at first: what a decoder may leave out then, dav1d would leave out for ever
            indices = list(range(count // 2, count))
            frames = np.concatenate([reader.get_frames(indices), reader.get_frames([0, 0])])
            indices += [0, 0]
            assert frames.shape == (len(indices), height, width, 3)
            everything = list(reader)
        assert len(everything) == count
        for frame, index in zip(frames, indices):
            np.testing.assert_array_equal(frame, everything[index])
    assert capfd.readouterr().err == ''  # FFmpeg keeps its complaints to itself


def test_every_odd_file_is_listed(data_root):
    assert {path.name for path in (data_root / 'media' / 'odd').iterdir()} == set(ODD)


def test_nothing_decodable_raises_every_time(data_root):
    path = data_root / 'media' / 'odd' / 'corrupt_empty_stsc.mp4'
    with open_video(path) as reader:
        for ask in (len, len, list, lambda reader: reader.get_frames([0])):
            with pytest.raises(UnreadableMediaError, match='unreadable: no frame decodes'):
                ask(reader)


def test_blank_video_is_white(data_root):
    with open_video(data_root / 'media' / 'odd' / 'blank_white_300f.mp4') as reader:
        assert reader.get_frames([299]).min() >= 250


def test_file_cut_off_while_downloading(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(COUNT), muxer={'movflags': 'faststart'})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    reference = decode_all_but_damaged(path)
    assert 5 < len(reference) < COUNT  # the header still claims 40
    assert_sparse_equals_sequential(path, reference)


def decode_all_but_damaged(path):
    """Plain decoding that leaves out packets that do not decode."""
    frames = []
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        stream.thread_count = 1
        for packet in file.demux(stream):
            try:
                frames += [frame.to_ndarray(format='rgb24') for frame in stream.decode(packet)]
            except av.error.InvalidDataError:
                continue
    return frames


def test_damage_inside_is_found_out_by_the_jump_that_lands_on_it(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(COUNT), gop=8, bf=0, x264_params='scenecut=0')
    with av.open(str(path)) as file:
        packets = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size in packets[16:24]:  # one group of pictures
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    reference = decode_all_but_damaged(path)
    assert len(reference) == COUNT - 8
    with open_video(path) as reader:
        assert len(reader) == COUNT  # as many packets
        np.testing.assert_array_equal(reader.get_frames([3, 12]), [reference[3], reference[12]])
        np.testing.assert_array_equal(reader.get_frames([3, 20]), [reference[3], reference[20]])
        assert len(reader) == COUNT - 8
    with open_video(path) as reader, pytest.raises(UnreadableMediaError, match='unreadable: 32 of 40 frames decode'):
        reader.get_frames([17, 39])


def test_frames_that_an_edit_list_hides_are_not_counted(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(COUNT), bf=0, gop=10, x264_params='scenecut=0')
    whole = decode_all(path)
    data = bytearray(path.read_bytes())
    entry = data.index(b'elst') + 4 + 4 + 4  # name, version and flags, number of entries
    ticks = 512  # per frame: 12800 per second at 25 frames per second
    media_time = struct.unpack_from('>i', data, entry + 4)[0]
    struct.pack_into('>i', data, entry + 4, media_time + 13 * ticks)  # the film starts at frame 13, between keyframes
    path.write_bytes(data)
    assert_sparse_equals_sequential(path, whole[13:])


@pytest.mark.parametrize('quarter_turns', [1, 2, 3])
def test_display_orientation(tmp_path, quarter_turns):
    path = write_video(tmp_path / 'a.mp4', moving_frames(3))
    stored = decode_all(path)
    unit = 1 << 16
    # a player turns the picture clockwise: x' = -y, y' = x; and so on
    a, b, c, d = {1: (0, unit, -unit, 0), 2: (-unit, 0, 0, -unit), 3: (0, -unit, unit, 0)}[quarter_turns]
    set_matrix(path, (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    with open_video(path) as reader:
        for frame, original in zip(reader.get_frames([0, 1, 2]), stored):
            np.testing.assert_array_equal(frame, np.rot90(original, -quarter_turns))


def test_oblique_turn_is_refused(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(3))
    set_matrix(path, (46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30))
    with open_video(path) as reader, pytest.raises(UnreadableMediaError, match='not a multiple of a quarter turn'):
        reader.get_frames([0])


def set_matrix(path, matrix):
    """Overwrite the display matrix in the track header of an mp4."""
    data = bytearray(path.read_bytes())
    struct.pack_into('>9i', data, data.index(b'tkhd') + 4 + 4 + 20 + 8 + 8, *matrix)
    path.write_bytes(data)


def test_fps_is_the_mean_rate_of_the_frames(tmp_path):
    with open_video(write_video(tmp_path / 'a.mp4', moving_frames(10), rate=30)) as reader:
        assert reader.fps == pytest.approx(30)
    path = write_video(tmp_path / 'b.mkv', moving_frames(5), times=[0, 10, 20, 30, 1000])
    with open_video(path) as reader:
        assert reader.fps == pytest.approx(4)
    with open_video(write_video(tmp_path / 'c.mp4', moving_frames(1), rate=24)) as reader:
        assert reader.fps == pytest.approx(24)


@pytest.mark.parametrize('indices', [[-1], [0, 10], [], [3, 999]])
def test_numbers_outside_are_refused(tmp_path, indices):
    path = write_video(tmp_path / 'a.mp4', moving_frames(10))
    with open_video(path) as reader, pytest.raises(IndexError, match=r'a.mp4: frame numbers must be in \[0, 10\)'):
        reader.get_frames(indices)


def test_frames_of_two_sizes_are_refused_together(tmp_path):
    small = write_video(tmp_path / 'small.h264', moving_frames(5), bf=0)
    large = write_video(tmp_path / 'large.h264', moving_frames(5, width=96), bf=0)
    small.write_bytes(small.read_bytes() + large.read_bytes())
    with open_video(small) as reader:
        assert len(reader) == 10
        assert reader.get_frames([6, 9]).shape == (2, 48, 96, 3)
        with pytest.raises(UnreadableMediaError, match=r'several sizes \[\(64, 48\), \(96, 48\)\]'):
            reader.get_frames([3, 6])


def test_missing_file_and_folder_are_unreadable(tmp_path):
    for path in (tmp_path / 'none.mp4', tmp_path):
        with pytest.raises(UnreadableMediaError, match='unreadable: ') as error:
            open_video(path)
        assert error.value.path == str(path)


def test_cover_picture_is_no_video(tmp_path):
    path = tmp_path / 'song.m4a'
    with av.open(str(path), 'w', format='mp4') as file:
        sound = file.add_stream('aac', rate=8000, layout='mono')
        cover = file.add_stream('mjpeg', rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, 'yuvj420p'
        cover.disposition = av.stream.Disposition.attached_pic
        file.mux(cover.encode(av.VideoFrame.from_ndarray(moving_frames(1)[0], format='rgb24')))
        file.mux(cover.encode())
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format='s16', layout='mono')
        samples.sample_rate = 8000
        file.mux(sound.encode(samples))
        file.mux(sound.encode())
    with av.open(str(path)) as file:
        assert len(file.streams.video) == 1
    with pytest.raises(UnreadableMediaError, match='no video stream'):
        open_video(path)


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='needs /proc to count open files')
def test_no_file_stays_open(tmp_path):
    good = write_video(tmp_path / 'a.mp4', moving_frames(10))
    sound = tmp_path / 'a.wav'
    with av.open(str(sound), 'w') as file:
        stream = file.add_stream('pcm_s16le', rate=8000, layout='mono')
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format='s16', layout='mono')
        samples.sample_rate = 8000
        file.mux(stream.encode(samples))
    bad = tmp_path / 'bad.mp4'
    bad.write_bytes(good.read_bytes()[:100])
    gc.collect()
    gc.disable()  # files must be closed by us, not by chance
    try:
        before = len(os.listdir('/proc/self/fd'))
        for _ in range(3):
            with open_video(good) as reader:
                reader.get_frames([5])
                list(reader)
            for path in (bad, sound):
                with pytest.raises(UnreadableMediaError):
                    open_video(path)
        assert len(os.listdir('/proc/self/fd')) == before
    finally:
        gc.enable()
