"""Fitted estimators to networks and to scikit-learn's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn import neural_network
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state

from fastdense.activations import ActivationFunction
from fastdense.core.curves import CURVES
from fastdense.core.spec import ActivationSpec
from fastdense.estimators.blueprint import Weights, flat, hidden_activations
from fastdense.estimators.goal import Goal
from fastdense.estimators.labels import Indicators, Labels, ManyLabels
from fastdense.estimators.parameters import ACTIVATION_NAMES, SharedParameters
from fastdense.estimators.state import FitState
from fastdense.layers import Dense, Input
from fastdense.models.sequential import Sequential

__all__ = ["LEARNED", "THEIRS", "to_network", "to_sklearn"]

THEIRS = {True: neural_network.MLPClassifier, False: neural_network.MLPRegressor}
"""scikit-learn's estimators: the one that classifies, and the other."""
LEARNED = ("classes_", "feature_names_in_", "n_features_in_")
"""What validation leaves on a fitted estimator, beside what training does."""
_OURS = {"_goal", "_optimizer", "stopped_", "validation_loss_curve_"}


def to_network(parameters: SharedParameters, weights: Weights, goal: Goal) -> Sequential:
    """Return the network of fitted weights, which learned this goal."""
    coefs = weights[0]
    curves = [*hidden_activations(parameters, len(coefs) - 1), goal.curve]
    dense = [Dense(coef.shape[1], _curve(curve)) for coef, curve in zip(coefs, curves, strict=True)]
    network = Sequential(
        [Input((coefs[0].shape[0],)), *dense], dtype=str(coefs[0].dtype), engine=parameters.engine
    )
    network.set_weights(flat(weights))
    return network


def _curve(spec: ActivationSpec) -> ActivationFunction:
    has_alpha = CURVES[spec.name].alpha is not None
    return ActivationFunction(spec.name, spec.alpha if has_alpha else None, spec.groups)


def to_sklearn(estimator: Any, state: FitState) -> Any:
    """Return scikit-learn's estimator for a fitted one of fastdense's, which is in this state.

    Raises
    ------
    ValueError
        scikit-learn's has no such activation, loss or labels; it is named.
    """
    if isinstance(state.goal, ManyLabels):
        raise ValueError("scikit-learn's MLPClassifier has no targets of several columns of classes")
    kind = THEIRS[is_classifier(estimator)]
    known = estimator.get_params(deep=False) | {"activation": _their_activation(estimator, len(state.coefs))}
    made = kind(**{name: known[name] for name in kind().get_params()})
    made._validate_params()
    learned = {name: value for name, value in vars(estimator).items() if name in LEARNED}
    records = {name: value for name, value in state.attributes().items() if name not in _OURS}
    vars(made).update(learned | records)
    made.coefs_ = made._best_coefs = [coef.copy() for coef in state.coefs]
    made.intercepts_ = made._best_intercepts = [intercept.copy() for intercept in state.intercepts]
    made._random_state = check_random_state(estimator.random_state)
    if isinstance(state.goal, Labels):
        made._label_binarizer = _binarizer(state.goal)
    return made


def _their_activation(parameters: SharedParameters, layers: int) -> Any:
    """Return the activation by scikit-learn's name, if all hidden layers have one that it knows."""
    found = {spec.name for spec in hidden_activations(parameters, layers - 1)}
    if len(found) != 1:
        return parameters.activation
    name, theirs = found.pop(), {ours: theirs for theirs, ours in ACTIVATION_NAMES.items()}
    return theirs.get(name, name)


def _binarizer(labels: Labels) -> LabelBinarizer:
    """Return what scikit-learn's classifier turns classes into numbers with."""
    if not isinstance(labels, Indicators):
        return LabelBinarizer().fit(labels.classes)
    indicators = np.eye(len(labels.classes), dtype=int)
    return LabelBinarizer().fit(csr_matrix(indicators) if labels.sparse else indicators)
