"""What a user may give an inferencer, and what becomes of it."""

import logging

import numpy as np
import pytest

from mmmutual.apis.inferencers import clips
from mmmutual.apis.inferencers.clips import list_clips, sources_from_video
from mmmutual.utils import UnreadableMediaError

FRAMES = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


@pytest.fixture
def lines(monkeypatch):
    found = []
    monkeypatch.setattr(clips, 'print_log', lambda text, logger, level: found.append((level, text)))
    return found


@pytest.fixture
def folder(tmp_path):
    for name in ('b.mp4', 'sub/a.MKV', 'notes.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_files_folders_and_arrays(folder):
    names = [str(folder / 'b.mp4'), str(folder / 'sub' / 'a.MKV')]
    assert [clip.name for clip in list_clips(str(folder))] == names
    assert [clip.name for clip in list_clips([FRAMES, folder / 'b.mp4', folder])] == ['array_0', names[0], *names]
    (clip,) = list_clips(FRAMES)
    with clip.open() as reader:
        assert len(reader) == 2
        assert np.array_equal(reader.get_frames([1, 0, 1]), FRAMES[[1, 0, 1]])
    with pytest.raises(UnreadableMediaError, match='b.mp4: unreadable'):
        list_clips(folder / 'b.mp4')[0].open()


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        (FRAMES.astype(np.float32), r'float32 \(2, 4, 5, 3\)'),
        (FRAMES[0], r'uint8 \(4, 5, 3\)'),
        (FRAMES[None], r'uint8 \(1, 2, 4, 5, 3\)'),
        (FRAMES[..., :2], r'uint8 \(2, 4, 5, 2\)'),
        (FRAMES[:0], r'uint8 \(0, 4, 5, 3\)'),
    ],
)
def test_wrong_arrays(given, said):
    with pytest.raises(ValueError, match=rf'input 1 must be RGB frames, an array uint8 \(T, H, W, 3\), got {said}'):
        list_clips([FRAMES, given])


def test_nothing_to_read(folder):
    with pytest.raises(ValueError, match='inputs is an empty list'):
        list_clips([])
    with pytest.raises(FileNotFoundError, match=r"input '.*none\.mp4' does not exist"):
        list_clips(str(folder / 'none.mp4'))
    (folder / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match=r"folder '.*empty' holds no video \(\.mp4 "):
        list_clips(folder / 'empty')
    with pytest.raises(TypeError, match='input 0 must be the path of a video, a folder or an array, got int'):
        list_clips(3)


def test_every_input_is_made_of_the_video(lines):
    modalities = dict(
        rgb=dict(kind='frames'),
        rgbdiff=dict(kind='video'),
        flow=dict(kind='video_flow', algorithm='farneback', bound=8),
        sound=dict(kind='audio'),
        unused=dict(kind='text'),
    )
    assert sources_from_video(['rgbdiff', 'rgb', 'flow', 'sound'], modalities) == dict(
        rgbdiff=dict(kind='video', num_frames=None),
        rgb=dict(kind='video', num_frames=None),
        flow=dict(kind='video_flow', num_frames=None, algorithm='farneback', bound=8),
        sound=dict(kind='audio', num_frames=None),
    )
    flow = sources_from_video(['flow'], modalities, 'dis', 5)['flow']
    assert (flow['algorithm'], flow['bound']) == ('dis', 5)
    assert not lines


@pytest.mark.parametrize('kind', ['flow_frames', 'packed_flow_frames'])
def test_flow_in_place_of_stored_flow(lines, kind):
    modalities = dict(flow=dict(kind=kind))
    expected = dict(kind='video_flow', num_frames=None, algorithm='dis', bound=20.0)
    assert sources_from_video(['flow'], modalities) == dict(flow=expected)
    ((level, text),) = lines
    assert level == logging.WARNING
    assert text.startswith("input 'flow': flow is computed with bound 20")
    assert sources_from_video(['flow'], modalities, flow_bound=8)['flow'] == dict(expected, bound=8)
    assert len(lines) == 1


def test_what_no_video_gives():
    with pytest.raises(ValueError, match="input 'words' can't be made of a video: .* of kind 'text'"):
        sources_from_video(['words'], dict(words=dict(kind='text')))
    with pytest.raises(ValueError, match="input 'words' can't be made of a video: .* of kind None"):
        sources_from_video(['words'], {})
    flow = dict(flow=dict(kind='video_flow'))
    with pytest.raises(ValueError, match=r"flow of input 'flow': algorithm must be one of .*, got 'lk'"):
        sources_from_video(['flow'], flow, flow_algorithm='lk')
    with pytest.raises(ValueError, match="flow of input 'flow': bound must be a positive number of pixels, got 0"):
        sources_from_video(['flow'], flow, flow_bound=0)
