"""Category numbers as trained numbers: a batch of rows through the tables, and its gradient back."""

from __future__ import annotations

from typing import Any

from fastdense.core.spec import CategoryEmbeddingSpec
from fastdense.core.spec.lowering import tables

__all__ = ["embed", "embed_backward"]


def embed(xp: Any, layer: CategoryEmbeddingSpec, embeddings: Any, A_in: Any) -> Any:
    """Return the columns that pass, then the rows of ``embeddings`` of each column of category numbers.

    Examples
    --------
    >>> import numpy as np
    >>> layer, embeddings = CategoryEmbeddingSpec(2, sizes=(2,), width=2), np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> embed(np, layer, embeddings, np.array([[0.5, 1.0], [7.0, np.nan]]))
    array([[0.5, 3. , 4. ],
           [7. , 1. , 2. ]])
    """
    looked_up = [
        xp.take(embeddings[table, :], xp.astype(_categories(xp, layer, A_in, i), xp.int32), axis=0)
        for i, table in enumerate(tables(layer.sizes))
    ]
    return xp.concat([A_in[:, : layer.passed], *looked_up], axis=1)


def embed_backward(xp: Any, layer: CategoryEmbeddingSpec, A_in: Any, dZ: Any) -> tuple[Any, Any]:
    """Return ``dA_in``, 0 in the columns of category numbers, and the gradient of ``embeddings``.

    A table's gradient is a product with ones where a row has the category: it has the same bits at every
    run, unlike a sum into rows by numbers on a GPU.
    """
    gradients = []
    for i, size in enumerate(layer.sizes):
        numbers = xp.arange(size, dtype=A_in.dtype, device=getattr(A_in, "device", None))
        ones = xp.astype(numbers[:, None] == _categories(xp, layer, A_in, i)[None, :], dZ.dtype)
        start = layer.passed + i * layer.width
        gradients.append(ones @ dZ[:, start : start + layer.width])
    dA_in = xp.concat([dZ[:, : layer.passed], xp.zeros_like(A_in[:, layer.passed :])], axis=1)
    return dA_in, xp.concat(gradients, axis=0)


def _categories(xp: Any, layer: CategoryEmbeddingSpec, A_in: Any, i: int) -> Any:
    """Return the category of each row in a column of category numbers; other values are 0."""
    numbers = A_in[:, layer.passed + i]
    is_one = (numbers >= 0) & (numbers < layer.sizes[i]) & (numbers == xp.floor(numbers))
    return xp.where(is_one, numbers, xp.zeros_like(numbers))
