"""The operators that are computed while a file is read, where all that they take is constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.exchange.onnx.tensors import to_array

__all__ = ["FOLDED"]

Attributes = dict[str, Any]

# What onnx.TensorProto numbers the types that a constant may be cast to; halves become float32.
_TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float32",
    11: "float64",
    16: "float32",
}
_VALUES = {"value_float": "float32", "value_floats": "float32", "value_int": "int64", "value_ints": "int64"}


def _constant(attributes: Attributes) -> Array:
    if "value" in attributes:
        return to_array(attributes["value"])
    for name, dtype in _VALUES.items():
        if name in attributes:
            return np.asarray(attributes[name], dtype)
    raise ValueError("it has no value that is a number")


def _reshape(attributes: Attributes, data: Array, shape: Array) -> Array:
    sizes = [int(size) for size in shape.reshape(-1)]
    if not attributes.get("allowzero"):
        sizes = [data.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return data.reshape(sizes)


def _axes(attributes: Attributes, axes: tuple[Array, ...]) -> tuple[int, ...] | None:
    """Return the axes of an attribute, as before operator set 13, or of an input."""
    values = axes[0].reshape(-1) if axes else attributes.get("axes")
    return None if values is None else tuple(int(axis) for axis in values)


def _broadcast(operation: Callable[..., Array]) -> Callable[..., Array]:
    """Return an operation of two arrays that refuses results larger than both together."""

    def run(attributes: Attributes, a: Array, b: Array) -> Array:
        if np.prod(np.broadcast_shapes(a.shape, b.shape), dtype=float) > a.size + b.size:
            raise ValueError("the constants that it combines would grow")
        with np.errstate(all="ignore"):
            return operation(a, b).astype(np.result_type(a, b), copy=False)

    return run


def _elementwise(operation: Callable[..., Array]) -> Callable[..., Array]:
    def run(attributes: Attributes, a: Array) -> Array:
        with np.errstate(all="ignore"):
            return operation(a)

    return run


def _dequantized(attributes: Attributes, a: Array, scale: Array, zero: Array | None = None) -> Array:
    """Return ``(a - zero) * scale``, with one scale for all or one for each place on an axis."""
    if attributes.get("block_size") or scale.ndim > 1:
        raise ValueError("it has a scale for each block of numbers, which is not supported")
    shape = [1] * a.ndim
    if scale.ndim and scale.size > 1:
        shape[attributes.get("axis", 1)] = -1
    offset = np.int32(0) if zero is None else zero.astype(np.int32).reshape(shape if zero.size > 1 else ())
    return ((a.astype(np.int32) - offset) * scale.reshape(shape)).astype(scale.dtype)


# onnx' ReferenceEvaluator was tried per node instead. Adding three numbers through it takes 60 us, it returns
# halves if a cast asks for them, and refuses operands of unlike dtypes. `Constant` and the casts of halves
# would stay here beside the checks of sizes, so that little of this table would go.
FOLDED: dict[str, Callable[..., Array]] = {
    "Constant": _constant,
    "Identity": lambda attributes, a: a,
    "Concat": lambda attributes, *a: np.concatenate(a, attributes["axis"]),
    "DequantizeLinear": _dequantized,
    "Cast": lambda attributes, a: a.astype(_TYPES[attributes["to"]], copy=False),
    "Transpose": lambda attributes, a: a.transpose(attributes.get("perm")),
    "Reshape": _reshape,
    "Shape": lambda attributes, a: np.array(a.shape, np.int64)[
        attributes.get("start", 0) : attributes.get("end")
    ],
    "Squeeze": lambda attributes, a, *axes: np.squeeze(a, _axes(attributes, axes)),
    "Unsqueeze": lambda attributes, a, *axes: np.expand_dims(a, _axes(attributes, axes) or ()),
    "Add": _broadcast(np.add),
    "Sub": _broadcast(np.subtract),
    "Mul": _broadcast(np.multiply),
    "Div": _broadcast(np.divide),
    "Neg": _elementwise(np.negative),
    "Sqrt": _elementwise(np.sqrt),
    "Reciprocal": _elementwise(np.reciprocal),
}
