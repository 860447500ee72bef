"""The primitives: the few operations that every layer comes down to in prediction.

Readers of a network that are not engines (the writers of files, `explain`, `profile`, reports) read
primitives, never a layer's spec. A layer that lowers itself to them is therefore written, explained and
measured without a line of code there: its spec has a method ``lower(*arrays)`` that takes the layer's
arrays in the order of its ``parameters`` and returns its primitives in the order in which a row passes
through them. A layer that leaves a row as it is returns none. Engines compute a layer as a whole, and match
over specs.

========================  ===============================================================
`Product`                 ``A @ W + B``
`StandardizeColumns`      ``(A - mean) / deviation``, by columns
`NormalizeRows`           each row less its mean, divided by its deviation, scaled and shifted by columns
`LeakColumns`             ``A`` above zero, otherwise ``alpha * A``, by columns
`LookUpColumns`           the first columns of ``A``, and rows of a table for category numbers in the others
`ScaleColumns`            ``A * scale``, by columns
`BlendColumns`            ``(1 - alpha) * A + alpha * g(A)``, by columns
`PeriodicColumns`         sums over cosines of each of the first columns, and the columns
`Curve`                   ``g(A)``, each number by itself
`Softmax`                 ``exp(a) / sum(exp(a))`` of each row, or of groups of its columns
`Dropout`                 nothing in prediction
========================  ===============================================================

The bias belongs to the product because every reader takes both as one operator: ONNX's Gemm, PyTorch's
Linear, the loop in C that starts from the bias. A standardisation is not folded into a factor and a shift,
which would round differently. A new primitive is a class here, a member of `Primitive`, and a case in each
``match`` over it: mypy and ``assert_never`` find those that lack it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, ClassVar

__all__ = [
    "BlendColumns",
    "Curve",
    "Dropout",
    "LeakColumns",
    "LookUpColumns",
    "NormalizeRows",
    "PeriodicColumns",
    "Primitive",
    "Product",
    "ScaleColumns",
    "Softmax",
    "StandardizeColumns",
    "tables",
]


class _Primitive:
    """What most primitives are: they compute, and return as many columns as they are given."""

    computes: ClassVar[bool] = True
    """Whether it changes a prediction."""

    @property
    def operations(self) -> int:
        """The operations per row that count: two per multiply-add of a product."""
        return 0

    def n_units(self, n_in: int) -> int:
        """Return the number of columns of its output, given that of its input."""
        return n_in


@dataclass(frozen=True, eq=False)
class Product(_Primitive):
    """``A @ W + B``: ``W`` has the shape (n_in, n_units), ``B`` (n_units,); without a bias it is None."""

    W: Any
    B: Any | None = None

    @property
    def operations(self) -> int:
        """Two per weight."""
        n_in, n_units = self.W.shape
        return int(2 * n_in * n_units)

    def n_units(self, n_in: int) -> int:
        """Return the number of columns of ``W``."""
        return int(self.W.shape[1])


@dataclass(frozen=True, eq=False)
class StandardizeColumns(_Primitive):
    """``(A - mean) / deviation``, for arrays of shape (n_in,): a difference, and then a quotient."""

    mean: Any
    deviation: Any


@dataclass(frozen=True, eq=False)
class NormalizeRows(_Primitive):
    """``(a - mean(a)) / sqrt(variance(a) + epsilon) * gamma + beta`` of each row.

    ``gamma`` and ``beta`` have the shape (columns,), or are None for ones and zeros.
    """

    gamma: Any | None
    beta: Any | None
    epsilon: float
    columns: int


@dataclass(frozen=True, eq=False)
class LeakColumns(_Primitive):
    """Each number above zero as it is, the others times the slope of their column; of shape (n_in,)."""

    alpha: Any


def tables(sizes: Sequence[int]) -> list[slice]:
    """Return the rows of ``embeddings`` that belong to each column of category numbers.

    Examples
    --------
    >>> tables((3, 2))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    return [slice(*ends) for ends in pairwise(accumulate(sizes, initial=0))]


@dataclass(frozen=True, eq=False)
class LookUpColumns(_Primitive):
    """The first ``passed`` columns, then a row of ``embeddings`` for each category number in the others.

    ``embeddings``, of shape (sum(sizes), width), holds the columns' `tables` one below the other. A number of
    column ``passed + i`` that is not one of ``0, 1, ... sizes[i] - 1``, NaN too, counts as category 0.
    """

    passed: int
    sizes: tuple[int, ...]
    embeddings: Any

    @property
    def width(self) -> int:
        """The number of columns that each category number becomes."""
        return int(self.embeddings.shape[1])

    def n_units(self, n_in: int) -> int:
        """Return the number of columns that pass, and ``width`` for each of the others."""
        return self.passed + len(self.sizes) * self.width


@dataclass(frozen=True, eq=False)
class PeriodicColumns(_Primitive):
    """``cos(2 pi frequency x + phase) @ kernel + bias`` and ``x``, for each of the first columns.

    The arrays have one row per embedded column, in their first axis: ``frequency`` and ``phase`` have the
    shape (columns, frequencies), ``kernel`` (columns, frequencies, width - 1), ``bias`` (columns, width - 1)
    and ``missing``, which stands for a column that is NaN, (columns, width). The other columns pass.
    """

    frequency: Any
    phase: Any
    kernel: Any
    bias: Any
    missing: Any
    passed: int
    """The number of columns behind the embedded ones."""

    @property
    def operations(self) -> int:
        """Two per weight of the kernel."""
        return int(2 * math.prod(self.kernel.shape))

    def n_units(self, n_in: int) -> int:
        """Return ``width`` for each embedded column, and one for each of the others."""
        return int(self.missing.shape[0] * self.missing.shape[1]) + self.passed


@dataclass(frozen=True)
class Curve(_Primitive):
    """``g(A)``: the activation ``name`` of `fastdense.core.curves.CURVES`, neither linear nor softmax."""

    name: str
    alpha: float = 0.0


@dataclass(frozen=True, eq=False)
class ScaleColumns(_Primitive):
    """``A * scale``, for an array of shape (n_in,)."""

    scale: Any


@dataclass(frozen=True, eq=False)
class BlendColumns(_Primitive):
    """``(1 - alpha) * A + alpha * g(A)``: a share ``alpha``, of shape (n_in,), of the curve ``g``."""

    alpha: Any
    curve: Curve


@dataclass(frozen=True)
class Softmax(_Primitive):
    """A softmax of each group of columns, ``groups`` being their sizes; of the whole row if empty."""

    groups: tuple[int, ...] = ()
    name: ClassVar[str] = "softmax"


@dataclass(frozen=True)
class Dropout(_Primitive):
    """Zero each number with probability ``rate`` in training; nothing in prediction."""

    rate: float
    computes: ClassVar[bool] = False


Primitive = (
    Product
    | StandardizeColumns
    | LeakColumns
    | LookUpColumns
    | NormalizeRows
    | ScaleColumns
    | BlendColumns
    | PeriodicColumns
    | Curve
    | Softmax
    | Dropout
)
