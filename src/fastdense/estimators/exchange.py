"""Fitted estimators to networks, from scikit-learn's own and back to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import neural_network
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fastdense.activations import ActivationFunction
from fastdense.core.curves import CURVES
from fastdense.core.spec import ActivationSpec, DenseSpec
from fastdense.estimators.blueprint import hidden_activations
from fastdense.estimators.inference import Inference, fitted_network
from fastdense.estimators.labels import LABELS, MANY
from fastdense.estimators.parameters import ACTIVATION_NAMES
from fastdense.layers import Dense, Input
from fastdense.models.sequential import Sequential

if TYPE_CHECKING:
    from fastdense.estimators.classifier import MLPClassifier
    from fastdense.estimators.mlp import BaseMLP
    from fastdense.estimators.regressor import MLPRegressor

__all__ = ["from_sklearn", "to_network", "to_sklearn"]

Array = NDArray[Any]

THEIRS = {True: neural_network.MLPClassifier, False: neural_network.MLPRegressor}
# What a fit leaves that both have; the weights apart.
_RECORDS = (
    "loss_", "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_", "n_iter_", "t_",
    "n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "feature_names_in_", "classes_",
    "_no_improvement_count",
)  # fmt: skip


def from_sklearn(estimator: Any) -> MLPClassifier | MLPRegressor:
    """Return fastdense's estimator for scikit-learn's `MLPClassifier` or `MLPRegressor`.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted or not.

    Returns
    -------
    MLPClassifier or MLPRegressor
        With the same parameters; where the other is fitted, with its weights in their dtype
        (``dtype="auto"``). It predicts and scores the same, and ``partial_fit`` goes on from there with a new
        optimizer.

    Raises
    ------
    TypeError
        It is neither.
    """
    from fastdense.estimators.classifier import MLPClassifier
    from fastdense.estimators.regressor import MLPRegressor

    if not isinstance(estimator, neural_network.MLPClassifier | neural_network.MLPRegressor):
        raise TypeError(
            f"from_sklearn takes scikit-learn's MLPClassifier or MLPRegressor, not {estimator!r:.200}"
        )
    kind = MLPClassifier if is_classifier(estimator) else MLPRegressor
    known = THEIRS[is_classifier(estimator)]().get_params()
    made = kind(dtype="auto", **{name: getattr(estimator, name) for name in known})
    if not hasattr(estimator, "coefs_"):
        return made
    made._start_records()
    _copy_records(estimator, made)
    if is_classifier(estimator):
        binarizer = estimator._label_binarizer
        made._label_kind, made._sparse_labels = binarizer.y_type_, binarizer.sparse_input_
    made.coefs_, made.intercepts_ = _read_only(estimator.coefs_), _read_only(estimator.intercepts_)
    made._best_coefs, made._best_intercepts = made.coefs_, made.intercepts_
    made.validation_loss_curve_, made.stopped_, made._inference = None, False, Inference()
    return made


def to_sklearn(estimator: BaseMLP) -> Any:
    """Return scikit-learn's estimator for a fitted one of fastdense's.

    Raises
    ------
    NotFittedError
    ValueError
        scikit-learn's has no such activation, loss or labels; it is named.
    """
    check_is_fitted(estimator)
    if getattr(estimator, "_label_kind", None) == MANY:
        raise ValueError("scikit-learn's MLPClassifier has no targets of several columns of classes")
    kind = THEIRS[is_classifier(estimator)]
    known = estimator.get_params(deep=False) | {"activation": _their_activation(estimator)}
    made = kind(**{name: known[name] for name in kind().get_params()})
    made._validate_params()
    _copy_records(estimator, made)
    made.coefs_ = [coef.copy() for coef in estimator.coefs_]
    made.intercepts_ = [intercept.copy() for intercept in estimator.intercepts_]
    made._best_coefs, made._best_intercepts = made.coefs_, made.intercepts_
    made._random_state = check_random_state(estimator.random_state)
    if is_classifier(estimator):
        made._label_binarizer = _binarizer(estimator)
    return made


def to_network(estimator: BaseMLP) -> Sequential:
    """Return a fitted estimator's network: to freeze and serve, to save, or to compile and train on.

    Its outputs are what `predict_proba` returns (of two classes the second one's probability), or a
    regressor's predictions as a matrix.

    Raises
    ------
    NotFittedError
    """
    check_is_fitted(estimator)
    spec = fitted_network(estimator)
    dense = [
        Dense(layer.n_units, _curve(layer.activation))
        for layer in spec.layers
        if isinstance(layer, DenseSpec)
    ]
    network = Sequential([Input((spec.n_in,)), *dense], dtype=spec.dtype, engine=estimator.engine)
    pairs = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    network.set_weights([array for pair in pairs for array in pair])
    return network


def _their_activation(estimator: BaseMLP) -> Any:
    """Return the activation by scikit-learn's name, where all hidden layers have one that it knows."""
    found = {spec.name for spec in hidden_activations(estimator, len(estimator.coefs_) - 1)}
    if len(found) != 1:
        return estimator.activation
    name, theirs = found.pop(), {ours: theirs for theirs, ours in ACTIVATION_NAMES.items()}
    return theirs.get(name, name)


def _curve(spec: ActivationSpec) -> ActivationFunction:
    has_alpha = CURVES[spec.name].alpha is not None
    return ActivationFunction(spec.name, spec.alpha if has_alpha else None, spec.groups)


def _copy_records(one: Any, other: Any) -> None:
    """Copy what a fit left on one estimator to another."""
    for name in _RECORDS:
        if hasattr(one, name):
            value = getattr(one, name)
            setattr(other, name, list(value) if isinstance(value, list) else value)


def _read_only(arrays: list[Array]) -> list[Array]:
    copies = [array.copy() for array in arrays]
    for array in copies:
        array.flags.writeable = False
    return copies


def _binarizer(estimator: Any) -> LabelBinarizer:
    """Return what scikit-learn's classifier turns classes into numbers with."""
    classes = estimator.classes_
    labels = np.eye(len(classes), dtype=int)
    if estimator._label_kind == LABELS:
        return LabelBinarizer().fit(csr_matrix(labels) if estimator._sparse_labels else labels)
    return LabelBinarizer().fit(classes)
