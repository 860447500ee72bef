"""A network, how it is trained, and what goes with both: its arrays in order, and what a loss reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fastdense.core.spec.layers import DropoutSpec, LayerSpec
from fastdense.core.spec.losses import LossSpec
from fastdense.core.spec.lowering import Primitive
from fastdense.core.spec.optimizers import OptimizerSpec
from fastdense.core.spec.parts import Parameter, group_slices

__all__ = [
    "NetworkSpec",
    "TrainingSpec",
    "check_parameters",
    "loss_of_logits",
    "loss_reads_logits",
    "trained_arrays",
    "with_dropout",
    "with_trained",
]


@dataclass(frozen=True)
class NetworkSpec:
    """Layers in order, for inputs of ``n_in`` columns, computed in ``dtype`` ("float32" or "float64")."""

    n_in: int
    layers: tuple[LayerSpec, ...]
    dtype: str = "float32"
    trained: tuple[Parameter, ...] = field(init=False, compare=False, repr=False)
    """The trained parameters."""

    def __post_init__(self) -> None:
        """Collect the trained parameters."""
        trained = tuple(p for layer in self.layers for p in layer.parameters if p.trained)
        object.__setattr__(self, "trained", trained)

    @property
    def n_out(self) -> int:
        """The width of the network's output."""
        return self.layers[-1].n_units if self.layers else self.n_in

    def lower(self, parameters: Sequence[Sequence[Any]]) -> list[tuple[Primitive, ...]]:
        """Return each layer's primitives, with its arrays in them; see ``fastdense.core.spec.lowering``."""
        return [layer.lower(*own) for layer, own in zip(self.layers, parameters, strict=True)]


@dataclass(frozen=True)
class TrainingSpec:
    """What training needs beside the network; ``seed`` is the key of the dropout masks."""

    loss: LossSpec
    optimizer: OptimizerSpec
    seed: int = 0


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


def with_dropout(network: NetworkSpec, rates: Mapping[int, float]) -> NetworkSpec:
    """Return the network with other rates of dropout layers, by their ``stream``; the others keep theirs."""
    if not rates:
        return network
    layers = [
        replace(layer, rate=rates.get(layer.stream, layer.rate)) if isinstance(layer, DropoutSpec) else layer
        for layer in network.layers
    ]
    return replace(network, layers=tuple(layers))


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


def loss_reads_logits(network: NetworkSpec, loss: LossSpec) -> bool:
    """Return True if the loss is computed from the last layer's ``Z`` and not from its ``A_out``.

    A cross-entropy of a sigmoid or softmax is, for stability: ``log(sigmoid(z))`` underflows where the
    same number written as ``-softplus(-z)`` does not. So is the Poisson loss of an exponential, in which
    ``log(exp(z))`` is ``z``: it needs no logarithm, and its gradient ``exp(z) - y`` no division. A softmax
    and a cross-entropy must have the same groups: of others, no logit belongs to one probability alone.
    """
    last = network.layers[-1] if network.layers else None
    if last is None or loss.from_logits or last.activation.name != loss.link:
        return False
    return group_slices(last.activation, last.n_units) == group_slices(loss, last.n_units)


def loss_of_logits(loss: LossSpec) -> LossSpec:
    """Return the loss that reads ``z`` instead of its link's value of ``z``."""
    linked: Any = loss
    found: LossSpec = replace(linked, from_logits=True)
    return found
