"""scikit-learn's estimators to fastdense's."""

from __future__ import annotations

from typing import Any

from sklearn import neural_network
from sklearn.base import is_classifier

from fastdense.core.arrays import Array
from fastdense.estimators.classifier import MLPClassifier
from fastdense.estimators.exports import LEARNED, THEIRS
from fastdense.estimators.goal import Goal, Numbers
from fastdense.estimators.labels import labels_with
from fastdense.estimators.mlp import adopt
from fastdense.estimators.regressor import MLPRegressor, loss_of
from fastdense.estimators.state import FitState

__all__ = ["from_sklearn"]


def from_sklearn(estimator: Any) -> MLPClassifier | MLPRegressor:
    """Return fastdense's estimator for scikit-learn's `MLPClassifier` or `MLPRegressor`.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted or not.

    Returns
    -------
    MLPClassifier or MLPRegressor
        With the same parameters; if the other is fitted, with its weights in their dtype (``dtype="auto"``).
        It predicts and scores the same, and ``partial_fit`` goes on from there with a new optimizer.

    Raises
    ------
    TypeError
        It is neither.
    """
    if not isinstance(estimator, neural_network.MLPClassifier | neural_network.MLPRegressor):
        raise TypeError(
            f"from_sklearn takes scikit-learn's MLPClassifier or MLPRegressor, not {estimator!r:.200}"
        )
    classifies = is_classifier(estimator)
    known = {name: getattr(estimator, name) for name in THEIRS[classifies]().get_params()}
    made = (MLPClassifier if classifies else MLPRegressor)(dtype="auto", **known)
    if not hasattr(estimator, "coefs_"):
        return made
    made.__dict__.update({name: value for name, value in vars(estimator).items() if name in LEARNED})
    goal: Goal = (
        Numbers.of(estimator.n_outputs_, loss_of(made))
        if isinstance(made, MLPRegressor)
        else labels_with(estimator._label_binarizer)
    )
    state = FitState.of(estimator, goal)
    state.coefs = state.best_coefs = _read_only(estimator.coefs_)
    state.intercepts = state.best_intercepts = _read_only(estimator.intercepts_)
    state.optimizer = None  # scikit-learn's
    adopt(made, state)
    return made


def _read_only(arrays: list[Array]) -> list[Array]:
    copies = [array.copy() for array in arrays]
    for array in copies:
        array.flags.writeable = False
    return copies
