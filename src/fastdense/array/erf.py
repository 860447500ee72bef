"""The complementary error function, which the array API standard lacks, from rational approximations."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["erfc"]

# Coefficients, highest power first, of W. J. Cody, "Rational Chebyshev approximation for the error
# function", Mathematics of Computation 23 (1969), 631-637; each is good to 1e-18 relative on its interval.
_SMALL = (  # erf(x) / x in x**2, |x| <= 0.5
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
_MIDDLE = (  # erfc(x) * exp(x**2) in x, 0.5 <= x <= 4
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
_LARGE = (  # (1/sqrt(pi) - erfc(x) * exp(x**2) * x) * x**2 in 1/x**2, x >= 4
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def erfc(xp: Any, X: Any) -> Any:
    """Return ``erfc(X) = 2 / sqrt(pi) * integral from X to infinity of exp(-t**2) dt``.

    Parameters
    ----------
    xp : namespace
        The array library.
    X : array, floating

    Returns
    -------
    array of X's shape and dtype, within 10 units in the last place, the tail included; NaN passes through

    Examples
    --------
    >>> import numpy as np
    >>> erfc(np, np.array([0.0, 1.0, 5.0]))  # 1, and two values from the tables
    array([1.00000000e+00, 1.57299207e-01, 1.53745979e-12])
    """
    Y = xp.abs(X)
    small = 1.0 - X * _rational(_SMALL, xp.clip(Y, max=0.5) ** 2)
    tail = _tail(xp, Y)
    return xp.where(Y <= 0.5, small, xp.where(X < 0, 2.0 - tail, tail))


def _tail(xp: Any, Y: Any) -> Any:
    """Return erfc for Y >= 0.5."""
    # Beyond 27.3 the result underflows in float64: cutting there keeps the squares finite.
    Y = xp.clip(Y, min=0.5, max=28.0)
    middle = _rational(_MIDDLE, xp.clip(Y, max=4.0))
    inverse = 1.0 / xp.clip(Y, min=4.0) ** 2
    large = (1.0 / math.sqrt(math.pi) - inverse * _rational(_LARGE, inverse)) / Y
    # exp(-Y**2) without the error of rounding Y**2: the head is exact in few bits, the rest is small.
    head = xp.floor(Y * 16.0) / 16.0
    decay = xp.exp(-head * head) * xp.exp(-(Y - head) * (Y + head))
    return decay * xp.where(Y <= 4.0, middle, large)


def _rational(coefficients: tuple[tuple[float, ...], tuple[float, ...]], X: Any) -> Any:
    numerator, denominator = (_horner(c, X) for c in coefficients)
    return numerator / denominator


def _horner(coefficients: tuple[float, ...], X: Any) -> Any:
    total = coefficients[0] * X + coefficients[1]
    for c in coefficients[2:]:
        total = total * X + c
    return total
