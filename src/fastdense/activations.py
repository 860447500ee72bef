"""The activations as objects: by name, with a parameter, callable on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastdense import engines
from fastdense.core.checks import above_zero, from_zero, one_of, sizes
from fastdense.core.config import Configurable
from fastdense.core.curves import CURVES
from fastdense.core.parameters import Converted, parameter
from fastdense.core.spec import ActivationSpec
from fastdense.errors import ShapeError

__all__ = [
    "ActivationFunction",
    "celu",
    "elu",
    "exponential",
    "gelu",
    "gelu_tanh",
    "get",
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

_SYNONYMS = {synonym: curve.name for curve in CURVES.values() for synonym in curve.synonyms}


class ActivationFunction(Configurable):
    """An activation ``g``, applied elementwise (softmax: to each row, or to each group of a row's columns).

    Examples
    --------
    >>> import fastdense as fd
    >>> fd.activations.relu([[-1.0, 2.0]])
    array([[0., 2.]])
    >>> gentle = fd.activations.ActivationFunction("leaky_relu", 0.01)
    >>> gentle([[-1.0, 2.0]])
    array([[-0.01,  2.  ]])
    >>> colour_and_size = fd.activations.ActivationFunction("softmax", groups=(3, 2))
    >>> colour_and_size([[5.0, 5.0, -1000.0, 0.0, 0.0]])
    array([[0.5, 0.5, 0. , 0.5, 0.5]])
    """

    name: str = parameter(
        lambda _, name: one_of("activation", _SYNONYMS.get(str(name), name), tuple(CURVES)),
        """The name of one of this module's functions, such as "relu"; "swish", "hard_swish", "identity" are
        synonyms of "silu", "hard_silu" and "linear".""",
    )
    alpha: float | None = parameter(
        lambda _, alpha: alpha,
        """The slope of "leaky_relu" for negative inputs (0.2) or the scale of "elu" and "celu" (1.0).""",
        default=None,
    )
    groups: Converted[Sequence[int], tuple[int, ...]] = parameter(
        sizes,
        """Of "softmax": the columns of each group that a row is cut into, from the first column to the last.
        With ``G`` the group of column ``i``, ``a_i = exp(z_i) / sum(exp(z_j) for j in G)``: each group is a
        distribution of its own, for a classifier with several answers. Empty is one group of all columns.""",
        default=(),
        kind="tuple of int",
        later=True,
    )

    def __post_init__(self) -> None:
        curve = CURVES[self.name]
        if self.alpha is not None and curve.alpha is None:
            raise ValueError(f"the activation {self.name!r} has no parameter alpha")
        check = above_zero if curve.divides else from_zero
        self.alpha = curve.alpha if self.alpha is None else check(f"alpha of {self.name}", self.alpha)
        if self.groups and self.name != "softmax":
            raise ValueError(f"the activation {self.name!r} has no groups: each number is on its own")

    def shorthand(self) -> str | None:
        """Return the name if the parameter is at its default and there are no groups."""
        return self.name if self.alpha == CURVES[self.name].alpha and not self.groups else None

    def check_columns(self, columns: int, owner: str) -> None:
        """Raise ShapeError unless the groups, if any, have ``columns`` columns in all."""
        if self.groups and sum(self.groups) != columns:
            raise ShapeError(
                f"the softmax's groups {self.groups} have {sum(self.groups)} columns in all, but {owner} has "
                f"{columns}: they must be as many"
            )

    @property
    def spec(self) -> ActivationSpec:
        """The activation as engines take it."""
        return ActivationSpec(self.name, self.alpha or 0.0, self.groups)

    def __call__(self, x: ArrayLike) -> NDArray[Any]:
        """Return ``g(x)`` for an array (or nested list) of any shape, in its own floating dtype."""
        values = np.asarray(x)
        self.check_columns(values.shape[-1] if values.ndim else 1, "the array")
        return engines.activate(self.spec, values if values.dtype.kind == "f" else values.astype(np.float64))


linear = ActivationFunction("linear")
sigmoid = ActivationFunction("sigmoid")
tanh = ActivationFunction("tanh")
relu = ActivationFunction("relu")
leaky_relu = ActivationFunction("leaky_relu")
elu = ActivationFunction("elu")
celu = ActivationFunction("celu")
selu = ActivationFunction("selu")
gelu = ActivationFunction("gelu")
gelu_tanh = ActivationFunction("gelu_tanh")
silu = ActivationFunction("silu")
mish = ActivationFunction("mish")
softplus = ActivationFunction("softplus")
exponential = ActivationFunction("exponential")
relu6 = ActivationFunction("relu6")
hard_sigmoid = ActivationFunction("hard_sigmoid")
hard_silu = ActivationFunction("hard_silu")
softsign = ActivationFunction("softsign")
softmax = ActivationFunction("softmax")


def get(identifier: object) -> ActivationFunction:
    """Return an activation from its name, its description or itself; None means linear.

    Raises
    ------
    ValueError
        No activation has the name.
    TypeError
        It is a function of the caller's: the engines know no derivative of it.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, ActivationFunction):
        return identifier
    if isinstance(identifier, str):
        return ActivationFunction(identifier)
    if isinstance(identifier, dict) and identifier.get("class_name") == ActivationFunction.__name__:
        return ActivationFunction.from_config(identifier.get("config"))
    raise TypeError(
        f"an activation is a name ({', '.join(CURVES)}) or an object of fastdense.activations, "
        f"got {identifier!r:.200}"
    )
