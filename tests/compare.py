"""The one comparator of the whole suite, and the error bounds it is handed.

Every comparison is written ``not (error <= bound)``, which is true of NaN too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["assert_identical", "assert_trajectory_within", "assert_within", "dense_bound", "ulp_error"]


def assert_within(actual: ArrayLike, expected: ArrayLike, bound: ArrayLike, what: str = "") -> None:
    """Raise AssertionError unless ``|actual - expected| <= bound`` for every element.

    The shapes must be equal (nothing is broadcast but the bound) and so must the kinds of dtype. NaN equals
    only NaN, an infinity only the same infinity. The bound must be finite: an infinite one cannot fail.
    """
    found, wanted = np.asarray(actual), np.asarray(expected)
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, expected {wanted.shape}"
    assert found.dtype.kind == wanted.dtype.kind, f"{what}: dtype {found.dtype}, expected {wanted.dtype}"
    limit = np.broadcast_to(np.asarray(bound, dtype=np.float64), found.shape)
    assert np.all((limit >= 0) & np.isfinite(limit)), f"{what}: a bound must be finite and not negative"
    error = _error(found, wanted)
    wrong = ~(error <= limit)
    if not wrong.any():
        return
    excess = np.where(wrong, np.nan_to_num(error - limit, nan=np.inf), -1.0)
    worst = np.unravel_index(np.argmax(excess), found.shape)
    raise AssertionError(
        f"{what}: {np.count_nonzero(wrong)} of {wrong.size} elements are too far off; the worst at "
        f"{tuple(map(int, worst))}: {found[worst]!r}, expected {wanted[worst]!r}, "
        f"error {error[worst]:.3g}, bound {limit[worst]:.3g}"
    )


def assert_identical(actual: ArrayLike, expected: ArrayLike, what: str = "") -> None:
    """Raise AssertionError unless the arrays have one shape, one dtype and the same bits."""
    found, wanted = np.asarray(actual), np.asarray(expected)
    assert found.dtype == wanted.dtype, f"{what}: dtype {found.dtype}, expected {wanted.dtype}"
    assert_within(found, wanted, 0.0, what)
    assert found.tobytes() == wanted.tobytes(), f"{what}: equal, but a zero's sign or a NaN's bits differ"


def assert_trajectory_within(
    actual: Sequence[ArrayLike], expected: Sequence[ArrayLike], growth: float, eps: float, what: str = ""
) -> None:
    """Raise AssertionError unless two runs stay together: each entry is one step's number or array.

    At step k, from 1, every element must be within ``growth * eps * k`` of the expected one, relative to
    that array's largest element: each step adds its rounding errors to those carried along.
    """
    assert len(actual) == len(expected), f"{what}: {len(actual)} steps, expected {len(expected)}"
    for step, (found, wanted) in enumerate(zip(actual, expected, strict=True), start=1):
        largest = np.max(np.abs(np.asarray(wanted)), initial=0.0)
        assert_within(found, wanted, growth * eps * step * largest, f"{what}, step {step}")


def dense_bound(A_in: NDArray[Any], W: NDArray[Any], B: ArrayLike, eps: float) -> NDArray[np.float64]:
    """Return how far ``A_in @ W + B`` may be off in any order of summation, shape (m, n_units).

    ``(n_in + 2) * eps * (|A_in| @ |W| + |B|)``: each product passes through at most ``n_in`` additions and
    one multiplication, each off by at most ``eps / 2`` (Higham, "Accuracy and Stability of Numerical
    Algorithms", section 3.1); the other half of the bound covers the expected value's own rounding.
    """
    magnitudes = np.abs(np.float64(A_in)) @ np.abs(np.float64(W)) + np.abs(np.reshape(np.float64(B), -1))
    return (len(W) + 2) * eps * magnitudes


def ulp_error(actual: NDArray[Any], expected: ArrayLike) -> NDArray[np.float64]:
    """Return ``|actual - expected|`` in units of the last place of ``actual``'s dtype at ``expected``.

    ``expected`` is float64 and may lie between two numbers of that dtype. A NaN or an infinity where the
    other has none is infinitely many units off.
    """
    wanted = np.asarray(expected, dtype=np.float64)
    assert actual.shape == wanted.shape, f"shape {actual.shape}, expected {wanted.shape}"
    with np.errstate(all="ignore"):
        spacing = np.spacing(np.abs(wanted).astype(actual.dtype)).astype(np.float64)
        units = _error(actual, wanted) / spacing
    same = _error(actual, wanted) == 0
    return np.where(same, 0.0, np.nan_to_num(units, nan=np.inf, posinf=np.inf))


def _error(found: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.float64]:
    """Return the absolute difference: zero for equal elements and for two NaNs, NaN for one NaN."""
    found_64, wanted_64 = found.astype(np.float64), wanted.astype(np.float64)
    same = (found == wanted) | (np.isnan(found_64) & np.isnan(wanted_64))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(found_64 - wanted_64)
    unequal = np.where(difference == 0, np.inf, difference)  # integers that float64 cannot tell apart
    return np.where(same, 0.0, unequal)
