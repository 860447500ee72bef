"""Copies, pickles, scikit-learn's estimators and fastdense's networks: each of them predicts the same."""

from __future__ import annotations

import copy
import pickle

import joblib
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS
TARGETS = {
    "classes": Y,
    "words": data.WORDS,
    "two": Y > 0,
    "one": np.zeros(150, dtype=int),
    "labels": np.c_[Y > 0, Y > 1].astype(int),
}
CHOSEN = {"hidden_layer_sizes": (7, 5), "max_iter": 20, "random_state": 0}


def outputs(estimator):
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)


def through_a_file(estimator, path):
    joblib.dump(estimator, path / "model.joblib")
    return joblib.load(path / "model.joblib", mmap_mode="r")


COPIES = {
    "pickle": lambda estimator, path: pickle.loads(pickle.dumps(estimator)),
    "copy": lambda estimator, path: copy.copy(estimator),
    "deepcopy": lambda estimator, path: copy.deepcopy(estimator),
    "mapped file": through_a_file,
}


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("way", COPIES)
def test_copies_predict_and_go_on_the_same(way, solver, tmp_path):
    model = MLPClassifier(solver=solver, dropout=0.0 if solver == "lbfgs" else 0.2, **CHOSEN).fit(X, Y)
    model.predict(X)
    twin = COPIES[way](model, tmp_path)
    assert_within(outputs(twin), outputs(model), 0.0)
    if solver == "lbfgs" or way == "copy":  # a shallow copy shares the optimizer, as scikit-learn's does
        return
    for one in (twin, model):
        one.partial_fit(X, Y).partial_fit(X[:60], Y[:60])
    assert_within(outputs(twin), outputs(model), 0.0)


def test_a_pickle_holds_no_compiled_program():
    model = MLPClassifier(**CHOSEN).fit(X, Y)
    before = len(pickle.dumps(model))
    model.predict(X)
    assert len(pickle.dumps(model)) == before < 12 * 8 * sum(coef.size for coef in model.coefs_) + 5000


def test_a_clone_is_unfitted_and_has_the_parameters():
    optimizer = fd.optimizers.AdamW(fd.optimizers.schedules.CosineDecay(0.01, 100))
    chosen = {"optimizer": optimizer, "dropout": 0.1, "class_weight": "balanced", "random_state": 0}
    model = MLPClassifier((4,), "gelu", **chosen).fit(X, Y)
    twin = clone(model)
    assert not hasattr(twin, "coefs_")
    for name, value in model.get_params().items():
        assert repr(getattr(twin, name)) == repr(value)
    assert_within(outputs(twin.fit(X, Y)), outputs(model), 0.0)


@pytest.mark.parametrize("name", TARGETS)
def test_classifiers_to_scikit_learn_and_back(name):
    y = TARGETS[name]
    theirs = TheirClassifier(**CHOSEN).fit(X, y)
    ours = fd.from_sklearn(theirs)
    assert_within(outputs(ours), outputs(theirs), 1e-12)
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, y) == theirs.score(X, y)
    again = ours.to_sklearn()
    assert type(again) is TheirClassifier
    assert_within(outputs(again), outputs(theirs), 0.0)
    assert np.array_equal(again.predict(X), theirs.predict(X))
    for one in (again, ours):
        one.partial_fit(X, y)
    assert_within(outputs(ours), outputs(again), 1e-9)
    mine = MLPClassifier(**CHOSEN).fit(X, y)
    assert_within(outputs(mine.to_sklearn()), outputs(mine), 1e-5)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_regressors_to_scikit_learn_and_back(loss, solver):
    theirs = TheirRegressor(loss, solver=solver, **CHOSEN).fit(X, Y)
    ours = fd.from_sklearn(theirs)
    assert_within(ours.predict(X), theirs.predict(X), 1e-11)
    assert_within(ours.to_sklearn().predict(X), theirs.predict(X), 0.0)


def test_what_cannot_be_exchanged_is_named():
    assert fd.from_sklearn(TheirClassifier((3,), alpha=0.5)).alpha == 0.5
    with pytest.raises(TypeError, match="takes scikit-learn's MLPClassifier or MLPRegressor, not"):
        fd.from_sklearn(MLPClassifier())
    with pytest.raises(NotFittedError):
        MLPClassifier().to_sklearn()
    with pytest.raises(ValueError, match="The 'activation' parameter of MLPClassifier"):
        MLPClassifier(activation="gelu", max_iter=1).fit(X, Y).to_sklearn()
    with pytest.raises(ValueError, match="The 'loss' parameter of MLPRegressor"):
        MLPRegressor("huber", max_iter=1).fit(X, Y).to_sklearn()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TARGETS)
def test_the_network_of_a_classifier(name, dtype, tmp_path):
    model = MLPClassifier(dtype=dtype, activation=["tanh", "elu"], **CHOSEN).fit(X, TARGETS[name])
    network = model.to_network()
    expected = outputs(model)[:, -network.output_shape[1] :]
    assert network.dtype == dtype
    assert_within(network.predict(X), expected, 0.0)
    assert_within(network.freeze().predict(X), expected, 0.0)
    network.save(tmp_path / "m.safetensors")
    assert_within(fd.load(tmp_path / "m.safetensors").predict(X), expected, 0.0)
    model.partial_fit(X, TARGETS[name])
    assert_within(network.predict(X), expected, 0.0)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "quantile"])
def test_the_network_of_a_regressor(loss):
    for y in (Y, np.c_[Y, Y + 1]):
        model = MLPRegressor(loss, **CHOSEN).fit(X, y)
        assert_within(model.to_network().predict(X), model.predict(X).reshape(150, -1), 0.0)
    with pytest.raises(NotFittedError):
        MLPRegressor().to_network()
