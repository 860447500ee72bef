"""A scaling by columns, as a batch normalisation in use is, and the layers that it can become part of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.errors import FormatError

__all__ = ["Scaling"]

Wide = NDArray[np.float64]

# Folding ``x f + s`` into the weights after it adds numbers as large as s, and loses as many digits as s has
# before its point. Up to here these are two bits, as any sum of a few terms may lose.
_LARGEST_SHIFT = 4.0
# `Normalization` divides by no deviation below 1e-7; and all its numbers must be far from float32's limits.
_SMALLEST, _LARGEST = 1e-7, 1e30


class Scaling(NamedTuple):
    """``x * factor + shift``, column by column, in float64."""

    factor: Wide
    shift: Wide

    @classmethod
    def of(cls, factor: Any, shift: Any, columns: int) -> Scaling:
        """Return a scaling; FormatError for another number of columns or if a number is not finite."""
        try:
            both = [np.broadcast_to(np.asarray(value, np.float64), (columns,)) for value in (factor, shift)]
        except ValueError:
            shapes = f"{np.shape(factor)} and {np.shape(shift)}"
            raise FormatError(f"a scaling of {columns} columns has numbers of the shapes {shapes}") from None
        if not np.isfinite(both).all():
            raise FormatError("a scaling by columns has one finite number per column, here it has others")
        return cls(*both)

    def then(self, other: Scaling) -> Scaling:
        """Return the two as one."""
        return Scaling(self.factor * other.factor, self.shift * other.factor + other.shift)

    def after(self, W: Array, B: Array | None) -> tuple[Array, Array]:
        """Return weights and bias of ``(x W + B) f + s``."""
        return W * self.factor, self.shift + (0.0 if B is None else B * self.factor)

    def before(self, W: Array, B: Array | None) -> tuple[Array, Array]:
        """Return weights and bias of ``(x f + s) W + B``."""
        return self.factor[:, np.newaxis] * W, self.shift @ np.float64(W) + (0.0 if B is None else B)

    def standardised(self) -> tuple[list[Array] | None, Scaling]:
        """Return what of it had better be a `Normalization`, as that layer's weights, and what is left.

        Raw data may have means that are large against their spread: ``(x - m) / d`` keeps the digits that
        ``x W / d - m W / d`` loses. The sign of the factor, and all of a small shift, are left.
        """
        size = np.abs(self.factor)
        with np.errstate(all="ignore"):
            mean, deviation = -self.shift / self.factor, np.maximum(1.0 / size, _SMALLEST)
            apart = (np.abs(self.shift) > _LARGEST_SHIFT) & (np.abs(mean) < _LARGEST) & (deviation < _LARGEST)
        if not apart.any():
            return None, self
        mean, deviation = np.where(apart, mean, 0.0), np.where(apart, deviation, 1.0)
        left = Scaling(self.factor * deviation, np.where(apart, 0.0, self.shift))
        return _statistics(mean, deviation), left

    def alone(self) -> list[Array] | None:
        """Return the weights of the `Normalization` that it is; None where it is none."""
        with np.errstate(all="ignore"):
            mean, deviation = -self.shift / self.factor, 1.0 / self.factor
            fits = (deviation >= _SMALLEST) & (deviation < _LARGEST) & (np.abs(mean) < _LARGEST)
        return _statistics(mean, deviation) if fits.all() else None


def _statistics(mean: Wide, deviation: Wide) -> list[Array]:
    return [mean, np.square(deviation), np.zeros((), np.int32)]
