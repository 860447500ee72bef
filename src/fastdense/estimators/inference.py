"""Prediction: a compiled network behind the fewest checks that keep scikit-learn's promises."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from fastdense import engines
from fastdense.core.spec import DenseSpec, NetworkSpec
from fastdense.estimators.blueprint import grouped, hidden_activations
from fastdense.estimators.rows import as_matrix

if TYPE_CHECKING:
    from fastdense.estimators.mlp import BaseMLP

__all__ = ["Inference", "Ready", "fitted_network", "outputs_of"]

Array = NDArray[Any]
_PLAIN = (np.dtype(np.float32), np.dtype(np.float64))


class Ready(NamedTuple):
    """A fitted network, compiled.

    Attributes
    ----------
    run : callable
        ``run(X)`` for matrices of the network's dtype.
    arrays : list of array
        The weights that it was compiled from, and
    settings : tuple
        the parameters: it stands for an estimator that still has them.
    dtype : numpy dtype
    """

    run: Callable[..., Array]
    arrays: list[Array]
    settings: tuple[Any, ...]
    dtype: np.dtype[Any]


class Inference:
    """Where an estimator keeps its compiled network: made at the first prediction, left out of pickles."""

    def __init__(self) -> None:
        self.ready: Ready | None = None

    def __reduce__(self) -> tuple[type[Inference], tuple[()]]:
        """Start anew in a copy."""
        return Inference, ()


def fitted_network(estimator: BaseMLP) -> NetworkSpec:
    """Return the network that the fitted weights are of, as in prediction: without dropout and penalties."""
    curves = [*hidden_activations(estimator, len(estimator.coefs_) - 1), estimator._out_curve()]
    shapes = zip(estimator.coefs_, curves, strict=True)
    layers = tuple(DenseSpec(coef.shape[0], coef.shape[1], curve) for coef, curve in shapes)
    return NetworkSpec(estimator.n_features_in_, layers, str(estimator.coefs_[0].dtype))


def outputs_of(estimator: BaseMLP, X: Any) -> Array:
    """Return the network's outputs for rows, validated as scikit-learn does.

    A NumPy matrix of plain finite numbers, which validation would return as it is, skips validation: for one
    row that takes ten times as long as all the rest.
    """
    if "coefs_" not in estimator.__dict__:
        check_is_fitted(estimator, "coefs_")
    ready = estimator._inference.ready
    if ready is None or not _stands_for(ready, estimator):
        ready = _compiled(estimator)
    if _is_plain(X, estimator):
        matrix = X.astype(ready.dtype, copy=False)
    else:
        X = validate_data(estimator, X, accept_sparse=["csr", "csc"], reset=False)
        matrix = as_matrix(X, str(ready.dtype))
    if estimator.n_threads is None:
        return ready.run(matrix)
    with engines.at_most(estimator.n_threads):
        return ready.run(matrix)


def _is_plain(X: Any, estimator: BaseMLP) -> bool:
    if (
        type(X) is not np.ndarray
        or X.dtype not in _PLAIN
        or X.ndim != 2
        or "feature_names_in_" in estimator.__dict__
    ):
        return False
    rows, columns = X.shape
    if columns != estimator.n_features_in_ or rows == 0:
        return False
    largest = np.abs(X).max()
    return bool(largest < 3e38)  # finite, as float32 too; NaN is not below anything


def _stands_for(ready: Ready, estimator: BaseMLP) -> bool:
    arrays = [*estimator.coefs_, *estimator.intercepts_]
    same = len(arrays) == len(ready.arrays) and all(map(operator.is_, arrays, ready.arrays))
    return same and ready.settings == _settings(estimator)


def _settings(estimator: BaseMLP) -> tuple[Any, ...]:
    given = estimator.activation
    return tuple(given) if isinstance(given, list) else given, estimator.engine


def _compiled(estimator: BaseMLP) -> Ready:
    network, coefs, intercepts = fitted_network(estimator), [*estimator.coefs_], [*estimator.intercepts_]
    program = engines.choose(estimator.engine).compile(network, grouped(network, coefs, intercepts))
    for array in (*coefs, *intercepts):
        array.flags.writeable = False  # written to, it would no longer be what predicts
    dtype = np.dtype(network.dtype)
    ready = Ready(program.predictor(program.predict), [*coefs, *intercepts], _settings(estimator), dtype)
    estimator._inference.ready = ready
    return ready
