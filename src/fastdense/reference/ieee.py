"""Arithmetic on Python floats that follows IEEE 754 where Python would raise."""

from __future__ import annotations

import math

__all__ = ["cos", "divide", "exp", "log", "sign", "sin", "sqrt", "times"]


def cos(x: float) -> float:
    """Return the cosine of ``x``: NaN at infinity.

    Examples
    --------
    >>> cos(0.0), cos(-math.inf)
    (1.0, nan)
    """
    return math.nan if math.isinf(x) else math.cos(x)


def divide(x: float, y: float) -> float:
    """Return ``x / y``: an infinity for ``1 / 0``, NaN for ``0 / 0``.

    Examples
    --------
    >>> divide(3.0, 2.0), divide(-1.0, 0.0), divide(0.0, 0.0)
    (1.5, -inf, nan)
    """
    if y != 0:
        return x / y
    if x == 0 or math.isnan(x):
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


def exp(x: float) -> float:
    """Return ``e**x``: infinity if no float is large enough.

    Examples
    --------
    >>> exp(0.0), exp(1000.0), exp(-1000.0)
    (1.0, inf, 0.0)
    """
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    """Return the natural logarithm of ``x``: minus infinity at zero, NaN below.

    Examples
    --------
    >>> log(1.0), log(0.0), log(-1.0)
    (0.0, -inf, nan)
    """
    if x == 0:
        return -math.inf
    return math.nan if x < 0 else math.log(x)


def sin(x: float) -> float:
    """Return the sine of ``x``: NaN at infinity.

    Examples
    --------
    >>> sin(0.0), sin(math.inf)
    (0.0, nan)
    """
    return math.nan if math.isinf(x) else math.sin(x)


def sqrt(x: float) -> float:
    """Return the square root of ``x``: NaN below zero.

    Examples
    --------
    >>> sqrt(9.0), sqrt(-1.0)
    (3.0, nan)
    """
    return math.nan if x < 0 else math.sqrt(x)


def sign(x: float) -> float:
    """Return 1, 0 or -1, and NaN for NaN.

    Examples
    --------
    >>> sign(2.5), sign(0.0), sign(-0.1)
    (1.0, 0.0, -1.0)
    """
    return x if math.isnan(x) else float((x > 0) - (x < 0))


def times(z: float, factor: float) -> float:
    """Return ``z * factor``, and the limit 0 where the factor vanishes, even at an infinite ``z``.

    A gate such as the sigmoid falls to zero faster than ``z`` grows, so their product does too; the plain
    product would be NaN at ``-inf``.

    Examples
    --------
    >>> times(3.0, 0.5), times(float("-inf"), 0.0), times(float("nan"), 0.0)
    (1.5, 0.0, nan)
    """
    return z * factor if factor != 0 or math.isnan(z) else 0.0
