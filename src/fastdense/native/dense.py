"""One dense layer over NumPy arrays, by the kernels that networks run on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.native import _core
from fastdense.native._arguments import readable
from fastdense.native.processor import isa_in_use

__all__ = ["dense"]

Floats = NDArray[Any]  # float32 or float64


def dense(
    A_in: Floats,
    W: Floats,
    B: Floats | None,
    activation: str = "linear",
    alpha: float = 0.0,
    *,
    out: Floats | None = None,
    isa: str | None = None,
) -> Floats:
    """Return ``A_out = g(A_in @ W + B)``.

    The numbers are those of a network of this one layer, to the bit. Shapes and dtypes are the caller's
    affair; `fastdense.dense` checks them.

    Parameters
    ----------
    A_in : array of shape (m, n_in), float32 or float64
        In any order; read in place if its rows are contiguous.
    W : array of shape (n_in, n_units), same dtype
    B : array of shape (1, n_units) or (n_units,), same dtype, or None
    activation : str
        One of `fastdense.core.spec.ACTIVATIONS`.
    alpha : float
        The slope of ``"leaky_relu"`` below zero, the scale of ``"elu"``.
    out : array of shape (m, n_units), same dtype, optional
        Where the result goes; it may share memory with the others.
    isa : str, optional
        The build of the kernels; that of `fastdense.native.isa_in_use` if not given.

    Returns
    -------
    A_out : array of shape (m, n_units), same dtype

    Examples
    --------
    >>> import numpy as np
    >>> dense(np.array([[200.0, 17.0]]), np.array([[1.0, -3.0, 5.0], [-2.0, 4.0, -6.0]]), None, "relu")
    array([[166.,   0., 898.]])
    """
    kernel = np.ascontiguousarray(readable(W))
    bias = None if B is None else np.ascontiguousarray(readable(B)).reshape(-1)
    fits = out is not None and _can_be_written(out) and not _share_memory(out, A_in, W, B)
    result = out if out is not None and fits else np.empty((A_in.shape[0], W.shape[1]), kernel.dtype)
    _core.dense(isa or isa_in_use(), readable(A_in), kernel, bias, activation, alpha, result)
    if out is None or fits:
        return result
    out[...] = result
    return out


def _can_be_written(out: Floats) -> bool:
    """Return True if compiled code can write the array in place; NumPy writes the others."""
    flags = out.flags
    return bool(flags.c_contiguous and flags.aligned and flags.writeable and out.dtype.isnative)


def _share_memory(out: Floats, *inputs: Floats | None) -> bool:
    return any(array is not None and np.may_share_memory(out, array) for array in inputs)
