"""Checks of arguments and arrays, written once: a message says what was wrong and what would fix it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import DtypeError, NonFiniteError, ShapeError

__all__ = [
    "LARGEST",
    "above_zero",
    "as_array",
    "choice",
    "crowded",
    "finite",
    "flag",
    "fraction",
    "from_one",
    "from_zero",
    "is_frame",
    "number",
    "one_of",
    "optional",
    "real_array",
    "shown",
    "sizes",
    "text",
    "whole",
]

Float = NDArray[np.floating[Any]]

LARGEST = sys.maxsize
"""The largest size, count or index that this machine can address."""


def whole(name: str, value: Any, minimum: int = 0, maximum: int = LARGEST) -> int:
    """Return ``value`` as an int, or raise: TypeError for another kind, ValueError out of range."""
    value = _scalar(value)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {shown(value)}")
    number = int(value)
    if not minimum <= number <= maximum:
        open_ended = maximum == LARGEST and number < minimum
        limits = f"at least {minimum}" if open_ended else f"from {minimum} to {maximum}"
        raise ValueError(f"{name} must be {limits}, got {shown(number)}")
    return number


def sizes(name: str, values: Any) -> tuple[int, ...]:
    """Return ``values``, a tuple or list of whole numbers of at least 1, as a tuple of ints."""
    if not isinstance(values, tuple | list):
        raise TypeError(f"{name} must be a tuple of whole numbers, got {shown(values)}")
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
    value = _scalar(value)
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    real = _as_float(value)
    low_ok = real > above if above is not None else real >= minimum
    high_ok = real < below if below is not None else real <= maximum
    if not (math.isfinite(real) and low_ok and high_ok):
        limits = [f"above {above:g}"] if above is not None else []
        limits += [f"below {below:g}"] if below is not None else []
        limits += [f"at least {minimum:g}"] if math.isfinite(minimum) else []
        limits += [f"at most {maximum:g}"] if math.isfinite(maximum) else []
        found = f"{real:g}" if math.isfinite(real) else shown(value)
        raise ValueError(f"{name} must be {' and '.join(['finite', *limits])}, got {found}")
    return real


fraction = partial(number, minimum=0.0, below=1.0)
from_zero = partial(number, minimum=0.0)
above_zero = partial(number, above=0.0)
from_one = partial(whole, minimum=1)


def flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool, refusing anything else."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {shown(value)}")
    return str(value)


def choice(*choices: str) -> Callable[[str, Any], str]:
    """Return the check that a value is one of the choices."""
    return partial(one_of, choices=choices)


def optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """Return a check that lets None through and leaves other values to ``check``."""
    return lambda name, value: None if value is None else check(name, value)


def text(name: str, value: Any) -> str:
    """Return ``value`` if it is a string of at least one character."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name} must be a string of at least one character, got {shown(value)}")
    return value


def shown(value: object) -> str:
    """Return a value as messages show it: no longer than a line, and also if Python refuses to print it.

    Examples
    --------
    >>> shown([0.5]), shown(10**400), shown(10**5000)
    ('[0.5]', '100000000000000000000000000000... (401 characters)', 'an int of thousands of digits')
    """
    try:
        whole_text = repr(value)
    except ValueError:  # Python prints no more than 4300 digits of an integer
        return f"{'an int' if isinstance(value, int) else f'a {type(value).__name__}'} of thousands of digits"
    if len(whole_text) <= 100:
        return whole_text
    return f"{whole_text[:30]}... ({len(whole_text)} characters)"


def _scalar(value: Any) -> Any:
    """Return the number that a NumPy scalar or an array without axes holds; other values as they are."""
    return value.item() if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 else value


def _as_float(value: Any) -> float:
    """Return a real number as a float, infinite if it is beyond any."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except ValueError:  # a decimal that is a signaling NaN
        return math.nan


def as_array(name: str, values: Any, dtype: str) -> Float:
    """Return ``values`` as an array of ``dtype`` ("float32" or "float64"), copied only if necessary.

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
    """Return ``values`` as an array of booleans, integers or floats; errors as in `as_array`.

    The columns of a data frame may differ in their dtypes; Python's own numbers become float64.
    """
    if _is_frame_of_arrays(values):
        return _side_by_side(name, values)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name} is ragged: its rows have different lengths ({error})") from None
    if np.ma.is_masked(values):
        raise NonFiniteError(f"{name} has masked values: fill them in (.filled(0)) or drop their rows")
    if array.dtype.kind == "O":
        return _unboxed(name, array)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"{name} must hold real numbers, got dtype {array.dtype}: {_advice(array.dtype.kind)}"
        )
    return array


def _is_frame_of_arrays(values: Any) -> bool:
    return hasattr(values, "columns") and hasattr(values, "dtypes") and hasattr(values, "__array__")


def _side_by_side(name: str, frame: Any) -> NDArray[Any]:
    """Return a data frame as one array, of a dtype that holds every column's numbers; NaN is what is missing.

    NumPy would make objects of columns that differ, as floats beside booleans do, and numbers of the dates
    of some libraries.
    """
    if len(set(frame.dtypes)) == 1:
        array = np.asarray(frame)
        if array.dtype.kind in "biuf":
            return array
    columns = [
        real_array(f"column {label!r} of {name}", _filled(np.asarray(column)))
        for label, column in _labelled(frame)
    ]
    dtype = np.result_type(*columns) if columns else np.dtype("float64")
    array = np.empty((len(frame), len(columns)), dtype)
    for i, column in enumerate(columns):
        array[:, i] = column
    return array


def _labelled(frame: Any) -> Iterable[tuple[object, Any]]:
    """Return a data frame's columns with their names, of which two may be alike in pandas."""
    return frame.items() if hasattr(frame, "items") else ((name, frame[name]) for name in frame.columns)


def _filled(column: NDArray[Any]) -> NDArray[Any]:
    """Return a data frame's column with NaN in place of the objects that stand for what is missing."""
    if column.dtype.kind != "O":
        return column
    missing = [value is None or type(value).__name__ == "NAType" for value in column]
    return np.where(missing, math.nan, column)


def _unboxed(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of Python objects as float64, DtypeError if one of them is not a real number."""
    strange = {kind for kind in set(map(type, array.flat)) if not issubclass(kind, Real | Decimal | np.bool_)}
    if strange:
        at = next(i for i, value in enumerate(array.flat) if type(value) in strange)
        advice = _advice("U" if isinstance(array.flat[at], str) else "O")
        raise DtypeError(f"{name} must hold real numbers, but there is {_found(array, at)}: {advice}")
    try:
        return array.astype(np.float64)
    except (OverflowError, ValueError):
        numbers = np.array([_as_float(value) for value in array.flat])
    if np.isinf(numbers).any():
        at = int(np.argmax(np.isinf(numbers)))
        raise NonFiniteError(f"{name} holds {_found(array, at)}, which is too large for float64")
    return numbers.reshape(array.shape)


def _found(array: NDArray[Any], at: int) -> str:
    """Return an array's object and where it stands, in words."""
    where = f" at {_place(np.unravel_index(at, array.shape))}" if array.ndim else ""
    return f"{shown(array.flat[at])}{where}"


def finite(name: str, array: Float, given: Any = None, missing: int = 0) -> None:
    """Raise NonFiniteError, naming the first place, if the array holds NaN or infinity.

    ``given`` is what the array was made from: a number there may have been too large for the array's dtype.
    The first ``missing`` columns of a matrix may hold NaN.
    """
    with np.errstate(all="ignore"):
        if math.isfinite(array.sum(dtype=np.float64)):  # one cheap pass; only a doubt costs another
            return
    bad = ~np.isfinite(array)
    if missing:
        bad[:, :missing] &= ~np.isnan(array[:, :missing])
    if not bad.any():
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    count = f"({int(bad.sum())} such values in all)"
    number = _given_number(name, given, array.shape, place)
    if number is not None:
        wider = ", or use dtype='float64'" if array.dtype.itemsize < 8 else ""
        raise NonFiniteError(
            f"{name} holds {number:g} at {_place(place)}, which is too large for {array.dtype} {count}: "
            f"scale it (divide by a constant, or take logarithms){wider}"
        )
    raise NonFiniteError(
        f"{name} holds {array[place]} at {_place(place)} {count}: drop those rows, or fill them in "
        f"(np.nan_to_num, or fastdense.tables for missing values)"
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


def _given_number(name: str, given: Any, shape: tuple[int, ...], place: tuple[int, ...]) -> Any:
    """Return the number that stands at a place of what was given; None if it is not finite or not there."""
    if given is None:
        return None
    values = real_array(name, given)
    number = values.reshape(shape)[place] if values.size == math.prod(shape) else math.nan
    return number if np.isfinite(number) else None


def _place(place: Iterable[Any]) -> str:
    """Return where a number stands, in words."""
    return ", ".join(f"{axis} {int(i)}" for axis, i in zip(("row", "column"), place, strict=False))


def _advice(kind: str) -> str:
    match kind:
        case "c":
            return "take the real and the imaginary part as two columns"
        case "O":
            return "convert it to a number; fastdense.tables encodes text and fills in what is missing"
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
