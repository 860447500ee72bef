"""Arrays beside a JSON description in one safetensors file, behind a checksum of both.

The description sits in the header's metadata behind a SHA-256 of itself and of every array's bytes, so that a
flipped bit anywhere is noticed. Nothing in such a file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.files.container import open_tensors, plain_array, write_tensors
from fastdense.errors import FormatError

__all__ = ["read", "write"]

# The metadata's only entry, so that a file has one order.
_KEY = "fastdense"
# A description is a few KB; a table of many categories some MB. Beyond this a file is not a model.
_MAX_DESCRIPTION = 64 * 2**20


def write(path: str | os.PathLike[str], description: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write arrays and their description, atomically.

    Parameters
    ----------
    path : path-like
    description : mapping
        What JSON can hold, finite numbers only.
    arrays : mapping of name to array
        float32, float64, int32 or int64; any memory layout and byte order.

    Raises
    ------
    OSError
        The file cannot be written; what was there before is untouched.
    """
    text = json.dumps(description, allow_nan=False, sort_keys=True)
    plain = {name: plain_array(array) for name, array in arrays.items()}
    write_tensors(path, plain, {_KEY: f"{_digest(text, plain)} {text}"})


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the description and the arrays of a file made by `write`.

    Raises
    ------
    FormatError
        The file is damaged or is not of this kind; the message says how.
    OSError
        It cannot be opened.
    """
    with open_tensors(path) as tensors:
        digest, text = _description(path, tensors.metadata)
        arrays = tensors.arrays()
    if _digest(text, arrays) != digest:
        raise FormatError(f"{path} is damaged: its content does not match its checksum")
    return _parse(path, text), arrays


def _description(path: object, metadata: Mapping[str, str]) -> tuple[str, str]:
    """Return the checksum and the description's text."""
    if set(metadata) != {_KEY}:
        raise FormatError(
            f"{path} is a safetensors file but not one of fastdense's: it has no description and checksum; "
            "PyTorch's weights are read by fastdense.formats.torch.network_from_torch_weights"
        )
    if len(metadata[_KEY]) > _MAX_DESCRIPTION:
        raise FormatError(f"{path}: its description is over {_MAX_DESCRIPTION >> 20} MB long")
    digest, _, text = metadata[_KEY].partition(" ")
    return digest, text


def _parse(path: object, text: str) -> dict[str, Any]:
    try:
        description = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: its description is not JSON: {error}") from None
    if not isinstance(description, dict):
        raise FormatError(f"{path}: its description is not a JSON object")
    return description


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that a description can hold")


def _digest(text: str, arrays: Mapping[str, Array]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name}\n{array.dtype.name}\n{array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
