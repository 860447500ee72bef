"""The article's function: one dense layer, for arrays of any library."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import activations, engines, libraries
from fastdense.core.checks import real_array
from fastdense.core.curves import CURVES
from fastdense.core.shapes import check_product
from fastdense.core.spec import ActivationSpec
from fastdense.errors import DtypeError, EngineError, ShapeError

__all__ = ["dense"]

_BY_NAME = {name: activations.get(name).spec for name in CURVES}  # which torch.compile need not trace
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def dense(
    A_in: Any, W: Any, B: Any = None, activation: object = None, *, out: NDArray[Any] | None = None
) -> Any:
    """Return ``A_out = g(A_in @ W + B)``.

    Parameters
    ----------
    A_in : array of shape (m, n_in)
        One example per row. NumPy arrays, nested lists, and arrays of PyTorch, JAX, TensorFlow, CuPy and any
        library that follows the Python array API standard. Those that differentiate do so through this
        function, and it can be traced by ``torch.compile``, ``jax.jit`` and ``tf.function``.
    W : array of shape (n_in, n_units)
        One unit per column; float32 or float64. Integers and float16 become float32, lists take A_in's dtype.
    B : array of shape (1, n_units) or (n_units,), optional
    activation : str or ActivationFunction, optional
        ``g``; None is linear.
    out : array of shape (m, n_units) and W's dtype and library, optional
        Where to write the result.

    Returns
    -------
    A_out : array of shape (m, n_units), W's dtype, of A_in's library and on its device

    Raises
    ------
    ShapeError
        The shapes disagree; the message draws them and says what would fix it.
    DtypeError
        An array does not hold real numbers, two floating dtypes differ, or arrays are of two libraries.
        Integers, booleans and float16 become W's dtype.
    EngineError
        Two arrays lie on different devices.

    Examples
    --------
    A layer of three units, and one example:

    >>> import numpy as np
    >>> import fastdense as fd
    >>> A_in = np.array([[200.0, 17.0]])
    >>> W = np.array([[1.0, -3.0, 5.0], [-2.0, 4.0, -6.0]])
    >>> B = np.array([[-1.0, 1.0, 2.0]])
    >>> fd.dense(A_in, W, B)
    array([[ 165., -531.,  900.]])
    >>> fd.dense(A_in, W, B, activation="sigmoid").round()
    array([[1., 0., 1.]])
    """
    if out is None and isinstance(activation, str | None) and _is_ready(A_in, W, B):
        return engines.dense(np, A_in, W, B, _spec(activation, 0))
    library = _library({"A_in": A_in, "W": W, "B": B, "out": out})
    xp = _namespace(library, A_in, W, B)
    own = libraries.module_of(library) if library in libraries.LIBRARIES else None
    libraries.check_writable(out)
    guide = W if hasattr(W, "dtype") else A_in if hasattr(A_in, "dtype") else B
    with nullcontext() if own is None else own.beside(guide):
        kernel = _weights(xp, W, A_in)
        rows = _matching(xp, "A_in", A_in, kernel)
        if None not in (*rows.shape, *kernel.shape):  # as they may be while TensorFlow traces
            check_product("A_in", tuple(rows.shape), "W", tuple(kernel.shape), owner="dense")
        bias = None if B is None else _bias(_matching(xp, "B", B, kernel), kernel.shape[1])
        shape = rows.shape[0], kernel.shape[1]
        if out is not None and (getattr(out, "shape", None), getattr(out, "dtype", None)) != (
            shape,
            kernel.dtype,
        ):
            raise ShapeError(f"out must be an array of shape {shape} and dtype {kernel.dtype}")
        spec = _spec(activation, kernel.shape[1])
        if own is not None:
            _check_devices(own, {"A_in": rows, "W": kernel, "B": bias, "out": out})
        return engines.dense(xp, rows, kernel, bias, spec, out, None if own is None else own.curve)


def _is_ready(A_in: Any, W: Any, B: Any) -> bool:
    """Return True if these are NumPy's own matrices, that fit: nothing to convert or refuse.

    A row of 64 numbers through 64 units takes 5 us so, and 13 with all the questions asked.
    """
    return (
        type(A_in) is type(W) is np.ndarray
        and A_in.ndim == W.ndim == 2
        and A_in.dtype == W.dtype
        and W.dtype in _FLOATS
        and A_in.shape[1] == W.shape[0]
        and (
            B is None
            or (type(B) is np.ndarray and B.dtype == W.dtype and B.shape in (W.shape[1:], (1, W.shape[1])))
        )
    )


def _spec(activation: object, columns: int) -> ActivationSpec:
    """Return an activation as engines are given it, whose groups, if any, must have ``columns`` columns."""
    if isinstance(activation, str | None) and (activation or "linear") in _BY_NAME:
        return _BY_NAME[activation or "linear"]
    found = activations.get(activation)
    found.check_columns(columns, "W")
    return found.spec


def _library(arrays: dict[str, Any]) -> str:
    """Return the library that all arrays are of, "numpy" if none is of any; lists go with each."""
    found: dict[str, str] = {}
    for name, values in arrays.items():
        if values is None or isinstance(values, (list, tuple, int, float)):
            continue
        library = libraries.library_of(values)
        if library is None and hasattr(values, "__array_namespace__"):
            library = values.__array_namespace__().__name__
        found.setdefault(library or "numpy", name)
    if len(found) > 1:
        (one, first), (other, second), *_ = found.items()
        raise DtypeError(f"{first} is an array of {one} but {second} of {other}: convert one of them")
    return next(iter(found), "numpy")


def _namespace(library: str, *arrays: Any) -> Any:
    """Return the functions of a library."""
    if library in libraries.LIBRARIES:
        return libraries.module_of(library).xp
    foreign = (a for a in arrays if not isinstance(a, np.ndarray) and hasattr(a, "__array_namespace__"))
    return np if library == "numpy" else next(foreign).__array_namespace__()


def _check_devices(own: Any, arrays: dict[str, Any]) -> None:
    """Raise EngineError unless all arrays lie on one device, as far as a traced array tells."""
    places = {name: own.device_of(array) for name, array in arrays.items() if array is not None}
    known = {name: place for name, place in places.items() if place}
    for name, place in known.items():
        if place != known.get("W", place):
            raise EngineError(f"{name} lies on {place} but W on {known['W']}: move one to the other's device")


def _weights(xp: Any, W: Any, A_in: Any) -> Any:
    """Return the kernel as a floating array; whole numbers become float32, the model's default."""
    if not hasattr(W, "dtype") and getattr(A_in, "dtype", None) in (xp.float32, xp.float64):
        return _of_list(xp, "W", W, A_in)
    array = _real(xp, "W", W)
    if array.dtype in (xp.float32, xp.float64):
        return array
    if _is_wide(xp, array.dtype):
        raise DtypeError(f"W must be float32 or float64, got {array.dtype}")
    return xp.astype(array, xp.float32)


def _matching(xp: Any, name: str, values: Any, W: Any) -> Any:
    """Return an array of W's dtype; lists, integers and float16 are converted, other floats refused."""
    dtype = W.dtype
    if not hasattr(values, "dtype"):
        return _of_list(xp, name, values, W)
    array = _real(xp, name, values)
    if array.dtype == dtype:
        return array
    if _is_wide(xp, array.dtype):
        example = f", as in {name}.astype(W.dtype)" if xp is np else ""
        raise DtypeError(f"{name} is {array.dtype} but W is {dtype}: convert one{example}")
    return xp.astype(array, dtype)


def _of_list(xp: Any, name: str, values: Any, like: Any) -> Any:
    """Return nested lists as an array with the dtype and the device of another."""
    array = real_array(name, values).astype("float64" if like.dtype == xp.float64 else "float32")
    return array if xp is np else xp.asarray(array, device=getattr(like, "device", None))


def _real(xp: Any, name: str, values: Any) -> Any:
    """Return an array of real numbers, NumPy's in the machine's byte order."""
    if xp is np:
        array = real_array(name, values)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    array = values if hasattr(values, "dtype") else xp.asarray(values)
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        raise DtypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return array


def _is_wide(xp: Any, dtype: Any) -> bool:
    """Return True if these are floats that turning into another dtype may change."""
    return dtype in (xp.float32, xp.float64) or (xp is np and dtype == np.longdouble)


def _bias(B: Any, n_units: int) -> Any:
    if tuple(B.shape) not in ((n_units,), (1, n_units)):
        raise ShapeError(
            f"W has {n_units} units, so B takes shape ({n_units},) or (1, {n_units}), got {tuple(B.shape)}"
        )
    return B
