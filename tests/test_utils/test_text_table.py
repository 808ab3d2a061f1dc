"""Columns of one width."""

from mmmutual.utils.text_table import align

ROWS = [['name', 'n', ''], ['a', '100', 'x']]


def test_columns_have_one_width():
    assert align(ROWS) == 'name    n\n   a  100  x'
    assert align(ROWS, str.ljust) == 'name  n\na     100  x'
