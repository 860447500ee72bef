"""The layer that turns category numbers into numbers that it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.checks import from_one, shown, whole
from fastdense.core.parameters import Converted, parameter
from fastdense.core.spec import CategoryEmbeddingSpec, Factors
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer
from fastdense.layers.dense import decay_factor, rate_factor

__all__ = ["CategoryEmbedding"]

_MOST = 2**24  # categories of a column: float32 holds every whole number up to this one


def _sizes(name: str, values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or not values:
        raise TypeError(f"{name} must be the number of categories of each column, got {shown(values)}")
    return tuple(whole(f"{name}[{i}]", value, 1, _MOST) for i, value in enumerate(values))


@FAMILY.add()
class CategoryEmbedding(Layer):
    """Turn the category numbers in the last columns into ``width`` trained numbers each.

    The last ``len(sizes)`` columns hold category numbers: column ``i`` of them one of ``0, 1, ... sizes[i] -
    1``. The output has the columns before them as they are, and then ``width`` columns for each of them: the
    row of ``embeddings`` that belongs to the category. What is not such a number, NaN among others, counts as
    category 0, which stands for "missing or unknown".

    Every step of the optimizer moves all rows of ``embeddings``, as it would with a gradient of zeros: the
    rows of categories that are in no row of the batch move on with the running means of their gradients, and
    by the weight decay. A category number has the gradient 0.

    Attributes
    ----------
    embeddings : array of shape (sum(sizes), width)
        The rows of the first column's categories, then those of the second one, and so on; read-only. They
        start as draws from a normal distribution of mean 0 and deviation 1.

    References
    ----------
    Guo and Berkhahn, "Entity embeddings of categorical variables", 2016. The width and the start are those of
    Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", 2024.

    Examples
    --------
    Two quantities, and two columns of 5 and of 3 categories, which become 2 + 2 * 4 columns:

    >>> import fastdense as fd
    >>> layer = fd.layers.CategoryEmbedding((5, 3), width=4)
    >>> model = fd.Sequential([fd.Input((4,)), layer, fd.Dense(1)], seed=0)
    >>> layer.n_units, layer.embeddings.shape
    (10, (8, 4))
    """

    sizes: Converted[Sequence[int], tuple[int, ...]] = parameter(
        _sizes,
        "The number of categories of each column that holds category numbers, each from 1 to 2**24.",
        kind="tuple of int",
    )
    width: int = parameter(from_one, "How many numbers a category becomes, at least 1.", default=8)
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE
    _: KW_ONLY
    embeddings_rate_factor: float = rate_factor("embeddings")
    embeddings_decay_factor: float = decay_factor("embeddings")

    @property
    def embeddings(self) -> Array:
        """The numbers of the categories, of shape (sum(sizes), width), read-only."""
        if not self.built:
            raise NotBuiltError(f"layer {self.name!r} has no embeddings yet: its input width is not known")
        return self.arrays[0]

    def units_for(self, n_in: int) -> int:
        """Return the columns that pass, and ``width`` for each of the others."""
        return n_in + len(self.sizes) * (self.width - 1)

    def check_input(self, n_in: int) -> None:
        """Raise ShapeError also if the input has fewer columns than there are ``sizes``."""
        super().check_input(n_in)
        if n_in < len(self.sizes):
            raise ShapeError(
                f"layer {self.name!r} has sizes={self.sizes}, so it takes category numbers from the last "
                f"{len(self.sizes)} columns, but its input has {n_in}"
            )

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of the embeddings."""
        return {"embeddings": (sum(self.sizes), self.width)}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Draw the embeddings."""
        return [rng.normal(size=(sum(self.sizes), self.width)).astype(dtype)]

    def spec(self, stream: int) -> CategoryEmbeddingSpec:
        """Return the sizes, and how training treats the embeddings."""
        assert self.n_in is not None
        factors = Factors(self.embeddings_rate_factor, self.embeddings_decay_factor)
        return CategoryEmbeddingSpec(self.n_in, self.sizes, self.width, factors)
