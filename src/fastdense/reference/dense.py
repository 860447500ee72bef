"""A dense layer as loops: over its neurons, over the columns of its matrix, over every single number.

All three compute ``A_out = g(A_in @ W + B)`` in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastdense.errors import ShapeError
from fastdense.reference.activations import activate, activation_spec
from fastdense.reference.check import check_bias, check_inputs, check_matrix

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fastdense.core.spec import ActivationSpec

__all__ = ["dense_neurons", "dense_scalars", "dense_units"]

Rows = Sequence[Sequence[float]]


def dense_neurons(
    x: ArrayLike,
    weights: Sequence[ArrayLike],
    biases: Sequence[float],
    activation: str | ActivationSpec = "linear",
) -> list[float]:
    """Return ``[g(dot(w_j, x) + b_j) for each neuron j]``: one dot product a neuron.

    Parameters
    ----------
    x : array of shape (n_in,)
        One example.
    weights : sequence of n_units arrays of shape (n_in,)
        One vector a neuron.
    biases : sequence of n_units floats
    activation : str or ActivationSpec, default "linear"

    Returns
    -------
    a : list of n_units floats

    Raises
    ------
    ShapeError
        A weight vector's length is not the example's, or there are not as many biases as weight vectors.
    ValueError
        The activation is unknown.

    Examples
    --------
    Coffee roasted at 200 degrees for 17 minutes, and three neurons: is it hotter than 180, does it take
    longer than 20 minutes, do the two numbers add up to more than 150?

    >>> X = [200, 17]
    >>> W = [[1, 0], [0, 10], [1, 1]]
    >>> B = [-180, -200, -150]
    >>> dense_neurons(X, W, B)  # 200 - 180, 170 - 200, 217 - 150
    [20.0, -30.0, 67.0]
    >>> [round(a) for a in dense_neurons(X, W, B, activation="sigmoid")]
    [1, 0, 1]
    """
    spec = activation_spec(activation)
    example = _vector("x", x)
    if len(weights) != len(biases):
        raise ShapeError(f"{len(weights)} weight vectors and {len(biases)} biases: pass one bias a neuron.")
    z = []
    for j in range(len(weights)):
        w = _vector(f"weights[{j}]", weights[j])
        if w.shape != example.shape:
            raise ShapeError(
                f"x {example.shape} . weights[{j}] {w.shape}: the lengths differ.\n"
                f"Pass one weight for each of the {len(example)} numbers of x."
            )
        z.append(float(np.dot(w, example)) + float(biases[j]))
    return activate(spec, z)


def dense_units(
    A_in: ArrayLike, W: ArrayLike, B: ArrayLike, activation: str | ActivationSpec = "linear"
) -> NDArray[np.float64]:
    """Return ``g(A_in @ W + B)``, one column of ``W`` at a time.

    Parameters
    ----------
    A_in : array of shape (m, n_in)
        One example per row.
    W : array of shape (n_in, n_units)
        One unit per column.
    B : array of shape (n_units,) or (1, n_units)
    activation : str or ActivationSpec, default "linear"

    Returns
    -------
    A_out : float64 array of shape (m, n_units)

    Raises
    ------
    ShapeError
        The shapes disagree; the message draws them and says what would fix it.
    ValueError
        The activation is unknown.

    Examples
    --------
    The example of `dense_neurons`, with its weight vectors as columns:

    >>> W = np.array([[1, 0, 1], [0, 10, 1]])
    >>> B = np.array([[-180, -200, -150]])
    >>> dense_units([[200, 17]], W, B)
    array([[ 20., -30.,  67.]])
    >>> np.round(dense_units([[200, 17]], W, B, activation="sigmoid"))
    array([[1., 0., 1.]])
    """
    spec = activation_spec(activation)
    A, kernel, bias = (np.asarray(value, dtype=np.float64) for value in (A_in, W, B))
    check_matrix("A_in", A.shape)
    check_matrix("W", kernel.shape)
    check_inputs(A.shape, kernel.shape)
    check_bias(bias.shape, kernel.shape)
    b = bias.reshape(-1)
    Z = np.empty((len(A), len(b)))
    for j in range(len(b)):
        Z[:, j] = np.dot(A, kernel[:, j]) + b[j]
    A_out = np.empty_like(Z)
    for i in range(len(A)):
        A_out[i] = activate(spec, Z[i].tolist())
    return A_out


def dense_scalars(
    A_in: Rows, W: Rows, B: Sequence[float] | Rows, activation: str | ActivationSpec = "linear"
) -> list[list[float]]:
    """Return ``g(A_in @ W + B)``, one multiplication at a time: ``z_ij = b_j + sum_k a_ik * w_kj``.

    Parameters
    ----------
    A_in : m lists of n_in floats
        One example per row.
    W : n_in lists of n_units floats
        One unit per column.
    B : list of n_units floats, or a list of one such list
    activation : str or ActivationSpec, default "linear"

    Returns
    -------
    A_out : m lists of n_units floats

    Raises
    ------
    ShapeError
        The shapes disagree, or a matrix's rows are not all of one length.
    ValueError
        The activation is unknown.

    Examples
    --------
    >>> dense_scalars([[1, 2]], [[3, 4], [5, 6]], [10, 20])  # 3 + 10 + 10, 4 + 12 + 20
    [[23.0, 36.0]]
    """
    spec = activation_spec(activation)
    bias = B[0] if len(B) == 1 and isinstance(B[0], Sequence) else B
    check_inputs(_shape("A_in", A_in), _shape("W", W))
    check_bias((len(bias),), _shape("W", W))
    A_out = []
    for a in A_in:
        z = []
        for j in range(len(bias)):
            total = float(bias[j])  # type: ignore[arg-type]
            for k in range(len(a)):
                total += a[k] * W[k][j]
            z.append(total)
        A_out.append(activate(spec, z))
    return A_out


def _vector(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return ``values`` as a float64 vector, or raise ShapeError."""
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise ShapeError(f"{name} has the shape {vector.shape}: it must have one axis, {name}.reshape(-1).")
    return vector


def _shape(name: str, rows: Rows) -> tuple[int, int]:
    """Return a list of rows' shape, or raise ShapeError if the rows differ in length."""
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise ShapeError(f"{name} must have rows, all of one length; their lengths are {sorted(lengths)}.")
    return len(rows), lengths.pop()
