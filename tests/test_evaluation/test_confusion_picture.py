"""Pictures of confusion matrices."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmmutual.evaluation import confusion_picture, save_confusion

NO_SAMPLES = (226, 226, 226)


def is_there(picture, colour):
    return bool((np.asarray(picture) == colour).all(axis=2).sum() >= 100)


def test_colours_are_shares_of_rows():
    """White for nothing, the full colour for all, the square root between; grey for a class without samples."""
    confusion = torch.tensor([[3, 1, 0], [0, 7, 0], [0, 0, 0]])
    picture = confusion_picture(confusion, ['left', 'right', 'up'], 'rgb')
    empty_row = confusion_picture(torch.eye(3, dtype=torch.int64), ['left', 'right', 'up'], 'rgb')
    full, quarter = (8, 48, 107), tuple(np.round(0.5 * np.array((255, 255, 255)) + 0.5 * np.array((8, 48, 107))))
    assert is_there(picture, full)
    assert is_there(picture, quarter)
    grey = [(np.asarray(one) == NO_SAMPLES).all(axis=2).sum() for one in (picture, empty_row)]
    assert grey[0] > grey[1] + 2 * 36 * 36


def test_rows_are_true_classes():
    """Only the cell of row 0 and column 2 is dark: right of the others, and above them."""
    confusion = torch.tensor([[0, 0, 9], [0, 0, 0], [0, 0, 0]])
    picture = np.asarray(confusion_picture(confusion, ['', '', ''], 'x'))
    rows, columns = np.nonzero((picture == (8, 48, 107)).all(axis=2))
    left_of_legend = columns < columns.min() + 36
    grey_rows, grey_columns = np.nonzero((picture == NO_SAMPLES).all(axis=2) & (np.arange(picture.shape[1]) < 140))
    assert rows[left_of_legend].max() < np.median(grey_rows)
    assert columns.min() > np.median(grey_columns)


@pytest.mark.parametrize(('num_classes', 'cell'), [(2, 36), (40, 36), (41, 13), (174, 13)])
def test_size(num_classes, cell):
    picture = confusion_picture(
        torch.eye(num_classes, dtype=torch.int64), [f'a long name of class {i}' for i in range(num_classes)], 'big'
    )
    assert num_classes * cell < picture.height < num_classes * cell + 900
    assert picture.width > num_classes * cell


def test_files(tmp_path):
    confusion = torch.tensor([[2, 1], [0, 3]])
    for _ in range(2):  # a second evaluation replaces the files of the first
        save_confusion(tmp_path / 'new', 'flow', confusion, ['α', 'b'])
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == ['flow.npz', 'flow.png']
    with np.load(tmp_path / 'new' / 'flow.npz', allow_pickle=False) as data:
        assert data['confusion'].tolist() == confusion.tolist()
        assert data['classes'].tolist() == ['α', 'b']
    Image.open(tmp_path / 'new' / 'flow.png').verify()
