"""A network as files hold it: what every reader returns, and every writer takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastdense.core.arrays import Array
from fastdense.core.spec import NetworkSpec
from fastdense.core.spec.lowering import Primitive
from fastdense.layers import Layer
from fastdense.layers.plan import plan
from fastdense.losses import Loss
from fastdense.optimizers import Optimizer
from fastdense.tables import Table

__all__ = ["Content", "Training"]


@dataclass(frozen=True)
class Training:
    """What a model was compiled with, and how far its training has come.

    Attributes
    ----------
    iterations : int
        Steps taken.
    slots : mapping of str to array
        The optimizer's arrays by name, ``slots/<parameter>/<slot>``.
    """

    loss: Loss
    optimizer: Optimizer
    metrics: Sequence[object] = ()
    weighted_metrics: Sequence[object] = ()
    iterations: int = 0
    slots: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """A model without its engine.

    Attributes
    ----------
    name : str
    layers : sequence of Layer
        Named and built, and part of no model in use.
    n_in : int
        Columns of the input.
    dtype : "float32" or "float64"
    seed : int or None
    table : Table or None
    training : Training or None
    """

    name: str
    layers: Sequence[Layer]
    n_in: int
    dtype: str
    seed: int | None = None
    table: Table | None = None
    training: Training | None = None

    @property
    def network(self) -> NetworkSpec:
        """What an engine computes."""
        return NetworkSpec(self.n_in, tuple(spec for _, spec in plan(self.layers)), self.dtype)

    @property
    def parameters(self) -> list[tuple[Array, ...]]:
        """The arrays that go with `network`, one tuple per layer of it."""
        return [layer.parameters(tuple(layer.weights)) for layer, _ in plan(self.layers)]

    @property
    def primitives(self) -> list[tuple[Primitive, ...]]:
        """What each layer of `network` comes down to, with its arrays."""
        return self.network.lower(self.parameters)

    def count_params(self) -> int:
        """Return how many numbers the layers' weights hold."""
        return sum(layer.count_params() for layer in self.layers)
