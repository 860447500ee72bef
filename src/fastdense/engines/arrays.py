"""Arrays on their way to an engine: from any library, checked, to where it computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdense import engines, libraries
from fastdense.core import checks
from fastdense.core.checks import as_array
from fastdense.engines import Library
from fastdense.errors import DtypeError, EngineError, ShapeError

__all__ = ["as_rows", "check_out", "finite", "in_memory", "less", "placed"]

Engine = str | Library


def as_rows(name: str, values: Any, dtype: str, engine: Engine) -> Any:
    """Return values as an array of ``dtype`` that the engine takes.

    An array of the engine's own library stays on its device; everything else becomes NumPy's.

    Raises
    ------
    DtypeError, ShapeError
        As in `fastdense.core.checks.as_array`.
    EngineError
        The array lies on a device that the engine does not compute on.
    """
    if not _is_own(values, engine):
        return as_array(name, in_memory(name, values, engine), dtype)
    backend, place = engines.backend_of(engine), _place(values)
    if place and place != backend.name:
        raise EngineError(
            f"{name} lies on {place}, but the engine computes on {backend.name}: choose engine={place!r}, or "
            f"move {name} there"
        )
    if not backend.xp.isdtype(values.dtype, ("bool", "integral", "real floating")):
        raise DtypeError(f"{name} must hold real numbers, got dtype {values.dtype}")
    with backend.scope():
        return backend.place(values, dtype)


def in_memory(name: str, values: Any, engine: Engine) -> Any:
    """Return an array of another library as NumPy's, and anything else as it is.

    Raises
    ------
    EngineError
        The array lies on an accelerator, and the engine is not of its library: copying it without being
        asked to would hide the most costly part of the work.
    DtypeError
        NumPy has no such dtype.
    """
    library = libraries.library_of(values)
    if library is None:
        return values
    place = _place(values)
    if place and not place.startswith(f"{library}:cpu") and not _is_own(values, engine):
        raise EngineError(
            f"{name} lies on {place}, but the engine {str(engines.name_of(engine))!r} computes in main "
            f"memory's arrays: choose engine={place!r}, or pass a copy in main memory"
        )
    try:
        return libraries.module_of(library).fetch(values)
    except TypeError as error:
        raise DtypeError(f"{name} cannot become a NumPy array: {error}") from None


def check_out(out: Any, X: Any, shape: tuple[int, int], dtype: str) -> None:
    """Raise unless ``out`` can be written to and is of the library of X, and on its device.

    Raises
    ------
    DtypeError
        Its library's arrays cannot be written to.
    ShapeError
        It is another array.
    """
    libraries.check_writable(out)
    of_numpy = isinstance(X, np.ndarray)
    found = str(getattr(out, "dtype", "")).rpartition(".")[2]  # "float32" or "torch.float32"
    fits = isinstance(out, np.ndarray) == of_numpy and getattr(out, "shape", None) == shape and found == dtype
    if not fits or (not of_numpy and getattr(out, "device", None) != getattr(X, "device", None)):
        where = "" if of_numpy else ", of X's library and on its device"
        kind = f"{type(out).__module__.partition('.')[0]}.{type(out).__name__}"
        given = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else kind
        raise ShapeError(f"out must be an array of shape {shape} and dtype {dtype}{where}, got {given}")


def less(array: Any, row: Any, dtype: str, engine: Engine) -> Any:
    """Return a float64 matrix less a row of NumPy's, rounded to ``dtype`` where it lies."""
    if isinstance(array, np.ndarray):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.subtract(array, row).astype(dtype)
    backend = engines.backend_of(engine)
    with backend.scope():
        return backend.place(array - backend.place(row, "float64"), dtype)


def placed(array: Any, engine: Engine) -> Any:
    """Return a checked array where the engine computes: on its library's device, if it has one."""
    if engines.library_named(engine) is None:
        return array
    backend = engines.backend_of(engine)
    with backend.scope():
        return backend.place(array)


def finite(name: str, array: Any, engine: Engine, given: Any = None, missing: int = 0) -> None:
    """Raise NonFiniteError, naming the first place, if the array holds NaN or infinity.

    ``given`` is what `as_rows` made the array from, if it was not made otherwise. The first ``missing``
    columns may hold NaN.
    """
    if not isinstance(array, np.ndarray):
        backend = engines.backend_of(engine)
        with backend.scope():
            if backend.xp.all(backend.xp.isfinite(array)):
                return
            array = backend.fetch(array)
    checks.finite(name, array, in_memory(name, given, engine), missing)


def _is_own(values: Any, engine: Engine) -> bool:
    own, library = libraries.library_of(values), engines.library_named(engine)
    return own is not None and library is not None and library.name == own


def _place(values: Any) -> str:
    """Return an array's library and device, as an engine is named; "" if it has none."""
    library = libraries.library_of(values)
    assert library is not None
    device = libraries.module_of(library).device_of(values)
    return f"{library}:{device}" if device else ""
