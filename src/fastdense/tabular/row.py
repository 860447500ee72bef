"""One row of a table as features, from raw cells, without a data frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import TableError
from fastdense.native.rows import row_encoder
from fastdense.tables import EmbeddedNumber, Table
from fastdense.tables.encoders import Encoder
from fastdense.tables.frames import Frame, nearest

__all__ = ["encoder_of"]


def encoder_of(table: Table) -> Callable[[Any], Array]:
    """Return ``encode(row)``, whose result has the bits of ``table.features`` for a frame of this row.

    Compiled code scales numbers, and looks up texts and whole numbers among those met before. Any other cell,
    and each of these for the first time, is encoded as a frame of one cell.

    Parameters
    ----------
    table : Table
        An embedded one.

    Returns
    -------
    function
        Of a mapping of column names to cells, or a sequence of cells in the order of ``table.columns``; it
        returns a float32 array of shape (1, n_features), and raises TableError if a column is missing or a
        cell cannot be read.

    Examples
    --------
    >>> frame = {"age": [20, 30, 40], "job": ["clerk", "smith", "clerk"]}
    >>> table = Table.learn(frame, embedded=True)
    >>> encode = encoder_of(table)
    >>> encode({"age": 40, "job": "clerk"}), encode([40, "clerk"])
    (array([[ 0.9486833, -1.       ]], dtype=float32), array([[ 0.9486833, -1.       ]], dtype=float32))
    """
    cells = _Cells(table)
    return row_encoder(cells.columns, table.layout.width, cells.features, cells.listed)


class _Cells:
    """What compiled code asks of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        places = {column.name: found.tolist() for column, found in table.places()}
        # A number that was stated to mark missing values is one only Python knows.
        plain = not table.cells.missing
        self.columns = [
            (column.name, places.get(column.name, []), _scaling(column) if plain else None)
            for column in table.columns
        ]

    def features(self, number: int, cell: Any) -> bytes:
        """Return the features of a column's cell."""
        encoder = self._table.columns[number]
        column = Frame({encoder.name: [cell]}, self._table.cells).column(encoder.name)
        out = np.zeros((1, len(encoder.feature_names)), np.float32)
        encoder.encode(column, out)
        return out.tobytes()

    def listed(self, row: Any) -> Sequence[Any]:
        """Return a row's cells in the order of the columns.

        Raises
        ------
        TableError
            The row is neither a mapping nor a sequence, lacks a column, or has another number of cells.
        """
        if isinstance(row, Mapping):
            for name, places, _ in self.columns:
                if places and name not in row:
                    raise TableError(f"the row lacks {name!r}{nearest(name, list(map(str, row)))}")
            return [row.get(name) for name, _, _ in self.columns]
        if isinstance(row, str | bytes) or not hasattr(row, "__iter__"):
            kind = type(row).__name__
            raise TableError(f"a row is a mapping of column names to cells, or a sequence, not {kind}")
        cells = list(row)
        if len(cells) != len(self.columns):
            names = ", ".join(repr(name) for name, _, _ in self.columns)
            raise TableError(f"a row has {len(self.columns)} cells, {names:.300}, got {len(cells)}")
        return cells


def _scaling(column: Encoder) -> tuple[float, float] | None:
    """Return the centre and spread of a column of numbers that vary, None for others, dates among them."""
    if not isinstance(column, EmbeddedNumber) or column.spread == 0 or column.reading.kind != "number":
        return None
    return column.center, column.spread
