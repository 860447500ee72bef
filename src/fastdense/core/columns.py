"""Tables as text: cells padded so that columns line up."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["aligned"]


def aligned(rows: Sequence[Sequence[str]], sides: str = "<") -> list[str]:
    r"""Return one line per row, each cell padded to the width of its column.

    Parameters
    ----------
    rows : sequence of sequences of str
        All of one length.
    sides : str
        The side that the cells of each column are aligned to, "<" or ">"; the last holds for all further
        columns.

    Examples
    --------
    >>> print("\n".join(aligned([("rung", "rows"), ("loops", "8")], "<>")))
    rung   rows
    loops     8
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    places = list(zip(sides.ljust(len(widths), sides[-1]), widths, strict=False))
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, (side, width) in zip(row, places, strict=True)).rstrip()
        for row in rows
    ]
