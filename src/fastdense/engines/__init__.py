"""The protocol that every engine implements, and choosing an engine by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastdense import libraries
from fastdense.array.backend import Backend
from fastdense.core.spec import ActivationSpec, LossSpec, NetworkSpec, TrainingSpec, group_slices
from fastdense.errors import EngineError
from fastdense.libraries import Library, installed

__all__ = [
    "Batches",
    "Engine",
    "Library",
    "Parameters",
    "Predict",
    "Program",
    "Slots",
    "activate",
    "at_most",
    "available",
    "backend_of",
    "choose",
    "dense",
    "input_gradient",
    "installed",
    "known",
    "library_named",
    "losses",
    "name_of",
    "placed",
]

Array = Any
"""An array of the engine's own library, NumPy's for the engines that this machine always has."""
Parameters = Sequence[Sequence[Array]]
"""One sequence of arrays for every layer; see `fastdense.core.spec`."""
Predict = Callable[..., Array]
"""``predict(X, out=None)``: the outputs of rows, shape (m, n_out), in ``out`` if given."""
Slots = Sequence[Sequence[Array]]
"""The optimizer's arrays, one sequence per trained parameter; see `core.spec.SGDSpec.slots`."""


class Batches(NamedTuple):
    """The rows to train on, the order to take them in, and what else changes from step to step.

    Attributes
    ----------
    X : array of shape (m, n_in), the network's dtype
        Or rows that are mostly zeros: an array or matrix of SciPy's in the CSR format, without doubles and
        its columns in order. They are never written out in full, except for some rows at a time by some
        engines. The other methods of a program take them too.
    y : array of shape (m, n_out), the network's dtype; for sparse categorical cross-entropy the class
        indices, int64 of shape (m,)
    sample_weight : array of shape (m,), the network's dtype, or None for ones
    order : int64 array of shape (k,)
        Row numbers; each batch is the next ``batch_size`` of them and the last one may be shorter.
    batch_size : int
    penalty_scale : float64 array of shape (steps,), or None for ones
        What each step's penalties are multiplied by, in its loss and in its gradient.
    weight_decay : float64 array of shape (steps,), or None for the optimizer's own
    dropout : mapping of int to float64 array of shape (steps,)
        The rates of dropout layers by their ``stream``; those left out drop at their own rate.
    """

    X: Array
    y: Array
    sample_weight: Array | None
    order: NDArray[np.int64]
    batch_size: int
    penalty_scale: NDArray[np.float64] | None = None
    weight_decay: NDArray[np.float64] | None = None
    dropout: Mapping[int, NDArray[np.float64]] = MappingProxyType({})


class Program(Protocol):
    """A compiled network: its plan, its parameters, its optimizer's state.

    Inputs have been checked by the caller: shapes agree and dtypes are the network's.
    """

    @property
    def network(self) -> NetworkSpec:
        """The network that it was compiled from."""

    @property
    def steps(self) -> int:
        """How many steps have been applied since the program was compiled."""

    def predict(self, X: Array, out: Array | None = None) -> Array:
        """Return the network's outputs, shape (m, n_out), in ``out`` if given."""

    def predictor(self, otherwise: Predict) -> Predict:
        """Return a ``predict(X, out=None)`` with the least overhead, for unchecked arguments.

        It computes only for a matrix of this network's with an ``out`` that fits, and leaves the rest to
        ``otherwise``. Pickled or copied, it becomes what ``otherwise.__reduce__()`` says.
        """

    def losses(self, X: Array, y: Array, outputs: Array | None = None) -> NDArray[np.float64]:
        """Return each row's loss, shape (m,), unweighted and without penalties, dropout off.

        ``outputs``, an array of shape (m, n_out), is filled with the predictions if given.
        """

    def penalty(self) -> float:
        """Return the sum of the L1 and L2 penalties at the current parameters."""

    def gradients(self, X: Array, y: Array, sample_weight: Array | None) -> tuple[float, list[Array]]:
        """Return the loss of all rows as one batch, penalties included, and its gradient, dropout off.

        The loss is ``sum(sample_weight * losses) / m + penalty``; one gradient a trainable parameter.
        """

    def train(
        self,
        batches: Batches,
        learning_rates: NDArray[np.float64],
        first_step: int,
        outputs: Array | None = None,
    ) -> NDArray[np.float64]:
        """Run one optimizer step for every learning rate and return each step's loss.

        A step's loss is taken before its update, penalties included, dropout on. ``first_step`` numbers
        the first step since training began, from 0: it keys the dropout masks and Adam's bias correction.
        ``outputs``, of shape (len(order), n_out), is filled with the outputs that the losses were taken
        from, in the order of ``order``. A step whose loss is not finite is not applied: training stops
        there, with that loss as the last one returned.
        """

    def parameters(self) -> list[tuple[Array, ...]]:
        """Return the current parameters, arrays that the program will not write to again."""

    def set_parameters(self, parameters: Parameters) -> None:
        """Replace the trainable parameters by copies of these, one tuple per layer as in `parameters`.

        Arrays that are not trained stay as they were compiled, and their values here are ignored;
        the optimizer's state and the count of steps stay too. What `predictor` returned before predicts with
        the new ones.
        """

    def slots(self) -> list[tuple[Array, ...]]:
        """Return the optimizer's state, arrays that the program will not write to again."""


class Engine(Protocol):
    """Compiles networks."""

    name: str

    def compile(
        self,
        network: NetworkSpec,
        parameters: Parameters,
        training: TrainingSpec | None = None,
        slots: Slots | None = None,
    ) -> Program:
        """Return a program that starts from copies of ``parameters`` and ``slots`` (fresh where None)."""


def available() -> tuple[str, ...]:
    """Return the names that `choose` accepts everywhere, besides "auto"; `installed` has the libraries'."""
    return ("native", "array", "reference")


def known() -> tuple[str, ...]:
    """Return every engine's name, that of libraries included, whether they are installed or not."""
    return (*available(), *libraries.LIBRARIES)


def choose(name: str | Library = "auto") -> Engine:
    """Return an engine by name.

    Parameters
    ----------
    name : str or Library
        "native", "array", "reference" or "auto": the one that the environment variable
        ``FASTDENSE_ENGINE`` names, or else "native", the fastest for NumPy arrays. An array library's name,
        "torch", "jax", "tensorflow" or "cupy", with a device after a colon if it is not the
        library's default: "torch:cuda", "jax:gpu:1". A `Library` says more.

    Raises
    ------
    EngineError
        The engine is unknown, its library is not installed, or it has no such device. A named engine that
        cannot run raises; none is replaced by another.
    """
    name = name_of(name)
    if name == "native":
        from fastdense.native.program import NativeEngine

        return NativeEngine()
    if name == "reference":
        from fastdense.reference.program import ReferenceEngine

        return ReferenceEngine()
    from fastdense.array.program import ArrayEngine
    from fastdense.native import dropout_mask

    return ArrayEngine(backend_of(name), dropout_mask)


def name_of(name: str | Library = "auto") -> str | Library:
    """Return what "auto" stands for here, or ``name`` itself."""
    if name == "auto":
        name = os.environ.get("FASTDENSE_ENGINE") or "auto"
    return "native" if name == "auto" else name


def library_named(name: str | Library) -> Library | None:
    """Return the array library that an engine computes with, None for the engines that need none.

    Raises
    ------
    EngineError
        The engine is unknown.
    """
    name = name_of(name)
    if not isinstance(name, str | Library):
        raise TypeError(f"an engine is a name or a Library, got {name!r}")
    library = libraries.parse(name) if isinstance(name, str) else name
    if library is None and name not in available():
        raise EngineError(
            f"there is no engine {name!r}; choose one of {', '.join(available())} or 'auto', or an array "
            f"library, {', '.join(libraries.LIBRARIES)}, as in 'torch' or 'torch:cuda:0'"
        )
    return library


def placed(name: str | Library) -> object:
    """Return an engine with the device that it computes on now: a library's default may change."""
    if isinstance(name, str) and (name == "auto" or name in available()):
        return name
    return name, backend_of(name).name


@cache
def _numpy() -> Backend:
    return Backend("array", np)


def backend_of(name: str | Library) -> Backend:
    """Return what the array engine of that name computes by."""
    library = library_named(name)
    return _numpy() if library is None else libraries.backend_of(library)


def dense(
    xp: Any,
    A_in: Array,
    W: Array,
    B: Array | None,
    activation: ActivationSpec,
    out: Array | None = None,
    curve: Callable[[ActivationSpec, Array], Array] | None = None,
) -> Array:
    """Return ``g(A_in @ W + B)``, in ``out`` if given, for arrays of the namespace ``xp``.

    Parameters
    ----------
    xp : namespace
        The array library; with NumPy the native kernels compute.
    A_in : array of shape (m, n_in), floating
    W : array of shape (n_in, n_units), same dtype
    B : array of shape (n_units,) or (1, n_units), same dtype, or None for no bias
    activation : ActivationSpec
    out : array of shape (m, n_units), same dtype, optional
    curve : function of the activation and Z, optional
        Computes ``g(Z)`` so that the library can differentiate it. NumPy needs none.

    Returns
    -------
    A_out : array of shape (m, n_units), same dtype; ``out`` if given
    """
    if xp is np:
        from fastdense.native import dense as native_dense

        if activation.groups:
            rows = native_dense(A_in, W, B, out=out)
            rows[...] = activate(activation, rows)
            return rows
        return native_dense(A_in, W, B, activation.name, activation.alpha, out=out)
    from fastdense.array.layers import dense as array_dense

    outputs = array_dense(xp, A_in, W, B, activation, curve)[1]
    if out is None:
        return outputs
    out[...] = outputs
    return out


def activate(activation: ActivationSpec, x: NDArray[Any]) -> NDArray[Any]:
    """Return ``g(x)`` for a floating NumPy array.

    Parameters
    ----------
    activation : ActivationSpec
    x : NumPy array of any shape, floating
        What is neither float32 nor float64 is computed in float64.

    Returns
    -------
    g : array of the same shape and dtype
    """
    from fastdense.native import activate as native_activate

    dtype = x.dtype if x.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    groups = group_slices(activation, x.shape[-1] if x.ndim else 1)
    if len(groups) > 1:
        of_group = replace(activation, groups=())
        return np.concatenate([activate(of_group, x[..., group]) for group in groups], axis=-1)
    values = np.ascontiguousarray(x, dtype=dtype.newbyteorder("="))
    return native_activate(activation.name, values, activation.alpha).astype(x.dtype, copy=False)


def at_most(threads: int | None) -> AbstractContextManager[None]:
    """Return a context in which calls of this thread use no more threads: `fastdense.native.at_most`."""
    from fastdense.native import at_most as native_at_most

    return native_at_most(threads)


def losses(loss: LossSpec, y: NDArray[Any], outputs: NDArray[Any]) -> NDArray[Any]:
    """Return the loss of every row, for NumPy arrays.

    Parameters
    ----------
    loss : LossSpec
    y : array of shape (m, n_out), same dtype as ``outputs``; for sparse categorical cross-entropy the class
        indices, int64 of shape (m,)
    outputs : array of shape (m, n_out), float32 or float64

    Returns
    -------
    losses : array of shape (m,), same dtype as ``outputs``
    """
    from fastdense.array.losses import losses as array_losses

    values: NDArray[Any] = array_losses(np, loss, y, outputs)
    return values


def input_gradient(
    network: NetworkSpec, parameters: Parameters, X: NDArray[Any], weights: NDArray[Any]
) -> NDArray[Any]:
    """Return the gradient of ``sum(weights * A_out)`` by a network's inputs, dropout off, for NumPy arrays.

    Parameters
    ----------
    network : NetworkSpec
    parameters : sequence of one tuple of arrays per layer
    X : array of shape (m, n_in), the network's dtype
    weights : array of shape (m, n_out), same dtype
        Of every output. A row whose output ``k`` has the weight 1 and whose others have 0 gets the
        gradient of its output ``k``.

    Returns
    -------
    dX : array of shape (m, n_in), same dtype
    """
    from fastdense.array import network as matrices

    traces = matrices.forward(np, network, parameters, X)
    values: NDArray[Any] = matrices.input_gradient(np, network, parameters, traces, weights)
    return values
