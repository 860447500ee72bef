"""The functions of the array API standard that fastdense uses, by JAX's own: its namespace, ``xp``."""

# ruff: noqa: A004
from __future__ import annotations

from jax.numpy import (
    abs,
    all,
    arange,
    asarray,
    astype,
    clip,
    concat,
    exp,
    expm1,
    float32,
    float64,
    floor,
    int64,
    isdtype,
    isfinite,
    log,
    log1p,
    matrix_transpose,
    max,
    mean,
    ones_like,
    sign,
    sqrt,
    stack,
    sum,
    take,
    tanh,
    where,
    zeros_like,
)

__all__ = ["arange", "asarray", "astype", "clip", "concat", "isdtype", "mean", "stack", "take", "where"]
__all__ += ["abs", "all", "exp", "expm1", "floor", "isfinite", "log", "log1p", "matrix_transpose", "max"]
__all__ += ["float32", "float64", "int64", "ones_like", "sign", "sqrt", "sum", "tanh", "zeros_like"]
