"""A network as PyTorch modules, with the names and layout of their weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any, NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

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
from fastdense.exchange.content import Content

__all__ = ["SMALLEST_DEVIATION", "Part", "as_array", "need_torch", "normalised", "parts", "state"]

Array = NDArray[Any]

SMALLEST_DEVIATION = 1e-7  # `Normalization` divides by no smaller one
# Beyond its threshold PyTorch's softplus is z alone: exp(-z) is then below half a unit in z's last place.
_SOFTPLUS_THRESHOLD = {"float32": 20.0, "float64": 40.0}


class Part(NamedTuple):
    """A module: its class in torch.nn or `modules`, its arguments, and its arrays by PyTorch's names.

    An argument may be a part itself, without arrays.
    """

    kind: str
    arguments: dict[str, Any]
    arrays: dict[str, Array]


def parts(content: Content) -> Iterator[Part]:
    """Yield the modules of a network's ``torch.nn.Sequential``; a layer that does nothing is an Identity."""
    for primitives in content.primitives:
        yield from (_part(primitive, content.dtype) for primitive in primitives)
        if not primitives:
            yield Part("Identity", {}, {})


def state(content: Content) -> dict[str, Array]:
    """Return the arrays of a network's ``torch.nn.Sequential`` under the names of its ``state_dict``."""
    return {
        f"{i}.{name}": array for i, part in enumerate(parts(content)) for name, array in part.arrays.items()
    }


def _part(primitive: Primitive, dtype: str) -> Part:
    match primitive:
        case Product(W, B):
            sizes = {"in_features": W.shape[0], "out_features": W.shape[1], "bias": B is not None}
            return Part("Linear", sizes, {"weight": W.T} | ({} if B is None else {"bias": B}))
        case StandardizeColumns():
            with np.errstate(over="ignore"):
                mean, deviation = primitive.mean.astype(dtype), primitive.deviation.astype(dtype)
            return Part("Normalization", {"columns": len(mean)}, {"mean": mean, "deviation": deviation})
        case NormalizeRows():
            return _layer_norm(primitive)
        case PeriodicColumns(frequency, phase, kernel, bias, missing):
            columns, frequencies, sums = kernel.shape
            arrays = {
                "frequency": frequency,
                "phase": phase,
                "kernel": kernel,
                "bias": bias,
                "missing": missing,
            }
            settings = {"columns": columns, "frequencies": frequencies, "width": sums + 1}
            return Part("PeriodicEmbedding", settings, arrays)
        case LookUpColumns(passed, sizes, embeddings):
            settings = {"passed": passed, "sizes": sizes, "width": primitive.width}
            return Part("CategoryEmbedding", settings, {"weight": embeddings})
        case LeakColumns() | ScaleColumns() | BlendColumns():
            return _by_columns(primitive, dtype)
        case Curve():
            return _curve(primitive, dtype)
        case Softmax(()):
            return Part("Softmax", {"dim": -1}, {})
        case Softmax(groups):
            return Part("SoftmaxByGroups", {"groups": groups}, {})
        case Dropout(rate):
            return Part("Dropout", {"p": rate}, {})
        case _:
            assert_never(primitive)


def _by_columns(primitive: LeakColumns | ScaleColumns | BlendColumns, dtype: str) -> Part:
    match primitive:
        case LeakColumns(slopes):
            return Part("PReLU", {"num_parameters": len(slopes)}, {"weight": slopes})
        case ScaleColumns(factors):
            return Part("FeatureScale", {"columns": len(factors)}, {"scale": factors})
        case BlendColumns(shares, g):
            settings = {"activation": _curve(g, dtype), "columns": len(shares)}
            return Part("ParametricActivation", settings, {"alpha": shares})


def _curve(g: Curve, dtype: str) -> Part:
    if g.name == "leaky_relu" and g.alpha == 0:
        return Part("ReLU", {}, {})
    if g.name == "softplus":
        return Part("Softplus", {"threshold": _SOFTPLUS_THRESHOLD[dtype]}, {})
    curve = CURVES[g.name]
    return Part(curve.torch.name, curve.settings(curve.torch, g.alpha), {})


def _layer_norm(primitive: NormalizeRows) -> Part:
    """Return a LayerNorm, which has a bias only beside a weight."""
    gamma, beta = primitive.gamma, primitive.beta
    if gamma is None and beta is not None:
        gamma = np.ones_like(beta)
    arrays = {name: array for name, array in (("weight", gamma), ("bias", beta)) if array is not None}
    settings = {"eps": primitive.epsilon, "elementwise_affine": bool(arrays), "bias": beta is not None}
    return Part("LayerNorm", {"normalized_shape": primitive.columns, **settings}, arrays)


def normalised(
    mean: Array, variance: Array, weight: Array | None, bias: Array | None, epsilon: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factor and the shift of ``(x - mean) / sqrt(variance + epsilon) * weight + bias``."""
    with np.errstate(all="ignore"):  # the chain refuses what is not finite
        factor = 1.0 / np.sqrt(variance.astype(np.float64) + epsilon)
        factor = factor if weight is None else factor * weight.astype(np.float64)
        shift = -mean.astype(np.float64) * factor
        return factor, shift if bias is None else shift + bias.astype(np.float64)


def as_array(tensor: Any) -> Array:
    """Return a tensor's numbers; float16 and bfloat16, which no model has, as float32."""
    tensor = tensor.detach().cpu()
    if tensor.dtype.itemsize == 2 and tensor.dtype.is_floating_point:
        tensor = tensor.float()
    array: Array = tensor.numpy()
    return array


def need_torch(purpose: str) -> None:
    """Raise ImportError, with what to install, if PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise ImportError(f"{purpose}, PyTorch is needed: pip install torch")
