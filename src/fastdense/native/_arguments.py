"""Checks of arguments before they reach compiled code."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray


def integer_below(limit: int, name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int in ``[0, limit)``, or raise naming the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if not 0 <= number < limit:
        raise ValueError(f"{name} must be at least 0 and below {limit}, not {number}")
    return number


def readable(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array itself, unless compiled code could not read it where it lies."""
    plain = array.flags.aligned and array.dtype.isnative
    return array if plain else np.array(array, array.dtype.newbyteorder("="))
