import av
import numpy as np
import pytest

from mmmutual.visualization import prediction_video, save_prediction_video
from mmmutual.visualization.prediction_video import beside_panel

from ..video_files import decode_all, moving_frames

PANEL = np.full((101, 51, 3), 60, np.uint8)


def test_small_frames_are_enlarged():
    frame = np.full((30, 40, 3), 200, np.uint8)
    picture = beside_panel(frame, PANEL)
    assert picture.shape == (120, 40 * 4 + 51 + 1, 3)  # 4 times, so that it is as high as the panel; then even
    assert (picture[:120, :160] == 200).all()
    assert (picture[:101, 160:211] == 60).all()
    assert (picture[101:, 160:] == 255).all()
    assert (picture[:, 211:] == 255).all()


def test_large_and_wide_frames_keep_their_size():
    frame = np.random.RandomState(0).randint(0, 256, (151, 40, 3)).astype(np.uint8)
    picture = beside_panel(frame, PANEL)
    assert picture.shape == (152, 92, 3)
    assert np.array_equal(picture[:151, :40], frame)
    assert beside_panel(np.zeros((20, 700, 3), np.uint8), PANEL).shape == (102, 752, 3)


@pytest.mark.parametrize('encoders', [prediction_video.ENCODERS, ('absent', 'mpeg4')])
def test_a_video(tmp_path, monkeypatch, encoders):
    monkeypatch.setattr(prediction_video, 'ENCODERS', encoders)
    frames = moving_frames(7, width=63, height=101)
    save_prediction_video(tmp_path / 'new' / 'out.mp4', iter(frames), 30000 / 1001, PANEL)
    with av.open(str(tmp_path / 'new' / 'out.mp4')) as file:
        assert float(file.streams.video[0].average_rate) == pytest.approx(29.97)
        assert file.streams.video[0].codec_context.pix_fmt == 'yuv420p'
    shown = decode_all(tmp_path / 'new' / 'out.mp4')
    assert len(shown) == 7
    for picture, frame in zip(shown, frames):
        assert picture.shape == (102, 114, 3)
        # grey, as colours are stored at half the size
        assert np.abs(picture[:101, :63].mean(axis=2) - frame.mean(axis=2)).mean() < 8
        assert abs(int(picture[50, 90, 0]) - 60) < 4
    assert [file.name for file in (tmp_path / 'new').iterdir()] == ['out.mp4']


def test_no_frame(tmp_path):
    with pytest.raises(ValueError, match=r'out\.mp4: no frame to write'):
        save_prediction_video(tmp_path / 'out.mp4', [], 25, PANEL)
    assert not list(tmp_path.iterdir())
