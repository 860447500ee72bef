"""Which activation makes the numbers that a few elementwise operations make: found by computing both.

One activation is written in many ways: SiLU as ``x * sigmoid(x)``, GELU as a division, an error function, an
addition and two products in one order or another, ReLU6 as a limit or as a minimum of a maximum. The numbers
that come out give which it is, whatever the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from fastdense.activations import ActivationFunction
from fastdense.core.arrays import Array
from fastdense.core.curves import CURVES

__all__ = ["Curve", "Limits", "recognised"]

# Densely where activations bend, down to small numbers; and far out, where a line and a limit part. The first
# two give a slope below 0 and the limit of an exponential.
_SMALL, _LARGE = np.logspace(-8, 2, 241), np.logspace(2.1, 30, 57)
_PROBES = np.concatenate([[-1.0, -80.0], np.linspace(-12, 12, 1537), _SMALL, -_SMALL, _LARGE, -_LARGE])
_FAR = 100.0
# Around each constant of the nodes, where one that is a threshold would make a jump.
_BESIDE = np.array([1 - 1e-3, 1 - 1e-5, 1.0, 1 + 1e-5, 1 + 1e-3])


class Limits(NamedTuple):
    """``min(max(x, low), high)``, one of them infinite perhaps."""

    low: float
    high: float

    def __call__(self, x: Array) -> Array:
        """Return the limited numbers."""
        return np.clip(x, self.low, self.high)


Curve: TypeAlias = ActivationFunction | Limits


def recognised(
    evaluate: Callable[[Array], Array | None], constants: Sequence[float], tolerance: float
) -> Curve | None:
    """Return the curve that a function of each number by itself computes; None if it is not a known one.

    Parameters
    ----------
    evaluate : callable
        Returns the function's values at float64 numbers of shape (m,), or None if it cannot.
    constants : sequence of float
        The numbers that the function is written with, each of which may be a threshold.
    tolerance : float
        How far the function may be off, relative to its value and to its argument: constants are float32 in
        most files, and 1 / sqrt(2) is off by 2e-8 there.
    """
    found = evaluate(_PROBES)
    if found is None:
        return None
    finite = [number for number in constants if math.isfinite(number)]
    beside = np.outer([*finite, *(-number for number in finite)], _BESIDE).ravel()
    for curve in _candidates(found):
        expected, bound = _expected(curve, tolerance)
        if _agrees(_PROBES, found, expected, bound):
            further = evaluate(beside)
            if further is not None and _agrees(beside, further, *_with_bound(curve, beside, tolerance)):
                return curve
    return None


def _candidates(found: Array) -> Iterator[Curve]:
    """Yield the curves that it may be, their parameters read off what was found."""
    yield from _WITHOUT_PARAMETER
    slope, limit = -float(found[0]), -float(found[1])
    if 0.0 <= slope < math.inf and abs(slope - 1.0) > 1e-6:  # 1: a straight line
        yield ActivationFunction("leaky_relu", slope)
    if 0.0 <= limit < math.inf:
        yield ActivationFunction("elu", limit)
    if 0.0 < limit < math.inf:
        yield ActivationFunction("celu", limit)
    lowest, highest = found[-1], found[-1 - len(_LARGE)]
    low = float(lowest) if lowest == found[-9] else -math.inf
    high = float(highest) if highest == found[-9 - len(_LARGE)] else math.inf
    if low < high and (math.isfinite(low) or math.isfinite(high)):
        yield Limits(low, high)


_WITHOUT_PARAMETER = tuple(
    ActivationFunction(curve.name)
    for curve in CURVES.values()
    if curve.alpha is None and curve.name not in ("softmax", "linear")
)
_of_probes: dict[tuple[str, float], tuple[Array, Array]] = {}


def _expected(curve: Curve, tolerance: float) -> tuple[Array, Array]:
    """Return a curve's values at the probes, and how far off others may be; those of a name are kept."""
    if curve not in _WITHOUT_PARAMETER:
        return _with_bound(curve, _PROBES, tolerance)
    key = curve.name, tolerance
    if key not in _of_probes:
        _of_probes[key] = _with_bound(curve, _PROBES, tolerance)
    return _of_probes[key]


def _with_bound(curve: Curve, z: Array, tolerance: float) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        expected = curve(z)
        spread = np.abs(curve(z * (1.0 + tolerance)) - curve(z * (1.0 - tolerance)))
        rounding = 16 * np.finfo(np.float64).eps * (1.0 + np.abs(z))  # a naive formula's, in float64
        return expected, tolerance * np.abs(expected) + np.nan_to_num(spread, nan=0.0) + rounding


def _agrees(z: Array, found: Array, expected: Array, bound: Array) -> bool:
    """Whether the numbers are the expected ones; far out, a naive formula may have overflown."""
    with np.errstate(all="ignore"):
        close = (np.abs(found - expected) <= bound) | (found == expected)
    return bool((close | ((np.abs(z) > _FAR) & ~np.isfinite(found))).all())
