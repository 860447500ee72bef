"""What a network takes, and a network that only predicts: its weights packed once, shared between threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastdense import engines
from fastdense.core.arrays import Array
from fastdense.core.checks import is_frame
from fastdense.core.shapes import check_product
from fastdense.core.spec import NetworkSpec
from fastdense.engines import Library, Parameters, Program
from fastdense.engines.arrays import as_rows, check_out, less

__all__ = ["FrozenModel", "Inputs", "predict_checked"]


class Inputs(NamedTuple):
    """What a network takes: the matrix, or the table, that its first layer can be multiplied with.

    Attributes
    ----------
    n_in : int or None
        The columns, None while they are not known.
    n_units : int or None
        The units of the first dense layer, None without one.
    owner : str
        Who takes them, in messages.
    dtype : "float32" or "float64"
    table
        What turns a data frame's rows into the matrix, or None.
    engine : str or Library
        What the network is computed with: the arrays of its library are taken as they are.
    centre : float64 array of shape (n_in,) or None
        What is subtracted from the rows in float64, before they are rounded to float32: see
        `fastdense.layers.normalization.Normalization.centre`.
    """

    n_in: int | None
    n_units: int | None
    owner: str
    dtype: str
    table: Any = None
    engine: str | Library = "auto"
    centre: Array | None = None

    def matrix(self, X: Any, name: str = "X") -> Any:
        """Return ``X`` as a centred matrix of the network's dtype and width, copied only if it must be.

        Raises
        ------
        ShapeError, DtypeError
        """
        A_in = self.array(X, name)
        self.check(A_in, name)
        return self.centred(A_in)

    def array(self, X: Any, name: str) -> Any:
        """Return ``X`` as an array, a vector as one column if that may be meant.

        Its dtype is the network's, or float64 if it is still to be centred.
        """
        dtype = self.dtype if self.centre is None else "float64"
        if self.table is not None and is_frame(X):
            X = self.table.features(X, dtype=dtype)
        A_in = as_rows(name, X, dtype, self.engine)
        if len(A_in.shape) == 1 and self.n_in in (None, 1):
            A_in = A_in[:, None]
        return A_in

    def centred(self, A_in: Any) -> Any:
        """Return a checked matrix less the centre, in the network's dtype."""
        return A_in if self.centre is None else less(A_in, self.centre, self.dtype, self.engine)

    def check(self, A_in: Any, name: str) -> None:
        """Raise ShapeError unless the array is a matrix of the network's width."""
        n_in: int | str = self.n_in or "n_in"
        check_product(
            name,
            tuple(A_in.shape),
            "W",
            (n_in, self.n_units or n_in),
            owner=self.owner,
            owned=True,
            fixes=[f"declare the model's input as Input(({A_in.shape[-1]},))"]
            if len(A_in.shape) == 2
            else [],
        )


def predict_checked(program: Program, X: Any, out: Any, n_out: int, dtype: str) -> Any:
    """Return a program's outputs for a checked matrix, in ``out`` if that is given and fits."""
    of_numpy = isinstance(X, np.ndarray)
    if out is None:  # an engine may return X itself, or a view of it, if no layer changes it
        out = np.empty((len(X), n_out), dtype) if of_numpy else None
    else:
        check_out(out, X, (len(X), n_out), dtype)
    with np.errstate(all="ignore"):
        return program.predict(X, out)


class Otherwise:
    """Predicts for whatever an engine's quickest way does not take: converted and checked first."""

    def __init__(self, program: Program, network: NetworkSpec, inputs: Inputs) -> None:
        self.program, self.network, self.inputs = program, network, inputs

    def __call__(self, X: Any, out: Any = None) -> Any:
        """Return the outputs for ``X``, as `FrozenModel.predict` does."""
        rows = self.inputs.matrix(X)
        return predict_checked(self.program, rows, out, self.network.n_out, self.inputs.dtype)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Be unpickled as a frozen model's `predict`: this is the half of it that is data."""
        return _predict_of, (self.network, self.program.parameters(), self.inputs)


class FrozenModel:
    """A network for prediction only, with the weights that it had when it was frozen.

    Serve with it: a row through a small network takes a fraction of a microsecond, any number of
    threads may predict at once, and nothing done to the model that it came from changes it.

    It can be pickled, copied and sent to another process, and so can its ``predict``: the network, the
    weights and the table travel, and are compiled again on arrival. The predictions are the same bits on a
    machine with the same instruction set.

    Attributes
    ----------
    predict : callable ``(X, out=None)``
        As `Sequential.predict`: the outputs, shape (m, n_out), for ``X`` of shape (m, n_in). A NumPy matrix
        of the network's dtype is read in place; what else `Sequential.predict` takes is converted first.
    input_shape, output_shape : tuple
        ``(None, n_in)`` and ``(None, n_out)``.
    dtype : "float32" or "float64"

    Examples
    --------
    >>> import numpy as np
    >>> import fastdense as fd
    >>> model = fd.Sequential([fd.Input((2,)), fd.Dense(3, "relu"), fd.Dense(1)], seed=0)
    >>> frozen = model.freeze()
    >>> x = np.array([[0.5, -1.0]], dtype=np.float32)
    >>> bool(frozen.predict(x) == model.predict(x))
    True
    """

    def __init__(self, network: NetworkSpec, parameters: Parameters, inputs: Inputs) -> None:
        with np.errstate(over="ignore"):  # statistics beyond float32 are infinite in it, as such data are
            program = engines.choose(inputs.engine).compile(network, parameters)
        self.input_shape = (None, network.n_in)
        self.output_shape = (None, network.n_out)
        self.dtype = inputs.dtype
        self._otherwise = Otherwise(program, network, inputs)
        centred = inputs.centre is not None  # in float64, which compiled code does not
        self.predict: Callable[..., Array] = (
            self._otherwise if centred else program.predictor(self._otherwise)
        )

    def __call__(self, X: Any, out: Any = None) -> Array:
        """Return ``predict(X, out)``."""
        return self.predict(X, out)

    def __reduce__(self) -> tuple[type[FrozenModel], tuple[Any, ...]]:
        """Be compiled again wherever a copy arrives, from the same network and weights."""
        own = self._otherwise
        return FrozenModel, (own.network, own.program.parameters(), own.inputs)

    def __repr__(self) -> str:
        return f"FrozenModel({self.input_shape[1]} -> {self.output_shape[1]}, {self.dtype})"


def _predict_of(network: NetworkSpec, parameters: Parameters, inputs: Inputs) -> Callable[..., Array]:
    return FrozenModel(network, parameters, inputs).predict
