"""One row of a table as features, by compiled code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastdense.core.arrays import Array
from fastdense.native import _core

__all__ = ["row_encoder"]


def row_encoder(
    columns: Sequence[tuple[str, Sequence[int], tuple[float, float] | None]],
    features: int,
    otherwise: Callable[[int, Any], bytes],
    cells: Callable[[Any], Sequence[Any]],
) -> Callable[[Any], Array]:
    """Return ``encode(row)``: a row's features, a float32 array of shape (1, features).

    Parameters
    ----------
    columns : sequence of (name, places, scaling)
        In the order of a row's cells. A column's features stand at ``places``; one without any is not looked
        at. If ``scaling`` is a centre and a spread, numbers and missing ones are scaled and clipped as
        `fastdense.tables.Number` does it.
    features : int
    otherwise : function of a column's number and a cell
        Returns the bytes of the features, float32, of any other cell. Those of texts and of whole numbers are
        remembered, up to 4,096 per column.
    cells : function of a row
        Returns the cells of a row that is neither a dict, a list nor a tuple, and raises for a row that lacks
        a column or has one too many.
    """
    encoder: Any = _core.RowEncoder(list(columns), features, otherwise, cells)
    encode: Callable[[Any], Array] = encoder.encode
    return encode
