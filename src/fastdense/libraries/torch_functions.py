"""The functions of the array API standard that fastdense uses, by PyTorch's own: its namespace, ``xp``.

array-api-compat gives them the standard's arguments.
"""

# ruff: noqa: A004
from __future__ import annotations

from typing import Any

import torch
from array_api_compat.torch import (
    abs,
    all,
    arange,
    asarray,
    astype,
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


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Return the elements within the limits, which are numbers or tensors; NaN stays.

    array-api-compat's looks at the limits' types, and `torch.compile` does not trace through that.
    """
    return torch.clamp(x, min, max)
