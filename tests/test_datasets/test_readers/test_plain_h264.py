"""Which streams count as plain H.264."""

import av
import pytest

from mmmutual.datasets.readers.plain_h264 import why_not_plain

from ...video_files import moving_frames, write_video

PLAIN = {
    'b_frames.mp4': dict(bf=3),
    'b_frames.mkv': dict(bf=3),
    'pyramid.mov': dict(bf=5, x264_params='b-pyramid=normal:ref=4'),
    'one_gop.mp4': dict(gop=250),
    'ten_bit.mp4': dict(pix_fmt='yuv420p10le'),
    'parameters_in_every_gop.mp4': dict(x264_params='repeat-headers=1'),
    'fragments.mp4': dict(muxer={'movflags': 'frag_keyframe+empty_moov'}),
}
OTHERS = {
    'other_codec.mp4': (dict(codec='mpeg4'), 'it is not H.264'),
    'other_container.ts': (dict(), 'it is not H.264'),
    'other_container.avi': (dict(bf=0), 'it is not H.264'),
    'open_gop.mp4': (
        dict(x264_params='open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3'),
        'frames after some of its keyframes refer to frames before them',
    ),
    'intra_refresh.mkv': (
        dict(x264_params='intra-refresh=1:keyint=20:bframes=0'),
        'frames after some of its keyframes refer to frames before them',
    ),
}


def reason_of(path):
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return why_not_plain(file.format.name, stream, [packet for packet in file.demux(stream) if packet.size])


@pytest.mark.parametrize('name', PLAIN)
def test_plain(tmp_path, name):
    assert reason_of(write_video(tmp_path / name, moving_frames(40), **PLAIN[name])) is None


@pytest.mark.parametrize('name', OTHERS)
def test_not_plain(tmp_path, name):
    options, reason = OTHERS[name]
    assert reason_of(write_video(tmp_path / name, moving_frames(40), **options)).startswith(reason)


def test_a_second_size_inside(tmp_path):
    small = write_video(tmp_path / 'small.mkv', moving_frames(10), bf=0, x264_params='repeat-headers=1')
    large = write_video(tmp_path / 'large.mkv', moving_frames(10, width=96), bf=0, x264_params='repeat-headers=1')
    with av.open(str(tmp_path / 'both.mkv'), 'w') as out, av.open(str(small)) as first, av.open(str(large)) as second:
        stream = out.add_stream_from_template(first.streams.video[0])
        for number, file in enumerate((first, second)):
            for packet in file.demux(video=0):
                if packet.size:
                    packet.pts = packet.dts = packet.pts + 1000 * number
                    packet.stream = stream
                    out.mux(packet)
    assert reason_of(small) is None
    assert reason_of(tmp_path / 'both.mkv') == 'the size of its pictures may change'
