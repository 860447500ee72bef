"""The layers of a network, and the activations and arrays that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

from fastdense.core.curves import CURVES
from fastdense.core.spec.lowering import (
    BlendColumns,
    Curve,
    Dropout,
    LeakColumns,
    LookUpColumns,
    NormalizeRows,
    PeriodicColumns,
    Primitive,
    Product,
    ScaleColumns,
    Softmax,
    StandardizeColumns,
)

__all__ = [
    "ACTIVATIONS",
    "ActivateSpec",
    "ActivationSpec",
    "CategoryEmbeddingSpec",
    "DenseSpec",
    "DropoutSpec",
    "Factors",
    "FeatureScaleSpec",
    "LayerNormSpec",
    "LayerSpec",
    "PReLUSpec",
    "Parameter",
    "ParametricActivationSpec",
    "Penalty",
    "PeriodicEmbeddingSpec",
    "ScaleSpec",
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


class _Layer:
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
class _Elementwise(_Layer):
    n_in: int

    @property
    def n_units(self) -> int:
        """As many outputs as inputs."""
        return self.n_in


class _Linear(_Elementwise):
    @property
    def activation(self) -> ActivationSpec:
        """Linear: the layer has no activation."""
        return ActivationSpec()


@dataclass(frozen=True)
class DenseSpec(_Layer):
    """``A_out = g(A_in @ W + B)``."""

    n_in: int
    n_units: int
    activation: ActivationSpec = ActivationSpec()
    use_bias: bool = True
    kernel_penalty: Penalty = Penalty()
    bias_penalty: Penalty = Penalty()
    kernel_factors: Factors = Factors()
    bias_factors: Factors = Factors()

    def __post_init__(self) -> None:
        """Set the parameters: ``W``, of shape (n_in, n_units), and, if used, ``B``, of shape (n_units,)."""
        shape = (self.n_in, self.n_units)
        kernel = Parameter("kernel", shape, True, self.kernel_penalty, self.kernel_factors)
        bias = Parameter("bias", shape[1:], True, self.bias_penalty, self.bias_factors)
        object.__setattr__(self, "parameters", (kernel, bias) if self.use_bias else (kernel,))

    def lower(self, W: Any, B: Any | None = None) -> tuple[Primitive, ...]:
        """Return a product, and what its activation is."""
        return Product(W, B), *self.activation.lower()


@dataclass(frozen=True)
class DropoutSpec(_Linear):
    """In training, zero each input with probability ``rate`` and divide the kept ones by ``1 - rate``.

    ``stream`` is the second word of the mask's Philox counter: the layer's place in the model, by which
    `fastdense.engines.Batches` may give it another rate at each step.
    """

    rate: float
    stream: int

    def lower(self) -> tuple[Primitive, ...]:
        """Return a dropout."""
        return (Dropout(self.rate),)


@dataclass(frozen=True)
class ScaleSpec(_Linear):
    """``A_out = (A_in - mean) / deviation``, with fixed parameters."""

    def __post_init__(self) -> None:
        """Set the parameters: ``mean`` and ``deviation``, of shape (n_in,)."""
        mean, deviation = (Parameter(name, (self.n_in,), trained=False) for name in ("mean", "deviation"))
        object.__setattr__(self, "parameters", (mean, deviation))

    def lower(self, mean: Any, deviation: Any) -> tuple[Primitive, ...]:
        """Return a standardisation."""
        return (StandardizeColumns(mean, deviation),)


@dataclass(frozen=True)
class ActivateSpec(_Elementwise):
    """``A_out = g(A_in)``: an activation that no dense layer could take in."""

    activation: ActivationSpec

    def lower(self) -> tuple[Primitive, ...]:
        """Return what its activation is."""
        return self.activation.lower()


@dataclass(frozen=True)
class PReLUSpec(_Linear):
    """``A_in`` above zero, otherwise ``alpha * A_in``, with a trained slope ``alpha`` per column."""

    alpha_penalty: Penalty = Penalty()
    alpha_factors: Factors = Factors()

    def __post_init__(self) -> None:
        """Set the parameter: ``alpha``, of shape (n_in,)."""
        alpha = Parameter("alpha", (self.n_in,), True, self.alpha_penalty, self.alpha_factors)
        object.__setattr__(self, "parameters", (alpha,))

    def lower(self, alpha: Any) -> tuple[Primitive, ...]:
        """Return a leak."""
        return (LeakColumns(alpha),)


@dataclass(frozen=True)
class LayerNormSpec(_Linear):
    """Each row less its mean, divided by its deviation, times ``gamma`` plus ``beta``, one per column each.

    The deviation is the root of the row's variance and ``epsilon``. There is a ``gamma`` if it scales, and a
    ``beta`` if it centers.
    """

    epsilon: float
    scale: bool = True
    center: bool = True
    gamma_penalty: Penalty = Penalty()
    beta_penalty: Penalty = Penalty()
    gamma_factors: Factors = Factors()
    beta_factors: Factors = Factors()

    def __post_init__(self) -> None:
        """Set the parameters, each of shape (n_in,)."""
        gamma = Parameter("gamma", (self.n_in,), True, self.gamma_penalty, self.gamma_factors)
        beta = Parameter("beta", (self.n_in,), True, self.beta_penalty, self.beta_factors)
        parameters = (gamma,) * self.scale + (beta,) * self.center
        object.__setattr__(self, "parameters", parameters)

    def named(self, arrays: Sequence[Any]) -> tuple[Any | None, Any | None]:
        """Return ``gamma`` and ``beta`` of the layer's arrays, None for one that it lacks."""
        return (arrays[0] if self.scale else None), (arrays[-1] if self.center else None)

    def lower(self, *arrays: Any) -> tuple[Primitive, ...]:
        """Return a normalisation of rows."""
        return (NormalizeRows(*self.named(arrays), self.epsilon, self.n_in),)


@dataclass(frozen=True)
class CategoryEmbeddingSpec(_Linear):
    """The last ``len(sizes)`` columns, which hold category numbers, as ``width`` trained numbers each.

    The columns before them pass, and come first. Column ``i`` of the others has the categories ``0, 1, ...
    sizes[i] - 1``, and whatever else it holds, NaN too, counts as category 0.
    """

    sizes: tuple[int, ...]
    width: int
    embeddings_factors: Factors = Factors()

    def __post_init__(self) -> None:
        """Set the parameter: ``embeddings``, of shape (sum(sizes), width), a row per category."""
        if not 0 < len(self.sizes) <= self.n_in or min(*self.sizes, self.width) < 1:
            raise ValueError(f"{self.n_in} columns have no categories {self.sizes} of {self.width} numbers")
        shape = (sum(self.sizes), self.width)
        embeddings = Parameter("embeddings", shape, factors=self.embeddings_factors)
        object.__setattr__(self, "parameters", (embeddings,))

    @property
    def passed(self) -> int:
        """The number of columns that pass."""
        return self.n_in - len(self.sizes)

    @property
    def n_units(self) -> int:
        """The columns that pass, and ``width`` for each of the others."""
        return self.passed + len(self.sizes) * self.width

    def lower(self, embeddings: Any) -> tuple[Primitive, ...]:
        """Return a look-up."""
        return (LookUpColumns(self.passed, self.sizes, embeddings),)


@dataclass(frozen=True)
class FeatureScaleSpec(_Linear):
    """``A_in * scale``, with a trained factor ``scale`` per column.

    A factor of 0 makes 0, even of an infinite number; NaN stays.
    """

    scale_penalty: Penalty = Penalty()
    scale_factors: Factors = Factors()

    def __post_init__(self) -> None:
        """Set the parameter: ``scale``, of shape (n_in,)."""
        scale = Parameter("scale", (self.n_in,), True, self.scale_penalty, self.scale_factors)
        object.__setattr__(self, "parameters", (scale,))

    def lower(self, scale: Any) -> tuple[Primitive, ...]:
        """Return a scaling."""
        return (ScaleColumns(scale),)


@dataclass(frozen=True)
class ParametricActivationSpec(_Linear):
    """``A_in + alpha * (g(A_in) - A_in)``, with a trained ``alpha`` per column; ``g`` is the ``curve``.

    Computed as ``(1 - alpha) * A_in + alpha * g(A_in)``, in which a factor of 0 makes 0, even of an infinite
    number: an ``alpha`` of 1 gives ``g(A_in)`` and one of 0 gives ``A_in``; NaN stays.
    """

    curve: ActivationSpec
    alpha_penalty: Penalty = Penalty()
    alpha_factors: Factors = Factors()

    def __post_init__(self) -> None:
        """Set the parameter: ``alpha``, of shape (n_in,)."""
        alpha = Parameter("alpha", (self.n_in,), True, self.alpha_penalty, self.alpha_factors)
        object.__setattr__(self, "parameters", (alpha,))

    def lower(self, alpha: Any) -> tuple[Primitive, ...]:
        """Return a blend with its curve."""
        return (BlendColumns(alpha, Curve(self.curve.name, self.curve.alpha)),)


@dataclass(frozen=True)
class PeriodicEmbeddingSpec(_Layer):
    """The first ``columns`` columns as ``width`` numbers each, and behind them the others as they are.

    Those of a column ``x`` are ``cos(2 pi frequency x + phase) @ kernel + bias``, ``width - 1`` sums over
    ``frequencies`` cosines, and then ``x``; all are the column's ``missing`` if ``x`` is NaN.
    """

    n_in: int
    columns: int
    frequencies: int
    width: int
    factors: Factors = Factors()

    def __post_init__(self) -> None:
        """Set the parameters, each with one row per embedded column."""
        sums = self.width - 1
        shapes = {
            "frequency": (self.frequencies,),
            "phase": (self.frequencies,),
            "kernel": (self.frequencies, sums),
            "bias": (sums,),
            "missing": (self.width,),
        }
        parameters = [
            Parameter(name, (self.columns, *shape), factors=self.factors) for name, shape in shapes.items()
        ]
        object.__setattr__(self, "parameters", tuple(parameters))
        object.__setattr__(self, "takes_missing", self.columns)

    @property
    def n_units(self) -> int:
        """``width`` outputs for each embedded column, and one for each of the others."""
        return self.n_in + self.columns * (self.width - 1)

    @property
    def activation(self) -> ActivationSpec:
        """Linear: the layer has no activation."""
        return ActivationSpec()

    def lower(
        self, frequency: Any, phase: Any, kernel: Any, bias: Any, missing: Any
    ) -> tuple[Primitive, ...]:
        """Return an embedding."""
        passed = self.n_in - self.columns
        return (PeriodicColumns(frequency, phase, kernel, bias, missing, passed),)


LayerSpec = (
    DenseSpec
    | DropoutSpec
    | ScaleSpec
    | ActivateSpec
    | PReLUSpec
    | LayerNormSpec
    | CategoryEmbeddingSpec
    | FeatureScaleSpec
    | ParametricActivationSpec
    | PeriodicEmbeddingSpec
)


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
