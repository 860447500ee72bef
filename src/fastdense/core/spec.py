"""What an engine is told: a network, its loss and its optimizer, as plain frozen data.

Every engine compiles from these and nothing else, so an engine never sees a layer object, a callback or
an estimator. Every room may import this module.

Parameters travel beside the specs, as one tuple of arrays per layer, in the order in which the layer's spec
declares them (`DenseSpec.parameters`). "The trained parameters" are those declared as trained, in the order
of the layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from fastdense.core.curves import CURVES

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "OPTIMIZERS",
    "ActivateSpec",
    "ActivationSpec",
    "DenseSpec",
    "DropoutSpec",
    "LayerSpec",
    "LossSpec",
    "NetworkSpec",
    "OptimizerSpec",
    "Parameter",
    "Penalty",
    "ScaleSpec",
    "TrainingSpec",
    "check_parameters",
    "group_slices",
    "loss_reads_logits",
    "slot_names",
    "trained_arrays",
    "with_trained",
]

ACTIVATIONS = tuple(CURVES)
LOSSES = (
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "mean_squared_error",
    "mean_absolute_error",
    "huber",
    "poisson",
    "quantile",
)
OPTIMIZERS = ("sgd", "rmsprop", "adagrad", "adam")


@dataclass(frozen=True)
class ActivationSpec:
    """The function ``g`` in ``A_out = g(Z)``.

    ``alpha`` is the slope of ``leaky_relu`` below zero and the scale of ``elu``; the others ignore it.
    ``groups`` is of "softmax": a row is cut into consecutive groups of so many columns (see `group_slices`),
    and each is a softmax of its own. Without them the row is one group.
    """

    name: str = "linear"
    alpha: float = 0.0
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class Penalty:
    """A parameter's addition to the loss: ``l1 * sum(|w|) + l2 * sum(w**2)``."""

    l1: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True)
class Parameter:
    """An array that goes with a layer: whether training changes it, and what it adds to the loss."""

    name: str
    shape: tuple[int, ...]
    trained: bool = True
    penalty: Penalty = Penalty()


class _Layer:
    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The arrays that go with the layer, in order; none unless it says otherwise."""
        return ()

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


@dataclass(frozen=True)
class DenseSpec(_Layer):
    """``A_out = g(A_in @ W + B)``."""

    n_in: int
    n_units: int
    activation: ActivationSpec = ActivationSpec()
    use_bias: bool = True
    kernel_penalty: Penalty = Penalty()
    bias_penalty: Penalty = Penalty()

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """``W``, of shape (n_in, n_units), and ``B``, of shape (n_units,), if there is a bias."""
        kernel = Parameter("kernel", (self.n_in, self.n_units), penalty=self.kernel_penalty)
        return (kernel, Parameter("bias", (self.n_units,), penalty=self.bias_penalty))[: 1 + self.use_bias]


@dataclass(frozen=True)
class DropoutSpec(_Elementwise):
    """In training, zero each input with probability ``rate`` and divide the kept ones by ``1 - rate``.

    ``stream`` is the second word of the mask's Philox counter: the layer's place in the model.
    """

    rate: float
    stream: int


@dataclass(frozen=True)
class ScaleSpec(_Elementwise):
    """``A_out = (A_in - mean) / deviation``, with fixed parameters."""

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """``mean`` and ``deviation``, of shape (n_in,)."""
        return tuple(Parameter(name, (self.n_in,), trained=False) for name in ("mean", "deviation"))


@dataclass(frozen=True)
class ActivateSpec(_Elementwise):
    """``A_out = g(A_in)``: an activation that no dense layer could take in."""

    activation: ActivationSpec


LayerSpec = DenseSpec | DropoutSpec | ScaleSpec | ActivateSpec


@dataclass(frozen=True)
class NetworkSpec:
    """Layers in order, for inputs of ``n_in`` columns, computed in ``dtype`` ("float32" or "float64")."""

    n_in: int
    layers: tuple[LayerSpec, ...]
    dtype: str = "float32"

    @property
    def n_out(self) -> int:
        """The width of the network's output."""
        return self.layers[-1].n_units if self.layers else self.n_in

    @cached_property
    def trained(self) -> tuple[Parameter, ...]:
        """The trained parameters."""
        return tuple(p for layer in self.layers for p in layer.parameters if p.trained)


@dataclass(frozen=True)
class LossSpec:
    """One of `LOSSES`; the fields a loss has no use for are ignored.

    With ``from_logits`` a loss reads ``z`` where it would otherwise read ``g(z)``: ``g`` is the sigmoid for
    the binary cross-entropy, softmax for the categorical ones, the exponential for "poisson". ``delta`` is
    of "huber", ``quantile`` of "quantile". ``groups`` is of "categorical_crossentropy": a row is cut into
    groups as a softmax's (see `ActivationSpec`), and its loss is the sum of theirs.
    """

    name: str
    from_logits: bool = False
    label_smoothing: float = 0.0
    delta: float = 1.0
    quantile: float = 0.5
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class OptimizerSpec:
    """One of `OPTIMIZERS` with its constants; the learning rate comes with every step.

    ``weight_decay`` is decoupled: ``w -= learning_rate * weight_decay * w`` before the update, on every
    trainable parameter. AdamW is "adam" with a weight decay. At most one of the three clippings is set.
    """

    name: str
    momentum: float = 0.0
    nesterov: bool = False
    rho: float = 0.9
    centered: bool = False
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    amsgrad: bool = False
    initial_accumulator_value: float = 0.1
    weight_decay: float = 0.0
    clipvalue: float | None = None
    clipnorm: float | None = None
    global_clipnorm: float | None = None


@dataclass(frozen=True)
class TrainingSpec:
    """What training needs beside the network; ``seed`` is the key of the dropout masks."""

    loss: LossSpec
    optimizer: OptimizerSpec
    seed: int = 0


def slot_names(optimizer: OptimizerSpec) -> tuple[str, ...]:
    """Return the names of the arrays that the optimizer keeps for each trainable parameter, in order."""
    momentum = ("momentum",) if optimizer.momentum > 0 else ()
    match optimizer.name:
        case "sgd":
            return momentum
        case "rmsprop":
            return ("velocity", *(("average",) if optimizer.centered else ()), *momentum)
        case "adagrad":
            return ("accumulator",)
        case "adam":
            return ("m", "v", *(("v_max",) if optimizer.amsgrad else ()))
    raise ValueError(f"unknown optimizer {optimizer.name!r}; known: {', '.join(OPTIMIZERS)}")


def trained_arrays(network: NetworkSpec, parameters: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the arrays of the trained parameters, in order."""
    return [
        array
        for layer, arrays in zip(network.layers, parameters, strict=True)
        for parameter, array in zip(layer.parameters, arrays, strict=True)
        if parameter.trained
    ]


def with_trained(
    network: NetworkSpec, parameters: Sequence[Sequence[Any]], arrays: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Return the parameters with the trained ones replaced, the inverse of `trained_arrays`."""
    new = iter(arrays)
    return [
        tuple(next(new) if p.trained else array for p, array in zip(layer.parameters, own, strict=True))
        for layer, own in zip(network.layers, parameters, strict=True)
    ]


def check_parameters(network: NetworkSpec, parameters: Sequence[Sequence[Any]]) -> None:
    """Raise ValueError unless the layers fit one another, and arrays of their shapes come with them.

    Compiled code trusts both: it would read and write past an array's end.
    """
    if len(parameters) != len(network.layers):
        raise ValueError(f"{len(network.layers)} layers take as many tuples of arrays, got {len(parameters)}")
    width = network.n_in
    for i, (layer, arrays) in enumerate(zip(network.layers, parameters, strict=True)):
        if layer.n_in != width:
            raise ValueError(f"layer {i} takes {layer.n_in} columns, but is given {width}")
        shapes, expected = [tuple(array.shape) for array in arrays], [p.shape for p in layer.parameters]
        if shapes != expected:
            raise ValueError(f"layer {i} has arrays of the shapes {expected}, got {shapes}")
        width = layer.n_units


_GROUPED = ("softmax", "categorical_crossentropy")


def group_slices(spec: ActivationSpec | LossSpec, columns: int) -> list[slice]:
    """Return the columns of each group that an activation or a loss cuts a row into.

    All of them together where it has no groups, or is none of those that take any.

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
    if not spec.groups or spec.name not in _GROUPED:
        return [slice(0, columns)]
    if min(spec.groups) < 1 or sum(spec.groups) != columns:
        raise ValueError(
            f"{spec.name} has groups of {spec.groups} columns, {sum(spec.groups)} in all, but gets {columns}"
        )
    ends = list(accumulate(spec.groups))
    return [slice(end - size, end) for size, end in zip(spec.groups, ends, strict=True)]


_FUSED = {
    ("sigmoid", "binary_crossentropy"),
    ("softmax", "categorical_crossentropy"),
    ("softmax", "sparse_categorical_crossentropy"),
    ("exponential", "poisson"),
}


def loss_reads_logits(network: NetworkSpec, loss: LossSpec) -> bool:
    """Say whether the loss is computed from the last layer's ``Z`` and not from its ``A_out``.

    A cross-entropy of a sigmoid or softmax is, for stability: ``log(sigmoid(z))`` underflows where the
    same number written as ``-softplus(-z)`` does not. So is the Poisson loss of an exponential, in which
    ``log(exp(z))`` is ``z``: it needs no logarithm, and its gradient ``exp(z) - y`` no division. A softmax
    and a cross-entropy must have the same groups: of others, no logit belongs to one probability alone.
    """
    last = network.layers[-1] if network.layers else None
    if loss.from_logits or not isinstance(last, DenseSpec | ActivateSpec):
        return False
    fits = (last.activation.name, loss.name) in _FUSED
    return fits and group_slices(last.activation, last.n_units) == group_slices(loss, last.n_units)
