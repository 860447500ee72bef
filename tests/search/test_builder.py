"""Builders: estimators of functions that build models, with the bits of fits alone in every search."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

import fastdense as fd
from fastdense.callbacks import EarlyStopping
from fastdense.search import Builder, GridSearch, HalvingSearch, cross_val
from tests.training.networks import same_weights

RNG = np.random.default_rng(8)
X = RNG.normal([0, 5, 9], size=(60, 3))
y = (X[:, 0] * (X[:, 1] - 5) > 0).astype(np.float32)
CV = KFold(3, shuffle=True, random_state=1)
GRID = {"units": [3, 8], "rate": [0.01, 0.1]}
OPTIONS = {"batch_size": 8, "validation_split": 0.2, "callbacks": [EarlyStopping(patience=2)]}


def build(units=4, rate=0.05, *, seed=0):
    model = fd.Sequential([fd.Normalization(), fd.Dense(units, "tanh"), fd.Dense(1, "sigmoid")], seed=seed)
    model.compile(fd.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def by_hand(rows, epochs, **parameters):
    model = build(**parameters)
    model.layers[0].adapt(X[rows[: int(len(rows) * 0.8)]])
    own = {**OPTIONS, "callbacks": EarlyStopping(patience=2)}
    model.fit(X[rows], y[rows], epochs=epochs, verbose=0, **own)
    return model


@pytest.mark.parametrize("threads", [1, 2])
def test_a_grid_has_the_scores_of_loops(threads):
    network = Builder(build, epochs=12, fit_options=OPTIONS, metric="accuracy", adapt=True)
    search = GridSearch(network, GRID, cv=CV, n_threads=threads).fit(X, y)
    for split, (train, test) in enumerate(CV.split(X)):
        scores = search.cv_results_[f"split{split}_test_score"]
        for parameters, score in zip(search.cv_results_["params"], scores, strict=True):
            model = by_hand(train, 12, **parameters)
            assert score == model.evaluate(X[test], y[test], verbose=0)[1]
    best = by_hand(np.arange(60), 12, **search.best_params_)
    assert same_weights(search.best_estimator_.model_, best)
    np.testing.assert_array_equal(search.predict(X), best.predict(X))


def test_halving_goes_on_where_it_paused():
    network = Builder(build, epochs=9, fit_options=OPTIONS, adapt=True)
    search = HalvingSearch(network, GRID, min_epochs=2, factor=2, cv=CV).fit(X, y)
    losses = []
    for train, test in CV.split(X):
        model = by_hand(train, 9, **search.best_params_)
        losses.append(model.evaluate(X[test], y[test], verbose=0)[0])
    assert search.best_score_ == pytest.approx(-np.mean(losses), rel=1e-12)


def test_epochs_can_be_searched_too():
    search = GridSearch(Builder(build), {"epochs": [1, 4]}, cv=CV, refit=False).fit(X, y)
    assert search.cv_results_["n_epochs"].tolist() == [1, 4]


def test_cross_validation():
    scores = cross_val(Builder(build, epochs=3, metric="accuracy"), X, y, cv=CV)
    assert len(scores["test_score"]) == 3


def test_it_is_an_estimator():
    network = Builder(build, epochs=3, units=7)
    assert network.get_params() == {
        "units": 7, "rate": 0.05, "seed": 0, "build": build, "epochs": 3, "fit_options": None,
        "metric": "loss", "adapt": False,
    }  # fmt: skip
    copied = clone(network).set_params(rate=0.5, epochs=2)
    assert (network.get_params()["rate"], network.epochs) == (0.05, 3)
    assert (copied.get_params()["rate"], copied.epochs, copied.get_params()["units"]) == (0.5, 2, 7)
    copied.fit(X, y, sample_weight=np.linspace(0, 1, 60))
    model = build(units=7, rate=0.5)
    model.fit(X, y, epochs=2, sample_weight=np.linspace(0, 1, 60), verbose=0)
    assert same_weights(copied.model_, model)
    assert copied.score(X, y) == -model.evaluate(X, y, verbose=0)[0]
    assert "units=7" in repr(network)


def test_parameters_are_the_functions():
    with pytest.raises(ValueError, match=r"unexpected keyword argument 'depth': a Builder has units, rate"):
        Builder(build).set_params(depth=3)
    with pytest.raises(ValueError, match="'depth'"):
        GridSearch(Builder(build), {"depth": [3]}, cv=CV).fit(X, y)


def test_halving_goes_on_after_a_kill(tmp_path):
    network = Builder(build, epochs=8, fit_options=OPTIONS, adapt=True)
    halving = HalvingSearch(network, GRID, min_epochs=2, factor=2, cv=CV, directory=tmp_path)
    whole = halving.fit(X, y).cv_results_["mean_test_score"].tolist()
    for rung in (1, 2):
        (tmp_path / f"rung-{rung}.safetensors").unlink()
    assert clone(halving).fit(X, y).cv_results_["mean_test_score"].tolist() == whole


def test_studies():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    network = Builder(build, epochs=4, fit_options=OPTIONS, adapt=True)
    best = fd.search.optuna(study, network, X, y, space=GRID, n_trials=4, cv=CV, min_epochs=2)
    assert same_weights(best.model_, by_hand(np.arange(60), 4, **study.best_params))
