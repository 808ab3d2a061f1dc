"""Rows of text in columns, for what tools print."""

from typing import Callable, Sequence


def align(rows: Sequence[Sequence[str]], justify: Callable[[str, int], str] = str.rjust) -> str:
    """Pad the cells of each column to one width.

    Args:
        rows: as many cells in each.
        justify: ``str.rjust`` or ``str.ljust``.

    Returns:
        A line per row, without blanks at its end.
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return '\n'.join('  '.join(map(justify, row, widths)).rstrip() for row in rows)
