"""Where each column's features stand in the matrix: numbers, then plain features, then category codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Layout", "places_of_parts"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The groups of a matrix's columns, in their order; a network embeds the first and the last.

    Attributes
    ----------
    numbers : int
        Columns of scaled numbers, NaN where one is missing.
    plain : int
        Columns to use as they are.
    sizes : tuple of int
        One per column of category codes, which are whole numbers from 0 to size - 1.

    Examples
    --------
    >>> layout = Layout(2, 1) + Layout(0, 3, (12,))
    >>> layout, layout.width
    (Layout(numbers=2, plain=4, sizes=(12,)), 7)
    """

    numbers: int = 0
    plain: int = 0
    sizes: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """The number of all columns."""
        return self.numbers + self.plain + len(self.sizes)

    def __add__(self, other: Layout) -> Layout:
        return Layout(self.numbers + other.numbers, self.plain + other.plain, self.sizes + other.sizes)


def places_of_parts(parts: Sequence[Layout]) -> list[NDArray[np.intp]]:
    """Return where the columns of each part stand in the matrix of all, each group in the parts' order.

    Examples
    --------
    >>> [places.tolist() for places in places_of_parts([Layout(1, 2), Layout(0, 0, (12,)), Layout(1)])]
    [[0, 2, 3], [4], [1]]
    """
    counts = np.array([[part.numbers, part.plain, len(part.sizes)] for part in parts], dtype=np.intp)
    starts = (np.cumsum(counts.T) - counts.T.ravel()).reshape(3, -1).T
    return [
        np.concatenate([np.arange(start, start + count) for start, count in zip(begins, each, strict=True)])
        for begins, each in zip(starts.tolist(), counts.tolist(), strict=True)
    ]
