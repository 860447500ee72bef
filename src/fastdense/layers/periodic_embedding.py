"""The layer that turns numbers into sums over cosines that it learns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.checks import from_one, from_zero, number, optional, whole
from fastdense.core.parameters import parameter
from fastdense.core.spec import Factors, PeriodicEmbeddingSpec
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer

__all__ = ["PeriodicEmbedding"]


def _from_two(name: str, value: Any) -> int:
    return whole(name, value, 2)


def _above_zero(name: str, value: Any) -> float:
    return number(name, value, above=0.0)


@FAMILY.add()
class PeriodicEmbedding(Layer):
    """Turn the numbers in the first columns into ``width`` numbers each, sums over cosines among them.

    Those of a number ``x`` are ``cos(2 pi frequency x + phase) @ kernel + bias``, ``width - 1`` sums over
    ``frequencies`` cosines, and then ``x`` itself. A missing number, NaN, becomes its column's ``missing``,
    so that a network whose first layer this is takes rows with missing numbers in these columns. The output
    has the embedded columns one after another, and behind them the other columns as they are.

    A dense layer sees a number as a straight line; the sums let it see what repeats, and what turns on a
    small scale.

    The arrays, in order, are ``frequency`` and ``phase``, of shape (columns, frequencies), normal with the
    deviation ``sigma`` and even between -pi and pi at first; ``kernel``, (columns, frequencies, width - 1),
    and ``bias``, (columns, width - 1), even between -1 and 1 over the root of ``frequencies``; ``missing``,
    (columns, width), which starts at 0.

    References
    ----------
    Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning", 2022,
    train the frequencies. Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", 2024, add the phases, the biases and the number itself, with these starts.

    Examples
    --------
    Two quantities of three columns become 4 numbers each:

    >>> import numpy as np
    >>> import fastdense as fd
    >>> layer = fd.layers.PeriodicEmbedding(columns=2)
    >>> model = fd.Sequential([fd.Input((3,)), layer], seed=0)
    >>> layer.n_units, [array.shape for array in layer.weights]
    (9, [(2, 16), (2, 16), (2, 16, 3), (2, 3), (2, 4)])
    >>> row = model.predict(np.array([[0.5, np.nan, 7.0]]))[0]
    >>> row[[3, 8]], row[4:8]
    (array([0.5, 7. ], dtype=float32), array([0., 0., 0., 0.], dtype=float32))
    """

    columns: int | None = parameter(
        optional(from_one), "How many columns are embedded, from the first on; None for all.", default=None
    )
    frequencies: int = parameter(from_one, "How many cosines a number has, at least 1.", default=16)
    width: int = parameter(_from_two, "How many numbers a number becomes, at least 2.", default=4)
    sigma: float = parameter(_above_zero, "The deviation of the first frequencies, above 0.", default=0.1)
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE
    _: KW_ONLY
    rate_factor: float = parameter(
        from_zero, "At least 0: multiplies the optimizer's learning rate.", default=1.0, later=True
    )
    decay_factor: float = parameter(
        from_zero, "At least 0: multiplies the optimizer's weight decay.", default=1.0, later=True
    )

    def embedded(self, n_in: int) -> int:
        """Return how many columns of ``n_in`` are embedded."""
        return n_in if self.columns is None else self.columns

    def units_for(self, n_in: int) -> int:
        """Return ``width`` for each embedded column, and one for each of the others."""
        return n_in + self.embedded(n_in) * (self.width - 1)

    def check_input(self, n_in: int) -> None:
        """Raise ShapeError also if the input has fewer columns than are to be embedded."""
        super().check_input(n_in)
        if n_in < self.embedded(n_in):
            raise ShapeError(
                f"layer {self.name!r} embeds the first {self.columns} columns, but its input has {n_in}"
            )

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the arrays."""
        return {p.name: p.shape for p in self._spec(n_in).parameters}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Draw the frequencies, phases, kernels and biases."""
        shapes, limit = self.weight_shapes(n_in), 1.0 / math.sqrt(self.frequencies)
        drawn = [
            rng.normal(scale=self.sigma, size=shapes["frequency"]),
            rng.uniform(-math.pi, math.pi, shapes["phase"]),
            rng.uniform(-limit, limit, shapes["kernel"]),
            rng.uniform(-limit, limit, shapes["bias"]),
            np.zeros(shapes["missing"]),
        ]
        return [array.astype(dtype) for array in drawn]

    def spec(self, stream: int) -> PeriodicEmbeddingSpec:
        """Return the sizes, and how training treats the arrays."""
        if self.n_in is None:
            raise NotBuiltError(f"layer {self.name!r} has no arrays yet: its input width is not known")
        return self._spec(self.n_in)

    def _spec(self, n_in: int) -> PeriodicEmbeddingSpec:
        factors = Factors(self.rate_factor, self.decay_factor)
        return PeriodicEmbeddingSpec(n_in, self.embedded(n_in), self.frequencies, self.width, factors)
