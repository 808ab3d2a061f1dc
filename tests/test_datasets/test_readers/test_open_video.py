"""Choosing a decoder, and the interface that all of them share."""

import inspect

import pytest

from mmmutual.datasets.readers import READERS, VideoReader, open_video

from ...video_files import moving_frames, write_video


def test_unknown_backend_is_named():
    with pytest.raises(ValueError, match=r"backend must be one of \['decord', 'opencv', 'pyav'\], got 'decrod'"):
        open_video('a.mp4', backend='decrod')


def test_paths_may_be_strings(tmp_path):
    path = str(write_video(tmp_path / 'a.mp4', moving_frames(4)))
    with open_video(path, backend='pyav') as reader:
        assert reader.path == path
        assert len(reader) == 4


def test_a_plugin_adds_its_reader(monkeypatch):
    monkeypatch.setitem(READERS, 'mine', lambda path: ('opened', path))
    assert open_video('x.mp4', backend='mine') == ('opened', 'x.mp4')


@pytest.mark.parametrize('name', READERS)
def test_every_reader_has_the_whole_interface(name):
    members = [member for member in vars(VideoReader) if inspect.isroutine(vars(VideoReader)[member])]
    shared = {member for member in members if not member.startswith('_')} | {
        '__len__',
        '__iter__',
        '__enter__',
        '__exit__',
    }
    assert {'get_frames', 'close'} <= shared
    for member in shared:
        own = inspect.signature(getattr(READERS[name], member)).parameters
        assert list(own) == list(inspect.signature(getattr(VideoReader, member)).parameters), member
    assert isinstance(READERS[name].fps, property)
