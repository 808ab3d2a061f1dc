"""Display matrices by hand, on a picture of 2 rows and 3 columns."""

import numpy as np
import pytest

from mmmutual.datasets.readers.display import orient

UNIT = 1 << 16
PICTURE = np.array([[1, 2, 3], [4, 5, 6]])[..., None]


@pytest.mark.parametrize(
    ('a', 'b', 'c', 'd', 'shown'),
    [
        (1, 0, 0, 1, [[1, 2, 3], [4, 5, 6]]),
        (0, 1, -1, 0, [[4, 1], [5, 2], [6, 3]]),  # a quarter turn clockwise
        (-1, 0, 0, -1, [[6, 5, 4], [3, 2, 1]]),
        (0, -1, 1, 0, [[3, 6], [2, 5], [1, 4]]),  # a quarter turn counter-clockwise
        (-1, 0, 0, 1, [[3, 2, 1], [6, 5, 4]]),  # mirrored
        (1, 0, 0, -1, [[4, 5, 6], [1, 2, 3]]),  # upside down
        (0, 1, 1, 0, [[1, 4], [2, 5], [3, 6]]),  # transposed
        (0, -1, -1, 0, [[6, 3], [5, 2], [4, 1]]),
    ],
)
def test_the_eight_orientations(a, b, c, d, shown):
    matrix = np.array([a * UNIT, b * UNIT, 0, c * UNIT, d * UNIT, 0, 7 * UNIT, 9 * UNIT, 1 << 30], np.int32)
    turned = orient(PICTURE, matrix)
    np.testing.assert_array_equal(turned[..., 0], shown)
    assert turned.flags.c_contiguous


def test_each_row_agrees_with_the_formula():
    # column' = a * column + c * row, row' = b * column + d * row, up to a shift: here a quarter turn
    turned = orient(PICTURE, np.array([0, UNIT, 0, -UNIT, 0, 0, 0, 0, 1 << 30], np.int32))[..., 0]
    height = PICTURE.shape[0]
    for row in range(2):
        for column in range(3):
            assert turned[column, height - 1 - row] == PICTURE[row, column, 0]


@pytest.mark.parametrize('matrix', [(46341, 46341, -46341, 46341), (2 * UNIT, 0, 0, 2 * UNIT), (UNIT, UNIT, 0, UNIT)])
def test_other_matrices_are_refused(matrix):
    a, b, c, d = matrix
    with pytest.raises(ValueError, match='not a multiple of a quarter turn'):
        orient(PICTURE, np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32))
