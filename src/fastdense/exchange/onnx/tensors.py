"""A file's tensors as arrays, checked before anything is allocated."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.errors import FastdenseError, FormatError
from fastdense.exchange.onnx.external import Outside, outside

__all__ = ["DOUBLE", "FLOATS", "MALFORMED", "in_words", "is_external", "place_outside", "text", "to_array"]

DOUBLE = 11
FLOATS = (1, 10, DOUBLE, 16)
"""onnx.TensorProto's numbers of float32, float16, float64 and bfloat16."""

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


def is_external(tensor: Any) -> bool:
    """Return True if a tensor's numbers lie in another file."""
    return bool(tensor.data_location != 0 or tensor.external_data)


def place_outside(tensor: Any, folder: Path) -> Outside:
    """Return where the numbers of a tensor with external data are; FormatError if they cannot be read."""
    with _naming(tensor):
        size = math.prod(_shape(tensor)) * _item_size(tensor)
        return outside(tensor, size, folder)


def to_array(tensor: Any, elsewhere: Outside | None = None) -> Array:
    """Return a tensor's numbers, once their count is known to be what the file holds.

    ``elsewhere`` is where they are if not in the tensor itself.
    """
    from onnx import TensorProto, helper, numpy_helper

    with _naming(tensor):
        shape, size = _shape(tensor), _item_size(tensor)
        if elsewhere is not None:
            kind = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
            numbers = np.frombuffer(elsewhere.read(), kind)
            array: Array = (numbers if sys.byteorder == "little" else numbers.byteswap()).reshape(shape)
        elif is_external(tensor):
            raise FormatError("its numbers are in another file, where only initialisers may have theirs")
        else:
            fields = (tensor.float_data, tensor.double_data, tensor.int32_data, tensor.int64_data)
            held = len(tensor.raw_data) // size if tensor.raw_data else max(map(len, fields))
            if math.prod(shape) != held:
                raise FormatError(f"it has the shape {shape} but holds {held} numbers")
            try:
                array = numpy_helper.to_array(tensor)
            except (ValueError, TypeError, OverflowError) as error:
                raise FormatError(str(error)) from None
    if tensor.data_type in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        return array.astype(np.float32)
    return array


@contextmanager
def _naming(tensor: Any) -> Iterator[None]:
    """Say which tensor it is that errors are about."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"the tensor {text(tensor.name)!r:.200}: {error}") from None


def _shape(tensor: Any) -> tuple[int, ...]:
    shape = tuple(tensor.dims)
    if min(shape, default=0) < 0:
        raise FormatError(f"its shape is {shape}")
    return shape


def _item_size(tensor: Any) -> int:
    """Return the bytes of each number; FormatError for what is not numbers."""
    from onnx import TensorProto

    sizes = {
        TensorProto.FLOAT: 4, TensorProto.DOUBLE: 8, TensorProto.FLOAT16: 2, TensorProto.BFLOAT16: 2,
        TensorProto.INT8: 1, TensorProto.UINT8: 1, TensorProto.INT32: 4, TensorProto.INT64: 8,
        TensorProto.BOOL: 1,
    }  # fmt: skip
    if tensor.data_type not in sizes:
        raise FormatError("it is not of floats or whole numbers")
    return sizes[tensor.data_type]
