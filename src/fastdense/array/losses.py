"""The losses of a batch, one number per row, and their gradients.

The formulas are Keras'. A loss "from logits" reads the last layer's ``Z`` where the others read its
``A_out``; both are called ``A`` here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from fastdense.array.activations import by_groups, log_softmax, sigmoid, softmax
from fastdense.core.spec import (
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    HuberSpec,
    LossSpec,
    MeanAbsoluteErrorSpec,
    MeanSquaredErrorSpec,
    PoissonSpec,
    QuantileSpec,
    group_slices,
)

__all__ = ["losses", "losses_gradient"]

# Keras' backend.epsilon(): probabilities are kept this far from 0 and 1, and from log(0).
EPSILON = 1e-7


def losses(xp: Any, loss: LossSpec, y: Any, A: Any) -> Any:
    """Return the loss of every row, summed over its groups of outputs if the loss has any.

    Parameters
    ----------
    xp : namespace
        The array library.
    loss : LossSpec
    y : array of shape (m, n_out), A's dtype; integer of shape (m,) for sparse categorical cross-entropy
    A : array of shape (m, n_out), floating

    Returns
    -------
    array of shape (m,), A's dtype

    Examples
    --------
    >>> import numpy as np
    >>> losses(np, MeanSquaredErrorSpec(), np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]]))
    array([2.])
    """
    groups = group_slices(loss, A.shape[-1])
    if isinstance(loss, CategoricalCrossentropySpec) and len(groups) > 1:
        of_group = replace(loss, groups=())
        return sum(losses(xp, of_group, y[:, group], A[:, group]) for group in groups)
    T = _targets(xp, loss, y, A)
    if loss.is_of_classes:
        if loss.from_logits:
            return -xp.sum(T * log_softmax(xp, A), axis=-1)
        P = A / xp.sum(A, axis=-1, keepdims=True)
        return -xp.sum(T * xp.log(_inside(xp, P)), axis=-1)
    return xp.mean(_elementwise(loss).value(xp, loss, T, A), axis=-1)


def losses_gradient(xp: Any, loss: LossSpec, y: Any, A: Any) -> Any:
    """Return ``dA``, the gradient of every row's loss with respect to that row of ``A``.

    Parameters and shapes are those of `losses`; the result has A's shape and dtype.

    Examples
    --------
    >>> import numpy as np
    >>> loss = MeanSquaredErrorSpec()
    >>> losses_gradient(np, loss, np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]]))
    array([[0., 2.]])
    """
    groups = group_slices(loss, A.shape[-1])
    if isinstance(loss, CategoricalCrossentropySpec) and len(groups) > 1:
        of_group = replace(loss, groups=())
        return by_groups(xp, groups, lambda y, A: losses_gradient(xp, of_group, y, A), y, A)
    T = _targets(xp, loss, y, A)
    if not loss.is_of_classes:
        return _elementwise(loss).slope(xp, loss, T, A) / A.shape[-1]
    if loss.from_logits:
        return xp.sum(T, axis=-1, keepdims=True) * softmax(xp, A) - T
    total = xp.sum(A, axis=-1, keepdims=True)
    dP = -T * _inverse_inside(xp, A / total)
    return (dP - xp.sum(dP * A, axis=-1, keepdims=True) / total) / total


def _targets(xp: Any, loss: LossSpec, y: Any, A: Any) -> Any:
    """Return the targets as a matrix of A's shape: class indices as ones among zeros, smoothed."""
    n_out = A.shape[-1]
    if loss.targets == "class numbers":
        columns = xp.arange(n_out, dtype=y.dtype, device=getattr(y, "device", None))
        y = xp.astype(columns[None, :] == y[:, None], A.dtype)
    if not loss.label_smoothing:
        return y
    n_classes = n_out if loss.is_of_classes else 2
    return y * (1.0 - loss.label_smoothing) + loss.label_smoothing / n_classes


def _share(xp: Any, loss: QuantileSpec, T: Any, A: Any) -> Any:
    """Return the quantile for outputs that are too small, and 1 less the quantile for the others."""
    small = xp.astype(A < T, A.dtype)
    return loss.quantile * small + (1.0 - loss.quantile) * (1.0 - small)


def _inside(xp: Any, P: Any) -> Any:
    return xp.clip(P, min=EPSILON, max=1.0 - EPSILON)


def _inverse_inside(xp: Any, P: Any) -> Any:
    """Return the derivative of ``log(_inside(P))``: ``1 / P``, and 0 where P was moved."""
    return xp.where(xp.abs(P - 0.5) <= 0.5 - EPSILON, 1.0 / _inside(xp, P), xp.zeros_like(P))


class _Elementwise(NamedTuple):
    """A loss that is the mean of one number an output: that number, and its slope by the output."""

    value: Callable[[Any, Any, Any, Any], Any]
    slope: Callable[[Any, Any, Any, Any], Any]


def _elementwise(loss: LossSpec) -> _Elementwise:
    return (_FROM_LOGITS if loss.from_logits else _OF_OUTPUTS)[type(loss)]


def _binary(xp: Any, loss: BinaryCrossentropySpec, T: Any, A: Any) -> Any:
    P = _inside(xp, A)
    return -(T * xp.log(P) + (1.0 - T) * xp.log(1.0 - P))


def _huber(xp: Any, loss: HuberSpec, T: Any, A: Any) -> Any:
    E = xp.abs(A - T)
    near = xp.clip(E, max=loss.delta)
    return near * (E - 0.5 * near)


_FROM_LOGITS: dict[type, _Elementwise] = {
    BinaryCrossentropySpec: _Elementwise(
        # softplus(a) - t a, the large parts taken from each other before the small one is added
        lambda xp, loss, T, A: xp.clip(A, min=0.0) - T * A + xp.log1p(xp.exp(-xp.abs(A))),
        lambda xp, loss, T, A: sigmoid(xp, A) - T,
    ),
    PoissonSpec: _Elementwise(
        lambda xp, loss, T, A: xp.exp(A) - T * A,
        lambda xp, loss, T, A: xp.exp(A) - T,
    ),
}
_OF_OUTPUTS: dict[type, _Elementwise] = {
    BinaryCrossentropySpec: _Elementwise(
        _binary,
        lambda xp, loss, T, A: (1.0 - T) * _inverse_inside(xp, 1.0 - A) - T * _inverse_inside(xp, A),
    ),
    MeanSquaredErrorSpec: _Elementwise(
        lambda xp, loss, T, A: (A - T) ** 2,
        lambda xp, loss, T, A: 2.0 * (A - T),
    ),
    MeanAbsoluteErrorSpec: _Elementwise(
        lambda xp, loss, T, A: xp.abs(A - T),
        lambda xp, loss, T, A: xp.sign(A - T),
    ),
    QuantileSpec: _Elementwise(
        lambda xp, loss, T, A: _share(xp, loss, T, A) * xp.abs(A - T),
        lambda xp, loss, T, A: _share(xp, loss, T, A) * xp.sign(A - T),
    ),
    HuberSpec: _Elementwise(
        _huber,
        lambda xp, loss, T, A: xp.clip(A - T, min=-loss.delta, max=loss.delta),
    ),
    PoissonSpec: _Elementwise(
        lambda xp, loss, T, A: A - T * xp.log(A + EPSILON),
        lambda xp, loss, T, A: 1.0 - T / (A + EPSILON),
    ),
}
