"""The losses: each with its settings, and what it takes as targets."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Literal, TypeAlias, get_args

__all__ = [
    "LOSSES",
    "BinaryCrossentropySpec",
    "CategoricalCrossentropySpec",
    "HuberSpec",
    "LossSpec",
    "MeanAbsoluteErrorSpec",
    "MeanSquaredErrorSpec",
    "PoissonSpec",
    "QuantileSpec",
    "SparseCategoricalCrossentropySpec",
]


class _Loss:
    """What all losses have.

    Attributes
    ----------
    name : str
    targets : str
        What a row's targets are: "numbers", one per output; "chances", a probability per output; "one-hot",
        the probabilities of classes; "class numbers", the number of the class alone.
    lowest, highest : float
        What the targets lie between, if they are not class numbers.
    link : str or None
        The activation ``g`` that the loss takes in: with ``from_logits`` it reads ``z`` instead of ``g(z)``.
    """

    name: ClassVar[str]
    targets: ClassVar[Literal["numbers", "chances", "one-hot", "class numbers"]] = "numbers"
    lowest: ClassVar[float] = -inf
    highest: ClassVar[float] = inf
    link: ClassVar[str | None] = None

    @property
    def from_logits(self) -> bool:
        """Whether it reads ``z``."""
        return False

    @property
    def label_smoothing(self) -> float:
        """The share of every target that is spread evenly over all classes."""
        return 0.0

    @property
    def groups(self) -> tuple[int, ...]:
        """The groups of columns that a row is cut into; its loss is the sum of theirs."""
        return ()

    @property
    def is_of_classes(self) -> bool:
        """Whether the outputs of a group are probabilities of classes that exclude each other."""
        return self.targets in ("one-hot", "class numbers")


@dataclass(frozen=True, kw_only=True)
class BinaryCrossentropySpec(_Loss):
    """``mean(-y log(p) - (1 - y) log(1 - p))``."""

    name = "binary_crossentropy"
    targets = "chances"
    lowest, highest = 0.0, 1.0
    link = "sigmoid"
    from_logits: bool = False
    label_smoothing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CategoricalCrossentropySpec(_Loss):
    """``-sum(y log(p))`` of each group of columns (see `group_slices`)."""

    name = "categorical_crossentropy"
    targets = "one-hot"
    lowest, highest = 0.0, 1.0
    link = "softmax"
    from_logits: bool = False
    label_smoothing: float = 0.0
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SparseCategoricalCrossentropySpec(_Loss):
    """``-log(p[y])``."""

    name = "sparse_categorical_crossentropy"
    targets = "class numbers"
    link = "softmax"
    from_logits: bool = False
    label_smoothing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MeanSquaredErrorSpec(_Loss):
    """``mean((a - y)**2)``."""

    name = "mean_squared_error"


@dataclass(frozen=True, kw_only=True)
class MeanAbsoluteErrorSpec(_Loss):
    """``mean(|a - y|)``."""

    name = "mean_absolute_error"


@dataclass(frozen=True, kw_only=True)
class HuberSpec(_Loss):
    """Half the square of an error up to ``delta``, a straight line beyond."""

    name = "huber"
    delta: float = 1.0


@dataclass(frozen=True, kw_only=True)
class PoissonSpec(_Loss):
    """``mean(a - y log(a))``."""

    name = "poisson"
    lowest = 0.0
    link = "exponential"
    from_logits: bool = False


@dataclass(frozen=True, kw_only=True)
class QuantileSpec(_Loss):
    """``mean(max(q (y - a), (q - 1) (y - a)))`` with ``q`` the ``quantile``."""

    name = "quantile"
    quantile: float = 0.5


LossSpec: TypeAlias = (
    BinaryCrossentropySpec
    | CategoricalCrossentropySpec
    | SparseCategoricalCrossentropySpec
    | MeanSquaredErrorSpec
    | MeanAbsoluteErrorSpec
    | HuberSpec
    | PoissonSpec
    | QuantileSpec
)
LOSSES: dict[str, Any] = {kind.name: kind for kind in get_args(LossSpec)}
"""Every loss by its name."""
