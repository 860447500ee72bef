"""What each of PyTorch's modules, and each function that does the same, adds to a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn

from fastdense.activations import ActivationFunction
from fastdense.core.curves import CURVES
from fastdense.errors import FormatError
from fastdense.exchange.chain import Chain
from fastdense.exchange.limits import between, limit
from fastdense.exchange.torch import modules
from fastdense.exchange.torch.parts import SMALLEST_DEVIATION, as_array, normalised
from fastdense.layers import (
    Activation,
    CategoryEmbedding,
    FeatureScale,
    LayerNormalization,
    Normalization,
    ParametricActivation,
    PeriodicEmbedding,
)

__all__ = ["ELEMENTWISE_MODULES", "SUPPORTED", "TAKES", "array_of"]


def _refuse(why: str) -> NoReturn:
    raise FormatError(why)


def array_of(tensor: torch.Tensor) -> Any:
    """Return a tensor's numbers; FormatError if it has none."""
    if tensor.is_meta:
        _refuse("its weights are not there yet: run the module once, or load them")
    return as_array(tensor)


def _linear(chain: Chain, module: Any) -> None:
    bias = None if module.bias is None else array_of(module.bias)
    chain.dense(np.ascontiguousarray(array_of(module.weight).T), bias)


def _batch_norm(chain: Chain, module: Any) -> None:
    """Fold ``(x - mean) / sqrt(variance + eps) * weight + bias``."""
    if module.running_mean is None or module.running_var is None:
        _refuse("it has no running statistics, so a row's outputs depend on the rows beside it")
    statistics = array_of(module.running_mean), array_of(module.running_var)
    weight, bias = (None if t is None else array_of(t) for t in (module.weight, module.bias))
    chain.scale(*normalised(*statistics, weight, bias, module.eps))


def _normalization(chain: Chain, module: Any) -> None:
    mean, deviation = (array_of(t).astype(np.float64) for t in (module.mean, module.deviation))
    if not (np.isfinite([mean, deviation]).all() and (deviation >= SMALLEST_DEVIATION).all()):
        _refuse(f"its mean and deviation must be finite, the deviation at least {SMALLEST_DEVIATION}")
    chain.add(Normalization(), [mean, deviation**2, np.zeros((), np.int32)], len(mean))


def _flatten(chain: Chain, module: Any) -> None:
    if module.start_dim != 1 or module.end_dim not in (-1, 1):
        _refuse("only the whole of each example can be flattened: start_dim=1, end_dim=-1")


def _activation(module: Any) -> ActivationFunction | str:
    """Return the activation of a module that has arguments."""
    match module:
        case nn.GELU():
            return "gelu_tanh" if module.approximate == "tanh" else "gelu"
        case nn.Softmax():
            return (
                "softmax" if module.dim in (-1, 1) else _refuse("a Softmax goes over the last axis: dim=-1")
            )
    return ActivationFunction("softmax", groups=module.groups)


def _with_alpha(chain: Chain, module: Any) -> None:
    curve = WITH_ALPHA[type(module)]
    chain.activate(ActivationFunction(curve.name, getattr(module, curve.torch.alpha)))


def _softplus(chain: Chain, module: Any) -> None:
    """``softplus(beta * x) / beta``."""
    if not module.beta > 0 or module.threshold < 20:
        _refuse("its beta must be positive, the threshold at least 20")
    between(chain, (module.beta, 0.0), "softplus", (1.0 / module.beta, 0.0))


def _log_softmax(chain: Any, module: Any) -> None:
    if module.dim not in (-1, 1):
        _refuse("a LogSoftmax goes over the last axis: dim=-1")
    chain.log_softmax()


def _prelu(chain: Chain, module: Any) -> None:
    slopes = array_of(module.weight)
    chain.leak(slopes.reshape(()) if slopes.size == 1 else slopes, chain.width)


def _layer_norm(chain: Chain, module: Any) -> None:
    if len(module.normalized_shape) != 1:
        _refuse(f"it is over the axes {tuple(module.normalized_shape)}, and a row here has one")
    arrays = [array_of(t) for t in (module.weight, module.bias) if t is not None]
    layer = LayerNormalization(
        epsilon=module.eps, center=module.bias is not None, scale=module.weight is not None
    )
    chain.add(layer, arrays, n_in=module.normalized_shape[0])


def _category_embedding(chain: Chain, module: Any) -> None:
    layer = CategoryEmbedding(module.sizes, module.width)
    chain.add(layer, [array_of(module.weight)], n_in=module.passed + len(module.sizes))


def _feature_scale(chain: Chain, module: Any) -> None:
    factors = array_of(module.scale)
    chain.add(FeatureScale(), [factors], n_in=len(factors))


def _parametric_activation(chain: Chain, module: Any) -> None:
    shares, alone = array_of(module.alpha), Chain(1)
    take = TAKES.get(type(module.activation))
    if take is not None:
        take(alone, module.activation)
    match alone.content().layers:
        case [Activation(activation=curve)] if curve.name not in ("linear", "softmax"):
            chain.add(ParametricActivation(curve), [shares], n_in=len(shares))
        case _:
            _refuse(f"its activation is not one that is known: {module.activation}")


def _periodic_embedding(chain: Chain, module: Any) -> None:
    layer = PeriodicEmbedding(module.columns, module.frequencies, module.width)
    arrays = (module.frequency, module.phase, module.kernel, module.bias, module.missing)
    if chain.width is None:
        _refuse("how many columns pass behind those that it embeds is not known: give n_in=")
    if module.columns > chain.width:
        _refuse(f"it embeds {module.columns} columns, and there are {chain.width}")
    chain.add(layer, [array_of(array) for array in arrays], n_in=chain.width)


def _threshold(chain: Chain, module: Any) -> None:
    if (module.threshold, module.value) != (0, 0):
        _refuse("only a threshold and a value of 0 can be read, which is a ReLU")
    chain.activate("relu")


PLAIN: dict[type, str] = {
    getattr(nn, curve.torch.name, None) or getattr(modules, curve.torch.name): name
    for name, curve in CURVES.items()
    if curve.alpha is None and not curve.torch.settings
}
WITH_ALPHA = {getattr(nn, curve.torch.name): curve for curve in CURVES.values() if curve.alpha is not None}
WITH_ARGUMENTS = (nn.GELU, nn.Softmax, modules.SoftmaxByGroups)
Take = Callable[[Chain, Any], None]
# By the very class: one that inherits from another may compute something else.
TAKES: dict[type, Take] = {
    **{kind: lambda chain, module: chain.activate(PLAIN[type(module)]) for kind in PLAIN},
    **dict.fromkeys(WITH_ALPHA, _with_alpha),
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    nn.Hardtanh: lambda chain, module: limit(chain, module.min_val, module.max_val),
    nn.LayerNorm: _layer_norm,
    nn.LogSoftmax: _log_softmax,
    nn.LogSigmoid: lambda chain, module: between(chain, (-1.0, 0.0), "softplus", (-1.0, 0.0)),
    nn.PReLU: _prelu,
    nn.Softplus: _softplus,
    nn.Threshold: _threshold,
    nn.Dropout: lambda chain, module: chain.dropout(module.p),
    nn.Flatten: _flatten,
    modules.CategoryEmbedding: _category_embedding,
    modules.PeriodicEmbedding: _periodic_embedding,
    modules.FeatureScale: _feature_scale,
    modules.Normalization: _normalization,
    modules.ParametricActivation: _parametric_activation,
    **{kind: lambda chain, module: chain.activate(_activation(module)) for kind in WITH_ARGUMENTS},
}
SUPPORTED = f"supported are Sequential, {', '.join(sorted(kind.__name__ for kind in TAKES))}"

ELEMENTWISE_MODULES = {
    *PLAIN,
    *WITH_ALPHA,
    *(nn.Hardtanh, nn.LogSigmoid, nn.PReLU, nn.Threshold),
}
"""The classes that compute each number from one number, and may be part of an activation."""
