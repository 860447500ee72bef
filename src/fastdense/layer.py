"""The article's function: one dense layer, for arrays of any library."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import engines
from fastdense.checks import real_array
from fastdense.errors import DtypeError, ShapeError
from fastdense.network import activations
from fastdense.shapes import check_product

__all__ = ["dense"]


def dense(
    A_in: Any, W: Any, B: Any = None, activation: object = None, *, out: NDArray[Any] | None = None
) -> Any:
    """Return ``A_out = g(A_in @ W + B)``.

    Parameters
    ----------
    A_in : array of shape (m, n_in)
        One example a row. NumPy arrays, nested lists, and arrays of any library that follows the Python
        array API standard.
    W : array of shape (n_in, n_units)
        One unit a column; float32 or float64.
    B : array of shape (1, n_units) or (n_units,), optional
    activation : str or ActivationFunction, optional
        ``g``; None is linear.
    out : NumPy array of shape (m, n_units) and W's dtype, optional
        Where to write the result.

    Returns
    -------
    A_out : array of shape (m, n_units), W's dtype, of A_in's library

    Raises
    ------
    ShapeError
        The shapes disagree; the message draws them and says what would fix it.
    DtypeError
        An array does not hold real numbers, or two floating dtypes differ. Integers, booleans and float16
        become W's dtype.

    Examples
    --------
    The article's layer of three units and its one example:

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
    xp = _namespace(A_in, W)
    kernel = _weights(xp, W)
    rows = _matching(xp, "A_in", A_in, kernel.dtype)
    check_product("A_in", rows.shape, "W", kernel.shape, owner="dense")
    bias = None if B is None else _bias(_matching(xp, "B", B, kernel.dtype), kernel.shape[1])
    shape = rows.shape[0], kernel.shape[1]
    if out is not None and (getattr(out, "shape", None), getattr(out, "dtype", None)) != (
        shape,
        kernel.dtype,
    ):
        raise ShapeError(f"out must be an array of shape {shape} and dtype {kernel.dtype}")
    curve = activations.get(activation)
    curve.check_columns(kernel.shape[1], "W")
    return engines.dense(xp, rows, kernel, bias, curve.spec, out)


def _namespace(*arrays: Any) -> Any:
    """Return the array library's namespace of the first array that has one, NumPy for lists."""
    for array in arrays:
        if not isinstance(array, np.ndarray) and hasattr(array, "__array_namespace__"):
            return array.__array_namespace__()
    return np


def _weights(xp: Any, W: Any) -> Any:
    """Return the kernel as a floating array; whole numbers become float32, the model's default."""
    array = _real(xp, "W", W)
    if array.dtype in (xp.float32, xp.float64):
        return array
    if _is_wide(xp, array.dtype):
        raise DtypeError(f"W must be float32 or float64, got {array.dtype}")
    return xp.astype(array, xp.float32)


def _matching(xp: Any, name: str, values: Any, dtype: Any) -> Any:
    """Return an array of W's dtype; lists, integers and float16 are converted, other floats refused."""
    array = _real(xp, name, values)
    if array.dtype == dtype:
        return array
    if hasattr(values, "dtype") and _is_wide(xp, array.dtype):
        raise DtypeError(
            f"{name} is {array.dtype} but W is {dtype}: convert one, as in {name}.astype(W.dtype)"
        )
    return xp.astype(array, dtype)


def _real(xp: Any, name: str, values: Any) -> Any:
    """Return an array of real numbers, NumPy's in the machine's byte order."""
    if xp is np:
        array = real_array(name, values)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    array = xp.asarray(values)
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        raise DtypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return array


def _is_wide(xp: Any, dtype: Any) -> bool:
    """Say whether these are floats that turning into another dtype may change."""
    return dtype in (xp.float32, xp.float64) or (xp is np and dtype == np.longdouble)


def _bias(B: Any, n_units: int) -> Any:
    if tuple(B.shape) not in ((n_units,), (1, n_units)):
        raise ShapeError(
            f"W has {n_units} units, so B takes shape ({n_units},) or (1, {n_units}), got {tuple(B.shape)}"
        )
    return B
