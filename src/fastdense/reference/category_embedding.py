"""One row's category numbers as trained numbers, and the gradient of these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import CategoryEmbeddingSpec
from fastdense.core.spec.lowering import tables

__all__ = ["category", "embed", "embed_backward"]

Row = Sequence[float]
Matrix = NDArray[np.float64]


def category(number: float, size: int) -> int:
    """Return the category that a number stands for: itself if it is one of 0 to size - 1, otherwise 0.

    Examples
    --------
    >>> [category(number, 3) for number in (2.0, 1.5, 3.0, -1.0, -0.0, float("nan"), float("inf"))]
    [2, 0, 0, 0, 0, 0, 0]
    """
    return int(number) if 0 <= number < size and number == int(number) else 0


def embed(layer: CategoryEmbeddingSpec, embeddings: Matrix, a_in: Row) -> list[float]:
    """Return the numbers that pass, then the row of ``embeddings`` of each category.

    Examples
    --------
    >>> layer, embeddings = CategoryEmbeddingSpec(3, sizes=(2, 2), width=1), np.array([[4.0], [5], [6], [7]])
    >>> embed(layer, embeddings, [0.5, 1.0, 0.0])
    [0.5, 5.0, 6.0]
    """
    a_out = list(a_in[: layer.passed])
    for row in _rows(layer, a_in):
        a_out += embeddings[row].tolist()
    return a_out


def embed_backward(layer: CategoryEmbeddingSpec, a_in: Row, dz: Row) -> tuple[list[float], Matrix]:
    """Return the gradient with respect to the row and to ``embeddings``.

    What passed passes back. A category number has the gradient 0: no small change of it changes the outputs.
    The row of ``embeddings`` that it stands for takes what came back in its place, and the others take 0.
    """
    gradient = np.zeros((sum(layer.sizes), layer.width))
    for i, row in enumerate(_rows(layer, a_in)):
        start = layer.passed + i * layer.width
        gradient[row] += dz[start : start + layer.width]
    return [*dz[: layer.passed], *[0.0] * len(layer.sizes)], gradient


def _rows(layer: CategoryEmbeddingSpec, a_in: Row) -> list[int]:
    """Return the row of ``embeddings`` that each category number stands for."""
    columns = zip(a_in[layer.passed :], layer.sizes, tables(layer.sizes), strict=True)
    return [table.start + category(number, size) for number, size, table in columns]
