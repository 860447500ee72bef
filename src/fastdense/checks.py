"""Checks of arguments and arrays, written once: a message says what was wrong and what would fix it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import DtypeError, NonFiniteError, ShapeError

__all__ = [
    "as_array",
    "crowded",
    "finite",
    "flag",
    "fraction",
    "is_frame",
    "number",
    "one_of",
    "real_array",
    "sizes",
    "text",
    "whole",
]

Float = NDArray[np.floating[Any]]


def whole(name: str, value: Any, minimum: int = 0, maximum: int | None = None) -> int:
    """Return ``value`` as an int, or raise: TypeError for another kind, ValueError out of range."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < minimum or (maximum is not None and value > maximum):
        limits = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise ValueError(f"{name} must be {limits}, got {value}")
    return int(value)


def sizes(name: str, values: Any) -> tuple[int, ...]:
    """Return ``values``, a tuple or list of whole numbers of at least 1, as a tuple of ints."""
    if not isinstance(values, tuple | list):
        raise TypeError(f"{name} must be a tuple of whole numbers, got {values!r}")
    return tuple(whole(f"{name}[{i}]", value, 1) for i, value in enumerate(values))


def number(
    name: str,
    value: Any,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """Return ``value`` as a finite float within the limits (``above`` and ``below`` exclude the limit)."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        real = float(value)
    except OverflowError:  # an int beyond any float
        real = math.inf if value > 0 else -math.inf
    low_ok = real > above if above is not None else real >= minimum
    high_ok = real < below if below is not None else real <= maximum
    if not (math.isfinite(real) and low_ok and high_ok):
        limits = [f"above {above:g}"] if above is not None else []
        limits += [f"below {below:g}"] if below is not None else []
        limits += [f"at least {minimum:g}"] if math.isfinite(minimum) else []
        limits += [f"at most {maximum:g}"] if math.isfinite(maximum) else []
        raise ValueError(f"{name} must be {' and '.join(['finite', *limits])}, got {real:g}")
    return real


def fraction(name: str, value: Any) -> float:
    """Return ``value`` as a float with ``0 <= value < 1``."""
    return number(name, value, minimum=0.0, below=1.0)


def flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool, refusing anything else."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return str(value)


def text(name: str, value: Any) -> str:
    """Return ``value`` if it is a string of at least one character."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name} must be a string of at least one character, got {value!r}")
    return value


def as_array(name: str, values: Any, dtype: str) -> Float:
    """Return ``values`` as an array of ``dtype`` ("float32" or "float64"), copied only where it must be.

    Booleans, integers and floats of any width and byte order are accepted.

    Raises
    ------
    DtypeError
        The values are complex, text, dates or Python objects.
    ShapeError
        The rows of a nested list have different lengths.
    """
    with np.errstate(over="ignore"):
        return real_array(name, values).astype(dtype, copy=False)


def real_array(name: str, values: Any) -> NDArray[Any]:
    """Return ``values`` as an array of booleans, integers or floats; errors as in `as_array`."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name} is ragged: its rows have different lengths ({error})") from None
    if np.ma.is_masked(values):
        raise NonFiniteError(f"{name} has masked values: fill them in (.filled(0)) or drop their rows")
    if array.dtype.kind not in "biuf":
        raise DtypeError(f"{name} must hold real numbers, got dtype {array.dtype}: {_advice(array)}")
    return array


def finite(name: str, array: Float) -> None:
    """Raise NonFiniteError, naming the first place, if the array holds NaN or infinity."""
    with np.errstate(all="ignore"):
        if math.isfinite(array.sum(dtype=np.float64)):  # one cheap pass; only a doubt costs another
            return
    bad = ~np.isfinite(array)
    if not bad.any():
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    where = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
    too_large = np.isinf(array[place]) and array.dtype == np.float32
    beyond = "scale it down or use dtype='float64' if it is a number beyond float32, " if too_large else ""
    raise NonFiniteError(
        f"{name} holds {array[place]} at {where} ({int(bad.sum())} such values in all): {beyond}drop those "
        "rows, or fill them in (np.nan_to_num, or fastdense.tables for missing values)"
    )


def crowded(mean: Any, spread: Any) -> NDArray[np.bool_]:
    """Return which columns of float64 numbers float32 cannot tell apart, from their means and deviations.

    A mean of more than ``2**14`` deviations leaves the spread fewer than ten of float32's 24 bits, and each
    sum loses more of them. A spread below ``2**-46`` of the mean is float64's own rounding: it is none.
    """
    size, spread = np.abs(np.asarray(mean)), np.asarray(spread)
    with np.errstate(all="ignore"):
        found: NDArray[np.bool_] = (spread * 2.0**14 < size) & (spread > size * 2.0**-46)
    return found


def _advice(array: NDArray[Any]) -> str:
    match array.dtype.kind:
        case "c":
            return "take the real and the imaginary part as two columns"
        case "O":
            return "convert it with .astype(float), or encode text columns first (fastdense.tables does both)"
        case "M" | "m":
            return "turn dates into numbers first, such as days since the first one"
    return (
        "encode text as numbers first (fastdense.tables does; for labels, np.unique(y, return_inverse=True))"
    )


def is_frame(values: Any) -> bool:
    """Whether values are a table's named columns, a data frame or a mapping, and not a matrix of numbers.

    Examples
    --------
    >>> is_frame({"age": [39, 50]}), is_frame([[39], [50]])
    (True, False)
    """
    return isinstance(values, Mapping) or hasattr(values, "columns")
