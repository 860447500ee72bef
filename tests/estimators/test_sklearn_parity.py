"""The same seed gives scikit-learn's fit: in float64 to the last digits, in float32 the same scores."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
THEIRS = {MLPClassifier: TheirClassifier, MLPRegressor: TheirRegressor}
CLASSES, NUMBERS = (data.X_DIGITS, data.Y_DIGITS), (data.X_NUMBERS, data.Y_NUMBERS)
TWO = (data.X_DIGITS, data.Y_DIGITS > 4)

# Estimator, data, parameters. 500 rows make batches of 200, 200 and 100: penalties differ from step to step.
CASES = {
    "adam": (MLPClassifier, CLASSES, {}),
    "two classes": (MLPClassifier, TWO, {}),
    "words": (MLPClassifier, (data.X_IRIS, data.WORDS), {}),
    "labels": (MLPClassifier, (data.X_LABELS, data.Y_LABELS), {}),
    "one class": (MLPClassifier, (data.X_IRIS, np.zeros(150)), {}),
    "sgd": (MLPClassifier, CLASSES, {"solver": "sgd"}),
    "no momentum": (MLPClassifier, CLASSES, {"solver": "sgd", "momentum": 0}),
    "all momentum": (MLPRegressor, NUMBERS, {"solver": "sgd", "momentum": 1.0, "max_iter": 5}),
    "plain momentum": (MLPClassifier, CLASSES, {"solver": "sgd", "nesterovs_momentum": False}),
    "invscaling": (MLPClassifier, CLASSES, {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3}),
    "adaptive": (
        MLPClassifier,
        (data.X_IRIS, data.Y_IRIS),
        {
            "solver": "sgd",
            "learning_rate": "adaptive",
            "learning_rate_init": 0.5,
            "max_iter": 99,
            "tol": 0.01,
        },
    ),
    "strong penalty": (MLPClassifier, CLASSES, {"alpha": 3.0}),
    "odd batches": (MLPClassifier, CLASSES, {"batch_size": 77}),
    "in order": (MLPClassifier, CLASSES, {"shuffle": False}),
    "early stopping": (MLPClassifier, TWO, {"early_stopping": True, "max_iter": 200, "n_iter_no_change": 3}),
    "early stopping, classes": (MLPClassifier, CLASSES, {"early_stopping": True, "max_iter": 30}),
    "early stopping, counts": (
        MLPRegressor,
        (data.X_NUMBERS, data.Y_COUNTS),
        {"early_stopping": True, "loss": "poisson", "solver": "sgd", "learning_rate": "invscaling"},
    ),
    "early stopping, numbers": (MLPRegressor, NUMBERS, {"early_stopping": True, "max_iter": 60}),
    "logistic": (MLPClassifier, CLASSES, {"activation": "logistic"}),
    "tanh": (MLPClassifier, CLASSES, {"activation": "tanh", "hidden_layer_sizes": (20, 10)}),
    "identity": (MLPRegressor, NUMBERS, {"activation": "identity"}),
    "constants": (MLPClassifier, CLASSES, {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}),
    "no hidden layer": (MLPClassifier, CLASSES, {"hidden_layer_sizes": ()}),
    "no hidden layer, logistic": (
        MLPClassifier,
        CLASSES,
        {"hidden_layer_sizes": (), "activation": "logistic"},
    ),
    "stops": (MLPClassifier, (data.X_IRIS, data.Y_IRIS), {"tol": 0.05, "max_iter": 300}),
    "numbers": (MLPRegressor, NUMBERS, {}),
    "three numbers": (MLPRegressor, (data.X_NUMBERS, data.Y_THREE), {}),
    "counts": (MLPRegressor, (data.X_NUMBERS, data.Y_COUNTS), {"loss": "poisson"}),
    "lbfgs": (MLPClassifier, CLASSES, {"solver": "lbfgs", "max_iter": 8}),
    "lbfgs, counts": (
        MLPRegressor,
        (data.X_NUMBERS, data.Y_COUNTS),
        {"solver": "lbfgs", "loss": "poisson", "max_iter": 4},
    ),
}


def both(name, **more):
    kind, (X, y), given = CASES[name]
    arguments = {"max_iter": 10, "random_state": 3, "hidden_layer_sizes": (30,)} | given | more
    return THEIRS[kind](**arguments), kind(dtype="float64", **arguments), X, y


def assert_same_fit(ours, theirs, tolerance=1e-9):
    for found, expected in zip(
        [*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True
    ):
        assert found.dtype == expected.dtype == np.float64
        assert_within(found, expected, tolerance)
    for name in ("n_iter_", "n_layers_", "n_outputs_", "n_features_in_", "out_activation_", "t_"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_fit_is_scikit_learns(name, weighted):
    theirs, ours, X, y = both(name)
    weights = np.random.default_rng(1).uniform(0.2, 3, len(X)) if weighted else None
    theirs.fit(X, y, sample_weight=weights)
    ours.fit(X, y, sample_weight=weights)
    assert_same_fit(ours, theirs)
    outputs = [e.predict_proba(X) if hasattr(e, "predict_proba") else e.predict(X) for e in (ours, theirs)]
    assert_within(*outputs, 1e-8)
    assert np.array_equal(ours.predict(X), theirs.predict(X)) or not hasattr(ours, "classes_")
    # Of several outputs we show the mean of the whole loss, scikit-learn the mean but for the penalty.
    shown = 1e-9 if name != "three numbers" else 1e-3
    assert_within(ours.loss_, theirs.loss_, shown * (1 + abs(theirs.loss_)))
    if "lbfgs" not in name:
        assert_within(ours.loss_curve_, theirs.loss_curve_, shown * (1 + abs(theirs.loss_curve_[0])))
        assert (ours.validation_scores_ is None) == (theirs.validation_scores_ is None)
    if ours.validation_scores_ is not None:
        assert_within(ours.validation_scores_, theirs.validation_scores_, 1e-9)
        assert_within(ours.best_validation_score_, theirs.best_validation_score_, 1e-9)


@pytest.mark.parametrize("name", ["adam", "two classes", "sgd", "invscaling", "labels", "counts"])
def test_partial_fits_and_warm_starts_are_scikit_learns(name):
    theirs, ours, X, y = both(name, warm_start=True, max_iter=2)
    classes = {} if name == "counts" else {"classes": range(5) if name == "labels" else np.unique(y)}
    for estimator in (theirs, ours):
        estimator.partial_fit(X[:90], y[:90], **classes)
        estimator.partial_fit(X[90:], y[90:])
        estimator.partial_fit(X, y, sample_weight=np.arange(1.0, len(X) + 1))
    assert_same_fit(ours, theirs)
    for estimator in (theirs, ours):
        estimator.fit(X, y)
        estimator.set_params(max_iter=3).fit(X, y)
    assert_same_fit(ours, theirs)
    assert_within(ours.loss_curve_, theirs.loss_curve_, 1e-9 * (1 + abs(theirs.loss_curve_[0])))


@pytest.mark.parametrize("engine", ["array", "reference"])
def test_every_engine_fits_the_same(engine):
    X, y = data.X_IRIS, data.Y_IRIS
    arguments = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0, "dtype": "float64"}
    found = MLPClassifier(engine=engine, **arguments).fit(X, y)
    expected = MLPClassifier(engine="native", **arguments).fit(X, y)
    for one, other in zip(found.coefs_, expected.coefs_, strict=True):
        assert_within(one, other, 1e-12)


def test_float32_follows_within_its_rounding():
    theirs, ours, X, y = both("adam")
    ours.set_params(dtype="float32").fit(X, y)
    theirs.fit(X, y)
    for found, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert found.dtype == np.float32
        assert_within(found, expected, 1e-4)
    assert_within(ours.predict_proba(X), theirs.predict_proba(X), 1e-4)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits, load_diabetes])
def test_cross_validated_scores_are_scikit_learns(load):
    """In float32, by default parameters: chaos makes single fits differ, and their scores hardly."""
    X, y = load(return_X_y=True)
    kinds = (MLPRegressor, TheirRegressor) if load is load_diabetes else (MLPClassifier, TheirClassifier)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours, theirs = (
            cross_val_score(make_pipeline(StandardScaler(), kind(random_state=0)), X, y, cv=3)
            for kind in kinds
        )
    assert_within(ours.mean(), theirs.mean(), 0.01)
