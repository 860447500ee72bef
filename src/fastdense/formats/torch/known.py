"""What each of PyTorch's modules, and each function that does the same, adds to a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fastdense.errors import FormatError
from fastdense.formats.chain import Chain
from fastdense.formats.torch import modules
from fastdense.formats.torch.parts import SMALLEST_DEVIATION, as_array, normalised
from fastdense.network.activations import ActivationFunction
from fastdense.network.layers import Normalization

__all__ = ["FUNCTIONS", "SUPPORTED", "TAKES"]


def _refuse(why: str) -> NoReturn:
    raise FormatError(why)


def _array(tensor: torch.Tensor) -> Any:
    if tensor.is_meta:
        _refuse("its weights are not there yet: run the module once, or load them")
    return as_array(tensor)


def _linear(chain: Chain, module: Any) -> None:
    bias = None if module.bias is None else _array(module.bias)
    chain.dense(np.ascontiguousarray(_array(module.weight).T), bias)


def _batch_norm(chain: Chain, module: Any) -> None:
    """Fold ``(x - mean) / sqrt(variance + eps) * weight + bias``."""
    if module.running_mean is None or module.running_var is None:
        _refuse("it has no running statistics, so a row's outputs depend on the rows beside it")
    statistics = _array(module.running_mean), _array(module.running_var)
    weight, bias = (None if t is None else _array(t) for t in (module.weight, module.bias))
    chain.scale(*normalised(*statistics, weight, bias, module.eps))


def _normalization(chain: Chain, module: Any) -> None:
    mean, deviation = (_array(t).astype(np.float64) for t in (module.mean, module.deviation))
    if not (np.isfinite([mean, deviation]).all() and (deviation >= SMALLEST_DEVIATION).all()):
        _refuse(f"its mean and deviation must be finite, the deviation at least {SMALLEST_DEVIATION}")
    chain.add(Normalization(), [mean, deviation**2, np.zeros((), np.int32)], len(mean))


def _flatten(chain: Chain, module: Any) -> None:
    if module.start_dim != 1 or module.end_dim not in (-1, 1):
        _refuse("only the whole of each example can be flattened: start_dim=1, end_dim=-1")


def _activation(module: Any) -> ActivationFunction | str:
    """Return the activation of a module that has arguments."""
    match module:
        case nn.LeakyReLU():
            return ActivationFunction("leaky_relu", module.negative_slope)
        case nn.ELU():
            return ActivationFunction("elu", module.alpha)
        case nn.CELU():
            return ActivationFunction("elu") if module.alpha == 1 else _refuse("of a CELU, alpha must be 1")
        case nn.GELU():
            return "gelu_tanh" if module.approximate == "tanh" else "gelu"
        case nn.Softplus():
            fits = module.beta == 1 and module.threshold >= 20
            return "softplus" if fits else _refuse("of a Softplus, beta must be 1, the threshold at least 20")
        case nn.Softmax():
            return (
                "softmax" if module.dim in (-1, 1) else _refuse("a Softmax goes over the last axis: dim=-1")
            )
    return ActivationFunction("softmax", groups=module.groups)


PLAIN: dict[type, str] = {
    nn.Identity: "linear",
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SELU: "selu",
    nn.SiLU: "silu",
    nn.Mish: "mish",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.Hardsigmoid: "hard_sigmoid",
    nn.Hardswish: "hard_silu",
    nn.Softsign: "softsign",
    modules.Exponential: "exponential",
}
WITH_ARGUMENTS = (
    nn.LeakyReLU,
    nn.ELU,
    nn.CELU,
    nn.GELU,
    nn.Softplus,
    nn.Softmax,
    modules.SoftmaxByGroups,
)
Take = Callable[[Chain, Any], None]
# By the very class: one that inherits from another may compute something else.
TAKES: dict[type, Take] = {
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    nn.Dropout: lambda chain, module: chain.dropout(module.p),
    nn.Flatten: _flatten,
    modules.Normalization: _normalization,
    **{kind: lambda chain, module: chain.activate(PLAIN[type(module)]) for kind in PLAIN},
    **{kind: lambda chain, module: chain.activate(_activation(module)) for kind in WITH_ARGUMENTS},
}
SUPPORTED = f"supported are Sequential, {', '.join(sorted(kind.__name__ for kind in TAKES))}"

# Functions, and methods by their names, with the module that does the same.
FUNCTIONS: dict[Any, type] = {
    **dict.fromkeys((functional.relu, torch.relu, torch.relu_, "relu", "relu_"), nn.ReLU),
    **dict.fromkeys((functional.sigmoid, torch.sigmoid, "sigmoid"), nn.Sigmoid),
    **dict.fromkeys((functional.tanh, torch.tanh, "tanh"), nn.Tanh),
    **dict.fromkeys((functional.softmax, torch.softmax, "softmax"), nn.Softmax),
    **dict.fromkeys((functional.selu, torch.selu), nn.SELU),
    **dict.fromkeys((functional.celu, torch.celu), nn.CELU),
    **dict.fromkeys((torch.exp, "exp"), modules.Exponential),
    **dict.fromkeys((functional.dropout, torch.dropout), nn.Dropout),
    **dict.fromkeys((torch.flatten, "flatten"), nn.Flatten),
    functional.relu6: nn.ReLU6,
    functional.leaky_relu: nn.LeakyReLU,
    functional.elu: nn.ELU,
    functional.gelu: nn.GELU,
    functional.silu: nn.SiLU,
    functional.mish: nn.Mish,
    functional.softplus: nn.Softplus,
    functional.hardsigmoid: nn.Hardsigmoid,
    functional.hardswish: nn.Hardswish,
    functional.softsign: nn.Softsign,
}
