"""A file's tensors as arrays, checked before anything is allocated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FastdenseError, FormatError

__all__ = ["MALFORMED", "in_words", "refuse_external", "text", "to_array"]

Array = NDArray[Any]

MALFORMED = (FastdenseError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
"""What comes of operators with other inputs or attributes than they have by ONNX's rules."""


def in_words(error: BaseException) -> str:
    """Return what was wrong: an error's own words where they say it."""
    if isinstance(error, FastdenseError | ValueError):
        return str(error)
    return f"its inputs or attributes are not those of such an operator ({type(error).__name__}: {error})"


def text(value: str | bytes) -> str:
    """Return a file's name of something as text: protobuf gives out bytes where they are not UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def refuse_external(tensor: Any) -> None:
    """Raise FormatError for a tensor whose numbers lie in another file."""
    if tensor.data_location != 0 or tensor.external_data:
        raise FormatError(
            f"the numbers of {text(tensor.name)!r:.200} are in another file, which is never opened: save the "
            "model as one file (onnx.save with save_as_external_data=False, or torch.onnx.export with "
            "external_data=False)"
        )


def to_array(tensor: Any) -> Array:
    """Return a tensor's numbers, once their count is known to be what the file holds."""
    from onnx import TensorProto, numpy_helper

    refuse_external(tensor)
    sizes = {
        TensorProto.FLOAT: 4, TensorProto.DOUBLE: 8, TensorProto.FLOAT16: 2, TensorProto.BFLOAT16: 2,
        TensorProto.INT32: 4, TensorProto.INT64: 8, TensorProto.BOOL: 1,
    }  # fmt: skip
    name = f"the tensor {text(tensor.name)!r:.200}"
    if tensor.data_type not in sizes:
        raise FormatError(f"{name} is not of floats or whole numbers")
    shape = tuple(tensor.dims)
    fields = (tensor.float_data, tensor.double_data, tensor.int32_data, tensor.int64_data)
    held = len(tensor.raw_data) // sizes[tensor.data_type] if tensor.raw_data else max(map(len, fields))
    if min(shape, default=0) < 0 or math.prod(shape) != held:
        raise FormatError(f"{name} has the shape {shape} but holds {held} numbers")
    try:
        array: Array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:
        raise FormatError(f"{name}: {error}") from None
    if tensor.data_type in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        return array.astype(np.float32)
    return array
