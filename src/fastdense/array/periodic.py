"""The embedding of columns by cosines, for a batch of rows, and its gradient.

Axes are rows, embedded columns, frequencies and the numbers of a column, as far as an array has them:
``fastdense.reference.periodic`` holds the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fastdense.core.spec import PeriodicEmbeddingSpec

__all__ = ["periodic", "periodic_backward"]


def periodic(xp: Any, layer: PeriodicEmbeddingSpec, parameters: Sequence[Any], A_in: Any) -> Any:
    """Return the embedded columns one after another, and then the others."""
    _, _, kernel, bias, missing = parameters
    X, is_missing = _columns(xp, layer, A_in)
    waves = xp.cos(_angles(X, parameters))
    sums = xp.permute_dims(xp.matmul(xp.permute_dims(waves, (1, 0, 2)), kernel), (1, 0, 2))  # by columns
    Z = xp.concat((sums + bias, X[:, :, None]), axis=-1)
    Z = xp.where(is_missing[:, :, None], missing, Z)
    return xp.concat((xp.reshape(Z, (-1, layer.columns * layer.width)), A_in[:, layer.columns :]), axis=-1)


def periodic_backward(
    xp: Any,
    layer: PeriodicEmbeddingSpec,
    parameters: Sequence[Any],
    A_in: Any,
    dZ: Any,
    wants_input: bool,
) -> tuple[Any | None, tuple[Any, ...]]:
    """Return the gradient of the rows, None unless it is wanted, and those of the parameters."""
    frequency, _, kernel, _, _ = parameters
    X, is_missing = _columns(xp, layer, A_in)
    embedded = layer.columns * layer.width
    D = xp.reshape(dZ[:, :embedded], (-1, layer.columns, layer.width))
    nothing = xp.zeros_like(D)
    dmissing = xp.sum(xp.where(is_missing[:, :, None], D, nothing), axis=0)
    D = xp.where(is_missing[:, :, None], nothing, D)
    by_column = xp.permute_dims(D[:, :, :-1], (1, 0, 2))  # columns, rows, sums
    angles = _angles(X, parameters)
    dkernel = xp.matmul(xp.permute_dims(xp.cos(angles), (1, 2, 0)), by_column)
    back = xp.matmul(by_column, xp.matrix_transpose(kernel))
    dangles = -xp.sin(angles) * xp.permute_dims(back, (1, 0, 2))
    dfrequency = math.tau * xp.sum(X[:, :, None] * dangles, axis=0)
    gradients = dfrequency, xp.sum(dangles, axis=0), dkernel, xp.sum(D[:, :, :-1], axis=0), dmissing
    if not wants_input:
        return None, gradients
    dX = D[:, :, -1] + math.tau * xp.sum(frequency * dangles, axis=-1)
    return xp.concat((dX, dZ[:, embedded:]), axis=-1), gradients


def _columns(xp: Any, layer: PeriodicEmbeddingSpec, A_in: Any) -> tuple[Any, Any]:
    """Return the embedded columns with 0 for what is missing, and where that is."""
    X = A_in[:, : layer.columns]
    is_missing = xp.isnan(X)
    return xp.where(is_missing, xp.zeros_like(X), X), is_missing


def _angles(X: Any, parameters: Sequence[Any]) -> Any:
    """Return ``2 pi frequency x + phase``, of shape (rows, columns, frequencies)."""
    frequency, phase, *_ = parameters
    return math.tau * (frequency * X[:, :, None]) + phase
