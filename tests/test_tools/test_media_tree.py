"""tools/data/media_tree.py: what extract_flow.py and extract_frames.py share."""

import importlib
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools' / 'data'


@pytest.fixture(scope='module')
def media_tree():
    """The module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        yield importlib.import_module('media_tree')


def test_names(tmp_path, media_tree):
    for name in ('a.mp4', 'a/b.mp4', 'c.mp4', 'c.avi', 'd.mp4', 'e.x.mp4'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = media_tree.name_folders(media_tree.find_sources(tmp_path, ('.mp4', '.avi')), tmp_path)
    # a would hold a/b and look done before it is; c would be two videos
    assert {source.relative_to(tmp_path).as_posix(): name for source, name in names.items()} == {
        'a.mp4': 'a.mp4',
        'a/b.mp4': 'a/b',
        'c.mp4': 'c.mp4',
        'c.avi': 'c.avi',
        'd.mp4': 'd',
        'e.x.mp4': 'e.x',
    }


def test_settings_are_compared(tmp_path, media_tree):
    file = tmp_path / 'out' / 'extract_frames.json'
    for _ in range(2):
        media_tree.check_settings(file, dict(height=256, quality=95))
    with pytest.raises(SystemExit, match="out holds images made with .*'height': 256.* not with .*'height': 331"):
        media_tree.check_settings(file, dict(height=331, quality=95))


def test_what_fails_is_told_by_its_reason(tmp_path, media_tree):
    def write(job):
        raise {'bad': media_tree.UnreadableMediaError('x.mp4', 'unreadable'), 'one': ValueError('too few')}[job.source]

    outcomes = [
        media_tree.make_folder(media_tree.Job(name, tmp_path / 'none'), write, images_per_item=2)
        for name in ('bad', 'one')
    ]
    assert outcomes == [(0, 'unreadable'), (0, 'too few')]


def test_what_is_there_is_counted_and_left_alone(tmp_path, media_tree):
    for name in 'abcdef':
        (tmp_path / name).touch()
    assert media_tree.make_folder(media_tree.Job('source', tmp_path), None, images_per_item=2) == (3, None)
