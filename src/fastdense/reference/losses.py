"""The loss of one row and its gradient with respect to that row: Keras' definitions.

Every loss but the categorical ones is a mean over the row's ``n`` outputs; categorical cross-entropy is a sum
over its groups of outputs, most often one. ``y`` is the target, ``a`` the
output: a probability or a mean, or with ``from_logits`` the number that a sigmoid, softmax or exponential
would turn into one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from fastdense.core.spec import (
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    HuberSpec,
    LossSpec,
    MeanAbsoluteErrorSpec,
    MeanSquaredErrorSpec,
    PoissonSpec,
    QuantileSpec,
    SparseCategoricalCrossentropySpec,
    group_slices,
)
from fastdense.reference.activations import softmax
from fastdense.reference.curves import sigmoid
from fastdense.reference.ieee import divide, exp, log, sign, times

__all__ = ["loss", "loss_gradient", "target"]

Row = Sequence[float]
TINY = 1e-7
"""Keras' epsilon: probabilities are clipped to ``[TINY, 1 - TINY]`` before their logarithm."""


def target(spec: LossSpec, y: float | Row, n_out: int) -> list[float]:
    """Return the row that a loss compares with: one-hot for a class index, then label smoothing.

    Smoothing by ``s`` gives ``y * (1 - s) + s / 2`` for binary and ``y * (1 - s) + s / n`` for categorical
    cross-entropy, ``n`` the outputs of the group, all of them if there is one group.

    Parameters
    ----------
    spec : LossSpec
    y : sequence of n_out floats, or a class index for the sparse loss
    n_out : int

    Returns
    -------
    t : list of n_out floats

    Examples
    --------
    >>> target(SparseCategoricalCrossentropySpec(label_smoothing=0.5), 2, n_out=4)
    [0.125, 0.125, 0.625, 0.125]
    >>> target(CategoricalCrossentropySpec(label_smoothing=0.5, groups=(2, 1)), [1.0, 0.0, 1.0], 3)
    [0.75, 0.25, 1.0]
    """
    row = [float(k == y) for k in range(n_out)] if isinstance(y, int | float) else list(y)
    classes, smoothing = [2] * n_out, spec.label_smoothing
    if not smoothing:
        return row
    if spec.is_of_classes:
        sizes = [group.stop - group.start for group in group_slices(spec, n_out)]
        classes = [size for size in sizes for _ in range(size)]
    return [value * (1 - smoothing) + smoothing / n for value, n in zip(row, classes, strict=True)]


def loss(spec: LossSpec, y: float | Row, a: Row) -> float:
    """Return one row's loss.

    Parameters
    ----------
    spec : LossSpec
    y : sequence of n floats, or a class index for the sparse loss
    a : sequence of n floats
        The network's output for the row.

    Returns
    -------
    loss : float

    Examples
    --------
    >>> loss(MeanSquaredErrorSpec(), [1.0, 2.0], [1.0, 5.0])  # (0**2 + 3**2) / 2
    4.5
    >>> loss(HuberSpec(delta=1.0), [0.0, 0.0], [0.5, 3.0])  # (0.5**2 / 2 + 3 - 1/2) / 2
    1.3125
    >>> loss(QuantileSpec(quantile=0.75), [1.0, 1.0], [3.0, 0.0])  # (0.25 * 2 + 0.75 * 1) / 2
    0.625
    >>> round(loss(BinaryCrossentropySpec(), [1.0], [0.25]), 6)  # log 4
    1.386294
    >>> round(loss(SparseCategoricalCrossentropySpec(from_logits=True), 1, [0.0, math.log(3)]), 6)
    0.287682
    >>> by_groups = CategoricalCrossentropySpec(groups=(2, 2))
    >>> round(loss(by_groups, [1.0, 0.0, 0.0, 1.0], [0.25, 0.75, 0.5, 0.5]), 6)  # log 4 + log 2
    2.079442
    """
    return _with_gradient(spec, target(spec, y, len(a)), a)[0]


def loss_gradient(spec: LossSpec, y: float | Row, a: Row) -> list[float]:
    """Return the derivative of one row's loss with respect to each of its outputs.

    A clipped probability has the gradient zero; so has an error of zero.

    Parameters
    ----------
    spec : LossSpec
    y : sequence of n floats, or a class index for the sparse loss
    a : sequence of n floats

    Returns
    -------
    da : list of n floats

    Examples
    --------
    >>> loss_gradient(MeanSquaredErrorSpec(), [1.0, 2.0], [1.0, 5.0])  # 2 * (5 - 2) / 2
    [0.0, 3.0]
    >>> loss_gradient(BinaryCrossentropySpec(from_logits=True), [1.0], [0.0])  # sigmoid(0) - 1
    [-0.5]
    >>> loss_gradient(CategoricalCrossentropySpec(from_logits=True), [0.0, 1.0], [7.0, 7.0])
    [0.5, -0.5]
    """
    return _with_gradient(spec, target(spec, y, len(a)), a)[1]


def _with_gradient(spec: LossSpec, t: Row, a: Row) -> tuple[float, list[float]]:
    """Return a row's loss beside its gradient."""
    if isinstance(spec, CategoricalCrossentropySpec | SparseCategoricalCrossentropySpec):
        return _over_groups(spec, t, a)
    pairs = [ELEMENTWISE[type(spec)](spec, t_i, a_i) for t_i, a_i in zip(t, a, strict=True)]
    n = len(a)
    return sum(value for value, _ in pairs) / n, [slope / n for _, slope in pairs]


def _binary_crossentropy(spec: BinaryCrossentropySpec, y: float, a: float) -> tuple[float, float]:
    """Return ``-y log(p) - (1 - y) log(1 - p)``, which for a logit ``z`` is ``softplus(z) - z y``."""
    if spec.from_logits:
        return max(a, 0.0) - a * y + math.log1p(math.exp(-abs(a))), sigmoid(a) - y
    p = _clip(a)
    slope = (1 - y) / (1 - p) - y / p if p == a else 0.0
    return -(y * math.log(p) + (1 - y) * math.log(1 - p)), slope


def _mean_squared_error(spec: MeanSquaredErrorSpec, y: float, a: float) -> tuple[float, float]:
    """Return ``(a - y)**2`` and its slope."""
    return (a - y) * (a - y), 2 * (a - y)


def _mean_absolute_error(spec: MeanAbsoluteErrorSpec, y: float, a: float) -> tuple[float, float]:
    """Return ``|a - y|`` and its slope."""
    return abs(a - y), sign(a - y)


def _huber(spec: HuberSpec, y: float, a: float) -> tuple[float, float]:
    """Return ``(a - y)**2 / 2`` up to an error of ``delta``, and beyond it the line that goes on."""
    error, delta = a - y, spec.delta
    if abs(error) <= delta:
        return error * error / 2, error
    return delta * (abs(error) - delta / 2), delta * sign(error)


def _quantile(spec: QuantileSpec, y: float, a: float) -> tuple[float, float]:
    """Return ``q (y - a)`` if the output is too small, ``(1 - q) (a - y)`` if it is too large.

    The ``a`` of the least mean loss has the share ``q`` of the targets below it: Koenker and Bassett (1978),
    "Regression Quantiles".
    """
    share = spec.quantile if a < y else 1 - spec.quantile
    return share * abs(a - y), share * sign(a - y)


def _poisson(spec: PoissonSpec, y: float, a: float) -> tuple[float, float]:
    """Return ``a - y log(a)``, minus the log-likelihood of a count ``y`` with mean ``a``, up to a constant.

    For the mean's logarithm ``z`` it is ``exp(z) - y z``.
    """
    if spec.from_logits:
        return exp(a) - y * a, exp(a) - y
    return a - y * log(a + TINY), 1 - divide(y, a + TINY)


ELEMENTWISE: dict[type, Callable[[Any, float, float], tuple[float, float]]] = {
    BinaryCrossentropySpec: _binary_crossentropy,
    MeanSquaredErrorSpec: _mean_squared_error,
    MeanAbsoluteErrorSpec: _mean_absolute_error,
    HuberSpec: _huber,
    PoissonSpec: _poisson,
    QuantileSpec: _quantile,
}


def _over_groups(spec: LossSpec, t: Row, a: Row) -> tuple[float, list[float]]:
    """Return the sum of the groups' cross-entropies; an output's slope is that of its own group's."""
    value, gradient = 0.0, []
    for group in group_slices(spec, len(a)):
        of_group = _categorical_from_logits if spec.from_logits else _categorical
        term, slopes = of_group(t[group], a[group])
        value += term
        gradient += slopes
    return value, gradient


def _categorical(t: Row, a: Row) -> tuple[float, list[float]]:
    """Return ``-sum_i t_i log(p_i)`` with ``p = a / total``, clipped.

    With ``dp_i = -t_i / p_i`` where not clipped, ``da_i = (dp_i - sum_j dp_j p_j) / total``.
    """
    total = sum(a)
    p = [divide(value, total) for value in a]
    value = -sum(t_i * math.log(_clip(p_i)) for t_i, p_i in zip(t, p, strict=True))
    dp = [-t_i / p_i if _clip(p_i) == p_i else 0.0 for t_i, p_i in zip(t, p, strict=True)]
    mean = sum(dp_j * p_j for dp_j, p_j in zip(dp, p, strict=True))
    return value, [divide(dp_i - mean, total) for dp_i in dp]


def _categorical_from_logits(t: Row, z: Row) -> tuple[float, list[float]]:
    """Return ``-sum_i t_i log(softmax(z)_i)``, whose gradient is ``sum(t) * softmax(z) - t``."""
    largest, weight = max(z), sum(t)
    log_total = math.log(sum(math.exp(z_i - largest) for z_i in z))
    value = sum(times(log_total - (z_i - largest), t_i) for t_i, z_i in zip(t, z, strict=True))
    return value, [weight * p_i - t_i for t_i, p_i in zip(t, softmax(z), strict=True)]


def _clip(p: float) -> float:
    """Return ``p`` moved into ``[TINY, 1 - TINY]``; NaN stays NaN."""
    return min(max(p, TINY), 1 - TINY)
