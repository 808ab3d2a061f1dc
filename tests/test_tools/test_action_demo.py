"""demo/action_demo.py as a user runs it."""

import json
import os
import runpy
import subprocess
import sys

import pytest

from ..test_apis.action_model import write_action_model
from .clip_folder import ROOT

DEMO = ROOT / 'demo' / 'action_demo.py'


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """See :func:`write_action_model`."""
    return write_action_model(tmp_path_factory.mktemp('demo'))


def test_a_folder(place, tmp_path):
    (tmp_path / 'videos').mkdir()
    for video in place.videos[:2]:
        (tmp_path / 'videos' / video.name).write_bytes(video.read_bytes())
    (tmp_path / 'videos' / 'bad.mp4').write_bytes(b'')
    command = [sys.executable, str(DEMO), 'videos', str(place.config), str(place.checkpoint)]
    options = ['--out-dir', 'out', '--top-k', '2', '--branch', 'rgb', '--device', 'cpu', '--batch-size', '2']
    done = subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert 'videos/bad.mp4: unreadable' in done.stderr
    told = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert [clip['name'] for clip in told['unreadable']] == ['videos/bad.mp4']
    for number, prediction in enumerate(told['predictions']):
        assert prediction['name'] == f'videos/clip_{number}.mp4'
        assert (tmp_path / 'out' / f'clip_{number}.mp4').is_file()
        first, second = prediction['branches']['rgb']
        assert f'{prediction["name"]}: {first["name"]}\n' in done.stdout
        assert f'  rgb: {first["name"]} {first["score"]:.2f}, {second["name"]} {second["score"]:.2f}\n' in done.stdout


@pytest.fixture
def demo(monkeypatch):
    """Run the demo in this process."""

    def _demo(*arguments):
        monkeypatch.setattr(sys, 'argv', [str(DEMO), *map(str, arguments)])
        runpy.run_path(str(DEMO), run_name='__main__')

    return _demo


def test_pictures_of_several_views(place, demo, tmp_path, capsys):
    options = ['--tta', '--vis', 'png', '--out-dir', tmp_path, '--flow-bound', 8, '--flow-algorithm', 'farneback']
    demo(place.videos[0], place.config, place.checkpoint, *options)
    assert sorted(file.name for file in tmp_path.iterdir()) == ['clip_0.png', 'predictions.json']
    assert f'predictions.json and 1 pictures are in {tmp_path}' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('none.mp4', None, None), "input 'none.mp4' does not exist"),
        ((None, 'mml_none', None), "'mml_none' is neither a config file nor a shipped model"),
        ((None, None, 'none.pth'), "checkpoint 'none.pth' does not exist"),
        ((None, None, None, '--branch', 'audio'), "branch must be one of .*, got 'audio'"),
        ((None, None, None, '--flow-bound', '-1'), 'bound must be a positive number of pixels, got -1.0'),
    ],
)
def test_mistakes_in_one_line(place, demo, tmp_path, arguments, said):
    given, options = arguments[:3], arguments[3:]
    right = (place.videos[0], place.config, place.checkpoint)
    with pytest.raises(SystemExit, match=rf'^action_demo\.py: .*{said}') as caught:
        demo(*(a or b for a, b in zip(given, right)), *options)
    assert '\n' not in str(caught.value)
