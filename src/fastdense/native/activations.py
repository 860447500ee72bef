"""The activations and their derivatives over NumPy arrays, by the kernels that layers inline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.curves import CURVES
from fastdense.errors import DtypeError, ShapeError
from fastdense.native import _core
from fastdense.native.processor import isa_in_use

Floats = NDArray[Any]  # float32 or float64


def activate(
    name: str, z: Floats, alpha: float = 0.0, *, out: Floats | None = None, isa: str | None = None
) -> Floats:
    """Return ``a = g(z)`` for each number, or with ``"softmax"`` for each row of the last axis.

    Within 4 units in the last place (gelu 4.5 without a fused multiply-add); an element's result
    depends neither on its place in the array nor on what lies beside it. NaN passes through, infinities give
    the limit.

    Parameters
    ----------
    name : str
        One of `fastdense.core.spec.ACTIVATIONS`.
    z : array, C-contiguous, float32 or float64
    alpha : float, default 0
        The slope of ``"leaky_relu"`` below zero, the scale of ``"elu"``, at least 0, and of ``"celu"``, above
        0. Others ignore it.
    out : array of z's shape and dtype, C-contiguous, optional
        Where the result goes; it may be ``z``. A new array if not given.
    isa : str, optional
        The build of the kernel to run; that of `isa_in_use` if not given.

    Returns
    -------
    a : array of z's shape and dtype

    Raises
    ------
    ShapeError
        ``out`` has another shape, or ``z`` has no axis for softmax to sum over.
    DtypeError
        ``z`` is neither float32 nor float64, or ``out`` has another dtype.
    ValueError
        ``name`` or ``isa`` is unknown, ``alpha`` is below 0, or an array's memory can't be used as it is.

    Examples
    --------
    >>> import numpy as np
    >>> activate("leaky_relu", np.array([[-2.0, 3.0]]), 0.1)
    array([[-0.2,  3. ]])
    """
    _check("z", z, z)
    shape = _rows(name, alpha, z)
    a = _result(out, z)
    _core.activate(name, alpha, isa or isa_in_use(), z.reshape(shape), a.reshape(shape))
    return a


def activate_backward(
    name: str,
    z: Floats,
    a: Floats,
    da: Floats,
    alpha: float = 0.0,
    *,
    out: Floats | None = None,
    isa: str | None = None,
) -> Floats:
    """Return ``dz = da * g'(z)``; with ``"softmax"`` it is ``a * (da - sum(da * a))`` by rows.

    Parameters
    ----------
    name : str
        One of `fastdense.core.spec.ACTIVATIONS`.
    z, a, da : arrays of one shape and dtype, C-contiguous, float32 or float64
        Before and after the activation, ``a = g(z)``, and the loss's gradient with respect to ``a``. At a
        kink, the slope is that of the side below.
    alpha : float, default 0
        As given to `activate`.
    out : array of z's shape and dtype, C-contiguous, optional
        Where the result goes; it may be any of the three. A new array if not given.
    isa : str, optional
        The build of the kernel to run; that of `isa_in_use` if not given.

    Returns
    -------
    dz : array of z's shape and dtype

    Raises
    ------
    ShapeError, DtypeError, ValueError
        As `activate`, for each of the arrays.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[-2.0, 3.0]])
    >>> activate_backward("relu", z, activate("relu", z), np.array([[5.0, 7.0]]))
    array([[0., 7.]])
    """
    _check("z", z, z)
    shape = _rows(name, alpha, z)
    _check("a", a, z)
    _check("da", da, z)
    dz = _result(out, z, a, da)
    rows = (array.reshape(shape) for array in (z, a, da, dz))
    _core.activate_backward(name, alpha, isa or isa_in_use(), *rows)
    return dz


def _check(name: str, array: Any, like: Floats) -> None:
    """Raise unless the kernels can use the array as it is, and it is of the other's shape and dtype."""
    if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise DtypeError(f"{name} must be an array of float32 or float64, not {kind}")
    if array.dtype != like.dtype:
        raise DtypeError(f"{name} must be of type {like.dtype}, not {array.dtype}")
    if array.shape != like.shape:
        raise ShapeError(f"{name} must have shape {like.shape}, not {array.shape}")
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise ValueError(
            f"{name} must be C-contiguous and aligned; numpy.array(x, order='C') makes such a copy"
        )


def _rows(name: str, alpha: float, z: Floats) -> tuple[int, int]:
    """Return the shape of z as a matrix; the columns matter to softmax only."""
    if not alpha >= 0:
        raise ValueError(f"alpha must be at least 0, not {alpha!r}")
    if alpha == 0 and name in CURVES and CURVES[name].divides:
        raise ValueError(f"alpha of {name} must be above 0: it divides by it")
    if name == "softmax" and z.ndim == 0:
        raise ShapeError("softmax needs at least one axis to sum over, but z has shape ()")
    columns = z.shape[-1] if z.ndim else 1
    return (z.size // columns if columns else 0), columns


def _result(out: Floats | None, *inputs: Floats) -> Floats:
    """Return where the result goes: an array that overlaps each input wholly or not at all."""
    if out is None:
        return np.empty(inputs[0].shape, inputs[0].dtype)
    _check("out", out, inputs[0])
    if not out.flags.writeable:
        raise ValueError("out must be writeable")
    for array in inputs:
        if np.may_share_memory(out, array) and out.ctypes.data != array.ctypes.data:
            raise ValueError("out must be an input itself or share no memory with it")
    return out
