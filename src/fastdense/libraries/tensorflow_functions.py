"""The functions of the array API standard that fastdense uses, by TensorFlow's own: its namespace, ``xp``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

float32, float64, int32 = tf.float32, tf.float64, tf.int32
abs, floor, sign, where = tf.abs, tf.floor, tf.sign, tf.where
exp, expm1, log, log1p, sqrt, tanh = tf.exp, tf.math.expm1, tf.math.log, tf.math.log1p, tf.sqrt, tf.tanh
ones_like, zeros_like, stack, take, astype = tf.ones_like, tf.zeros_like, tf.stack, tf.gather, tf.cast
cos, sin, matmul, reshape, permute_dims = tf.cos, tf.sin, tf.matmul, tf.reshape, tf.transpose
matrix_transpose, isfinite, isnan = tf.linalg.matrix_transpose, tf.math.is_finite, tf.math.is_nan
all, max, mean = tf.reduce_all, tf.reduce_max, tf.reduce_mean


def asarray(values: Any, dtype: Any = None, copy: Any = None, device: Any = None) -> Any:
    """Return a tensor, of another dtype if one is named; tensors are never written to, nor copied."""
    tensor = tf.convert_to_tensor(values)
    return tensor if dtype is None else tf.cast(tensor, dtype)


def arange(stop: int, dtype: Any = None, device: Any = None) -> Any:
    """Return ``0, 1, ... stop - 1``."""
    return tf.range(stop, dtype=dtype)


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Return the elements within the limits; NaN stays."""
    x = x if min is None else tf.maximum(x, tf.convert_to_tensor(min, x.dtype))
    return x if max is None else tf.minimum(x, tf.convert_to_tensor(max, x.dtype))


def sum(x: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Return the sum along an axis, in the dtype."""
    return tf.reduce_sum(x if dtype is None else tf.cast(x, dtype), axis, keepdims)


def concat(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Return the arrays end to end."""
    return tf.concat(arrays, axis)


def isdtype(dtype: Any, kinds: Sequence[str]) -> Any:
    """Return True if the dtype is of one of the kinds "bool", "integral" and "real floating"."""
    is_kind = {"bool": dtype.is_bool, "integral": dtype.is_integer, "real floating": dtype.is_floating}
    return any(is_kind[kind] for kind in kinds)
