"""The layers that train one number per column: a scale, and a share of an activation; and their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import ActivationSpec
from fastdense.reference.activations import curve
from fastdense.reference.ieee import times

__all__ = ["blend", "blend_backward", "scale", "scale_backward"]

Row = Sequence[float]
Array = NDArray[np.float64]


def scale(factors: Array, a: Row) -> list[float]:
    """Return ``a_k * scale_k``, and 0 where the factor is 0, even of an infinite number.

    Examples
    --------
    >>> scale(np.array([2.0, 0.0]), [3.0, float("inf")])
    [6.0, 0.0]
    """
    return [times(a_k, factor) for a_k, factor in zip(a, factors.tolist(), strict=True)]


def scale_backward(factors: Array, a: Row, dz: Row) -> tuple[list[float], Array]:
    """Return ``da_k = dz_k * scale_k`` and ``dscale_k = dz_k * a_k``.

    Examples
    --------
    >>> da, dscale = scale_backward(np.array([2.0]), [3.0], [5.0])
    >>> da, dscale.tolist()
    ([10.0], [15.0])
    """
    da = [dz_k * factor for dz_k, factor in zip(dz, factors.tolist(), strict=True)]
    return da, np.array([dz_k * a_k for dz_k, a_k in zip(dz, a, strict=True)])


def blend(activation: ActivationSpec, shares: Array, a: Row) -> list[float]:
    """Return ``(1 - alpha_k) * a_k + alpha_k * g(a_k)``.

    This is ``a_k + alpha_k * (g(a_k) - a_k)`` in a form in which small ``g(a_k)`` keep their digits. A factor
    of 0 makes 0, even of an infinite number: a share ``alpha_k`` of 1 gives ``g(a_k)``, one of 0 ``a_k``.

    Examples
    --------
    >>> blend(ActivationSpec("relu"), np.array([1.0, 0.25, 0.0]), [-4.0, -4.0, -4.0])
    [0.0, -3.0, -4.0]
    """
    g, _ = curve(activation)
    return [
        times(a_k, 1 - alpha) + times(g(a_k), alpha) for a_k, alpha in zip(a, shares.tolist(), strict=True)
    ]


def blend_backward(activation: ActivationSpec, shares: Array, a: Row, dz: Row) -> tuple[list[float], Array]:
    """Return ``da_k = dz_k * (1 - alpha_k + alpha_k * g'(a_k))`` and ``dalpha_k = dz_k * (g(a_k) - a_k)``.

    Examples
    --------
    >>> da, dalpha = blend_backward(ActivationSpec("relu"), np.array([0.25]), [-4.0], [2.0])
    >>> da, dalpha.tolist()  # 2 * (0.75 + 0.25 * 0), 2 * (0 + 4)
    ([1.5], [8.0])
    """
    g, slope = curve(activation)
    da = [
        dz_k * (1 - alpha + alpha * slope(a_k))
        for a_k, dz_k, alpha in zip(a, dz, shares.tolist(), strict=True)
    ]
    return da, np.array([dz_k * (g(a_k) - a_k) for a_k, dz_k in zip(a, dz, strict=True)])
