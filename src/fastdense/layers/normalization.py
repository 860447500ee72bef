"""The layer that centres and scales each column by statistics of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fastdense.core.arrays import Array
from fastdense.core.checks import as_array, crowded, finite, optional
from fastdense.core.parameters import parameter
from fastdense.core.sharing import Change
from fastdense.core.spec import ScaleSpec
from fastdense.errors import ShapeError
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer, per_column

__all__ = ["Normalization"]


def _axis(name: str, value: Any) -> int:
    if value not in (-1, 1):
        raise ValueError(f"Normalization works on the columns of a matrix: axis must be -1, got {value!r}")
    return -1


@FAMILY.add()
class Normalization(Layer):
    """Centre and scale each column: ``A_out = (A_in - mean) / sqrt(variance)``, by statistics of the data.

    Notes
    -----
    As in Keras, `get_weights` gives the mean, the variance and a count that is always 0. The statistics are
    float64 in every model.

    A float32 model that starts with this layer subtracts the mean in float64, before it rounds, from columns
    whose mean is over 16384 standard deviations: seconds since 1970 would be one number in float32. Other
    columns are rounded first. Files for other software state the layer as it is: there float32 computes it.
    """

    weight_dtypes: ClassVar = {"mean": "float64", "variance": "float64", "count": "int32"}
    _epsilon = 1e-7  # Keras' backend.epsilon(): a constant column becomes 0, not NaN

    axis: int = parameter(
        _axis,
        "Columns are normalised one by one; the parameter is here for scripts that give it.",
        default=-1,
    )
    mean: Any = parameter(
        optional(partial(per_column, "Normalization")),
        "Given together with ``variance``, in place of `adapt`.",
        default=None,
        kind="array-like of shape (n_in,) or number",
    )
    variance: Any = parameter(
        optional(partial(per_column, "Normalization")),
        "At least 0; see ``mean``.",
        default=None,
        kind="array-like of shape (n_in,) or number",
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE

    def __post_init__(self, input_shape: Sequence[int] | None = None) -> None:
        super().__post_init__(input_shape)
        if (self.mean is None) != (self.variance is None):
            raise ValueError("Normalization: give mean and variance together, or neither and call adapt")
        if self.variance is not None and np.any(np.asarray(self.variance) < 0):
            raise ValueError("Normalization: variance must not be negative")

    @property
    def trainable_weights(self) -> list[Array]:
        """None: training leaves the statistics alone."""
        return []

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the three arrays; none if the statistics were given."""
        return {"mean": (n_in,), "variance": (n_in,), "count": ()} if self.mean is None else {}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Start from mean 0 and variance 1, unless the statistics were given."""
        return _weights(np.zeros(n_in), np.ones(n_in)) if self.mean is None else []

    def check_input(self, n_in: int) -> None:
        """Raise ShapeError if statistics of another width were given."""
        super().check_input(n_in)
        self._check_columns(n_in, mean=self.mean, variance=self.variance)

    def adapt(self, data: ArrayLike) -> None:
        """Take each column's mean and variance from a matrix, one example per row.

        Raises
        ------
        ShapeError
            ``data`` is not a matrix with at least one row.
        NonFiniteError
            It holds NaN or infinity.
        """
        if self.mean is not None:
            raise ValueError(
                f"layer {self.name!r} was given its mean and variance: there is nothing to adapt"
            )
        X = as_array("data", data, "float64")
        if X.ndim != 2 or not len(X):
            raise ShapeError(
                f"adapt takes a matrix of at least one row, one example per row; got shape {X.shape}"
            )
        finite("data", X)
        with np.errstate(over="ignore", invalid="ignore"):  # `changes` refuses what overflowed
            self.restore(X.shape[1], _weights(X.mean(axis=0), X.var(axis=0)))

    def spec(self, stream: int) -> ScaleSpec:
        """Return the width."""
        assert self.n_in is not None
        return ScaleSpec(self.n_in)

    def parameters(self, arrays: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return the mean and the standard deviation."""
        assert self.n_in is not None
        mean, variance = arrays[:2] if self.mean is None else (self.mean, self.variance)
        deviation = np.maximum(np.sqrt(variance), self._epsilon)
        return np.broadcast_to(mean, self.n_in), np.broadcast_to(deviation, self.n_in)

    def __call__(self, X: ArrayLike) -> Array:
        """Return the layer's output for a matrix, centred in float64 if float32 cannot hold its columns."""
        outputs, arrays = super().__call__(X), self.arrays
        if self.centre(arrays) is None:
            return outputs
        mean, deviation = self.parameters(arrays)
        with np.errstate(all="ignore"):
            return ((as_array("X", X, "float64") - mean) / deviation).astype(outputs.dtype)

    def centre(self, arrays: tuple[Array, ...]) -> Array | None:
        """Return what to subtract from rows in float64 before they are rounded to float32, if anything.

        It is the mean of columns whose mean is too many deviations for float32 to hold both, 0 for others.
        None stands for zeros: nothing need be subtracted.
        """
        mean, deviation = self.parameters(arrays)
        far = crowded(mean, deviation)
        return np.where(far, mean, 0.0) if far.any() else None

    def changes(self, arrays: Sequence[Array], n_in: int | None = None, fresh: bool = False) -> list[Change]:
        """Return what gives the layer these statistics; ValueError if they are not finite."""
        if arrays and not (np.isfinite(arrays[:2]).all() and (arrays[1] >= 0).all()):
            raise ValueError(
                f"layer {self.name!r}: means must be finite, variances finite and not negative (is the data "
                "too large to square, or are mean and variance swapped?)"
            )
        return super().changes(arrays, n_in, fresh)


def _weights(mean: Array, variance: Array) -> list[Array]:
    """Return the arrays of a layer, in order."""
    return [mean, variance, np.zeros((), np.int32)]
