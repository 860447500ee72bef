"""The layers of a network: their sizes, their arrays, and the primitives that they come down to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    StandardizeColumns,
)
from fastdense.core.spec.parts import (
    ActivationSpec,
    Elementwise,
    Factors,
    LayerBase,
    Linear,
    Parameter,
    Penalty,
)

__all__ = [
    "ActivateSpec",
    "CategoryEmbeddingSpec",
    "DenseSpec",
    "DropoutSpec",
    "FeatureScaleSpec",
    "LayerNormSpec",
    "LayerSpec",
    "PReLUSpec",
    "ParametricActivationSpec",
    "PeriodicEmbeddingSpec",
    "ScaleSpec",
]


@dataclass(frozen=True)
class DenseSpec(LayerBase):
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
class DropoutSpec(Linear):
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
class ScaleSpec(Linear):
    """``A_out = (A_in - mean) / deviation``, with fixed parameters."""

    def __post_init__(self) -> None:
        """Set the parameters: ``mean`` and ``deviation``, of shape (n_in,)."""
        mean, deviation = (Parameter(name, (self.n_in,), trained=False) for name in ("mean", "deviation"))
        object.__setattr__(self, "parameters", (mean, deviation))

    def lower(self, mean: Any, deviation: Any) -> tuple[Primitive, ...]:
        """Return a standardisation."""
        return (StandardizeColumns(mean, deviation),)


@dataclass(frozen=True)
class ActivateSpec(Elementwise):
    """``A_out = g(A_in)``: an activation that no dense layer could take in."""

    activation: ActivationSpec

    def lower(self) -> tuple[Primitive, ...]:
        """Return what its activation is."""
        return self.activation.lower()


@dataclass(frozen=True)
class PReLUSpec(Linear):
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
class LayerNormSpec(Linear):
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
class CategoryEmbeddingSpec(Linear):
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
class FeatureScaleSpec(Linear):
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
class ParametricActivationSpec(Linear):
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
class PeriodicEmbeddingSpec(LayerBase):
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
