"""What the specs of layers are made of: activations, arrays and how training treats them, base classes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from fastdense.core.curves import CURVES
from fastdense.core.spec.lowering import Curve, Primitive, Softmax

__all__ = [
    "ACTIVATIONS",
    "ActivationSpec",
    "Factors",
    "Parameter",
    "Penalty",
    "group_slices",
]

ACTIVATIONS = tuple(CURVES)


@dataclass(frozen=True)
class ActivationSpec:
    """The function ``g`` in ``A_out = g(Z)``.

    ``alpha`` is the slope of ``leaky_relu`` below zero and the scale of ``elu``; the others ignore it.
    ``groups`` belongs to "softmax": the sizes of consecutive groups of columns (see `group_slices`), each of
    which is a separate softmax. If empty, the row is one group.
    """

    name: str = "linear"
    alpha: float = 0.0
    groups: tuple[int, ...] = ()

    def lower(self) -> tuple[Primitive, ...]:
        """Return the function as primitives: none for "linear"."""
        match self.name:
            case "linear":
                return ()
            case "softmax":
                return (Softmax(self.groups),)
            case _:
                return (Curve(self.name, self.alpha),)


@dataclass(frozen=True)
class Penalty:
    """A parameter's addition to the loss: ``l1 * sum(|w|) + l2 * sum(w**2)``."""

    l1: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True)
class Factors:
    """What the learning rate and the weight decay are multiplied by for one parameter."""

    rate: float = 1.0
    decay: float = 1.0


@dataclass(frozen=True)
class Parameter:
    """An array that goes with a layer: whether and how training changes it, and what it adds to the loss."""

    name: str
    shape: tuple[int, ...]
    trained: bool = True
    penalty: Penalty = Penalty()
    factors: Factors = Factors()


class LayerBase:
    parameters: tuple[Parameter, ...] = ()
    """The arrays that go with the layer, in order. An attribute: torch.compile traces no cached property."""
    takes_missing: int = 0
    """How many of its input's columns, from the first on, may hold NaN."""

    @property
    def kind(self) -> str:
        """What the layer is called: "dense" for a `DenseSpec`."""
        return type(self).__name__.removesuffix("Spec").lower()

    @property
    def is_trained(self) -> bool:
        """Whether training changes any of its arrays."""
        return any(parameter.trained for parameter in self.parameters)


@dataclass(frozen=True)
class Elementwise(LayerBase):
    n_in: int

    @property
    def n_units(self) -> int:
        """As many outputs as inputs."""
        return self.n_in


class Linear(Elementwise):
    @property
    def activation(self) -> ActivationSpec:
        """Linear: the layer has no activation."""
        return ActivationSpec()


class _Grouped(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def groups(self) -> tuple[int, ...]: ...


def group_slices(spec: _Grouped, columns: int) -> list[slice]:
    """Return the columns of each group that an activation or a loss cuts a row into.

    All of them together if it has no groups.

    Raises
    ------
    ValueError
        The groups have more or fewer columns in all than there are, or one has none.

    Examples
    --------
    >>> group_slices(ActivationSpec("softmax", groups=(3, 2)), 5)
    [slice(0, 3, None), slice(3, 5, None)]
    >>> group_slices(ActivationSpec("softmax"), 5)
    [slice(0, 5, None)]
    """
    if not spec.groups:
        return [slice(0, columns)]
    if min(spec.groups) < 1 or sum(spec.groups) != columns:
        raise ValueError(
            f"{spec.name} has groups of {spec.groups} columns, {sum(spec.groups)} in all, but gets {columns}"
        )
    ends = list(accumulate(spec.groups))
    return [slice(end - size, end) for size, end in zip(spec.groups, ends, strict=True)]
