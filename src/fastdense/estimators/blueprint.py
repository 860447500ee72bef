"""From an estimator's parameters to what the engines are given: network, first weights, optimizer."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from fastdense import activations, optimizers
from fastdense.core.arrays import Array
from fastdense.core.spec import (
    ActivationSpec,
    AdamSpec,
    DenseSpec,
    DropoutSpec,
    LayerSpec,
    NetworkSpec,
    OptimizerSpec,
    Penalty,
    SGDSpec,
    trained_arrays,
)
from fastdense.estimators.parameters import ACTIVATION_NAMES, SharedParameters
from fastdense.optimizers import Optimizer

__all__ = [
    "Same",
    "Weights",
    "activation_spec",
    "check_combinations",
    "chosen_optimizer",
    "first_weights",
    "fitted_network",
    "flat",
    "grouped",
    "hidden_activations",
    "hidden_sizes",
    "network_spec",
    "optimizer_spec",
    "ungrouped",
]

Weights = tuple[list[Array], list[Array]]
"""Kernels and biases, one of each per layer: scikit-learn's ``coefs_`` and ``intercepts_``."""


class Same(tuple[Array, ...]):
    """Arrays, equal to others only if they are the same objects."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and len(self) == len(other) and all(map(operator.is_, self, other))


def hidden_sizes(parameters: SharedParameters) -> list[int]:
    """Return the units of every hidden layer.

    Raises
    ------
    ValueError
        They are not all whole numbers of at least 1.
    """
    given = parameters.hidden_layer_sizes
    sizes = list(given) if hasattr(given, "__iter__") else [given]
    if any(not isinstance(size, int | np.integer) or size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}: whole numbers, one per hidden layer.")
    return [int(size) for size in sizes]


def hidden_activations(parameters: SharedParameters, count: int) -> list[ActivationSpec]:
    """Return the activation of each of ``count`` hidden layers.

    Raises
    ------
    ValueError
        There are not as many as hidden layers, or one of them is unknown.
    """
    given = parameters.activation
    each = list(given) if isinstance(given, list | tuple) else [given] * count
    if len(each) != count:
        raise ValueError(
            f"activation names {len(each)} activations for {count} hidden layers: give one for each"
        )
    return [activation_spec(name) for name in each]


def activation_spec(name: Any) -> ActivationSpec:
    """Return the spec of an activation, by scikit-learn's name or ours."""
    return _named(name) if isinstance(name, str) else activations.get(name).spec


@cache
def _named(name: str) -> ActivationSpec:
    return activations.get(ACTIVATION_NAMES.get(name, name)).spec


def network_spec(
    parameters: SharedParameters, widths: Sequence[int], last: ActivationSpec, l2: float, dtype: str
) -> NetworkSpec:
    """Return the network: dense layers of these widths, dropout after the hidden ones.

    ``l2`` times the sum of the squared kernels is added to a step's loss (times the step's own factor).
    """
    shapes = list(pairwise(widths))
    layers: list[LayerSpec] = []
    curves = [*hidden_activations(parameters, len(shapes) - 1), last]
    for (n_in, n_units), activation in zip(shapes, curves, strict=True):
        layers.append(DenseSpec(n_in, n_units, activation, kernel_penalty=Penalty(l2=l2)))
        if parameters.dropout and len(layers) < 2 * len(shapes) - 1:
            layers.append(DropoutSpec(n_units, parameters.dropout, stream=len(layers)))
    return NetworkSpec(widths[0], tuple(layers), dtype)


def fitted_network(
    parameters: SharedParameters, n_in: int, coefs: Sequence[Array], last: ActivationSpec
) -> NetworkSpec:
    """Return the network that fitted kernels are of, as in prediction: without dropout and penalties."""
    curves = zip(coefs, [*hidden_activations(parameters, len(coefs) - 1), last], strict=True)
    layers = tuple(DenseSpec(coef.shape[0], coef.shape[1], curve) for coef, curve in curves)
    return NetworkSpec(n_in, layers, str(coefs[0].dtype))


def first_weights(
    parameters: SharedParameters, widths: Sequence[int], random_state: np.random.RandomState, dtype: str
) -> Weights:
    """Draw weights as scikit-learn does, in its order.

    Uniform within ``sqrt(6 / (n_in + n_units))``, or ``sqrt(2 / (n_in + n_units))`` if the hidden layers
    are logistic (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010), biases too.
    """
    shapes = list(pairwise(widths))
    names = [spec.name for spec in hidden_activations(parameters, len(shapes) - 1)]
    if names or isinstance(parameters.activation, list | tuple):
        last = [names[-1] if names else "linear"]
    else:
        last = [activation_spec(parameters.activation).name]  # it decides even if it is not used
    coefs, intercepts = [], []
    for (n_in, n_units), name in zip(shapes, [*names, *last], strict=True):
        bound = np.sqrt((2.0 if name == "sigmoid" else 6.0) / (n_in + n_units))
        coefs.append(random_state.uniform(-bound, bound, (n_in, n_units)).astype(dtype))
        intercepts.append(random_state.uniform(-bound, bound, n_units).astype(dtype))
    return coefs, intercepts


def flat(weights: Weights) -> list[Array]:
    """Return the arrays in the engines' order: each layer's kernel, then its biases."""
    return [array for pair in zip(*weights, strict=True) for array in pair]


def grouped(
    network: NetworkSpec, coefs: Sequence[Array], intercepts: Sequence[Array]
) -> list[tuple[Array, ...]]:
    """Return the weights as the engines take them: one tuple per layer."""
    pairs = iter(zip(coefs, intercepts, strict=True))
    return [next(pairs) if layer.is_trained else () for layer in network.layers]


def ungrouped(network: NetworkSpec, parameters: Sequence[Sequence[Array]]) -> Weights:
    """Return an engine's parameters as kernels and biases, read-only."""
    arrays = trained_arrays(network, parameters)
    for array in arrays:
        array.flags.writeable = False
    return arrays[::2], arrays[1::2]


def chosen_optimizer(parameters: SharedParameters) -> Optimizer | None:
    """Return the optimizer that stands in for the solver's, if any.

    Raises
    ------
    ValueError
        It cannot stand in for L-BFGS.
    """
    if parameters.optimizer is None:
        return None
    if parameters.solver == "lbfgs":
        raise ValueError("optimizer and solver='lbfgs' exclude each other: leave one of them out")
    return optimizers.get(parameters.optimizer)


def optimizer_spec(parameters: SharedParameters) -> OptimizerSpec:
    """Return the optimizer's spec.

    Raises
    ------
    ValueError
        Gradients would be clipped twice.
    """
    chosen, p = chosen_optimizer(parameters), parameters
    if chosen is not None:
        spec = chosen.spec()
    elif p.solver == "sgd":
        spec = SGDSpec(momentum=p.momentum, nesterov=p.nesterovs_momentum)
    else:
        spec = AdamSpec(beta_1=p.beta_1, beta_2=p.beta_2, epsilon=p.epsilon)
    if p.global_clipnorm is None:
        return spec
    if (spec.clipvalue, spec.clipnorm, spec.global_clipnorm) != (None, None, None):
        raise ValueError("the optimizer clips gradients already: leave global_clipnorm out, or its clipping")
    return replace(spec, global_clipnorm=p.global_clipnorm)


def check_combinations(parameters: SharedParameters) -> None:
    """Raise ValueError if parameters exclude each other."""
    optimizer_spec(parameters)
    if parameters.solver != "lbfgs":
        return
    if parameters.dropout:
        raise ValueError("dropout needs solver='adam' or 'sgd': L-BFGS needs a loss that stays the same")
    if parameters.global_clipnorm is not None:
        raise ValueError("global_clipnorm needs solver='adam' or 'sgd': L-BFGS chooses its own steps")
