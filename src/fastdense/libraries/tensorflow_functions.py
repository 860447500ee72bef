"""The functions of the array API standard that fastdense uses, by TensorFlow's own: its namespace, ``xp``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

__all__ = ["arange", "asarray", "astype", "clip", "concat", "isdtype", "mean", "stack", "take", "where"]
__all__ += ["abs", "all", "exp", "expm1", "floor", "isfinite", "log", "log1p", "matrix_transpose", "max"]
__all__ += ["float32", "float64", "int64", "ones_like", "sign", "sqrt", "sum", "tanh", "zeros_like"]

float32, float64, int64 = tf.float32, tf.float64, tf.int64

abs, floor, sign = tf.abs, tf.floor, tf.sign
exp, expm1, log, log1p, sqrt, tanh = tf.exp, tf.math.expm1, tf.math.log, tf.math.log1p, tf.sqrt, tf.tanh
ones_like, zeros_like = tf.ones_like, tf.zeros_like
matrix_transpose, isfinite, all = tf.linalg.matrix_transpose, tf.math.is_finite, tf.reduce_all


def asarray(values: Any, dtype: Any = None, copy: Any = None, device: Any = None) -> Any:
    """Return a tensor, of another dtype if one is named; tensors are never written to, nor copied."""
    tensor = tf.convert_to_tensor(values)
    return tensor if dtype is None else tf.cast(tensor, dtype)


def astype(x: Any, dtype: Any) -> Any:
    """Return a tensor of the dtype."""
    return tf.cast(x, dtype)


def arange(stop: int, dtype: Any = None, device: Any = None) -> Any:
    """Return ``0, 1, ... stop - 1``."""
    return tf.range(stop, dtype=dtype)


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Return the elements within the limits; NaN stays."""
    x = x if min is None else tf.maximum(x, tf.convert_to_tensor(min, x.dtype))
    return x if max is None else tf.minimum(x, tf.convert_to_tensor(max, x.dtype))


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return ``x`` where the condition holds and ``y`` elsewhere."""
    return tf.where(condition, x, y)


def sum(x: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Return the sum along an axis, in the dtype."""
    return tf.reduce_sum(x if dtype is None else tf.cast(x, dtype), axis, keepdims)


def mean(x: Any, axis: Any = None) -> Any:
    """Return the mean along an axis."""
    return tf.reduce_mean(x, axis)


def max(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Return the largest along an axis."""
    return tf.reduce_max(x, axis, keepdims)


def concat(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Return the arrays end to end."""
    return tf.concat(arrays, axis)


def stack(arrays: Sequence[Any]) -> Any:
    """Return the arrays one above the other."""
    return tf.stack(arrays)


def take(x: Any, indices: Any, axis: int) -> Any:
    """Return the elements of those numbers along an axis."""
    return tf.gather(x, indices, axis=axis)


def isdtype(dtype: Any, kinds: Sequence[str]) -> Any:
    """Return True if the dtype is of one of the kinds "bool", "integral" and "real floating"."""
    is_kind = {"bool": dtype.is_bool, "integral": dtype.is_integer, "real floating": dtype.is_floating}
    return any(is_kind[kind] for kind in kinds)
