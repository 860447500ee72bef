"""Columns whose mean is many times their spread: what float32 cannot tell apart is computed in float64."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn import neural_network

from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
SECONDS = 1.7e9 + RNG.uniform(0, 1000, 200)
PLAIN = RNG.normal(size=(200, 3))
STAMPED = np.c_[PLAIN, SECONDS + RNG.normal(size=200)]
SMALL = {"hidden_layer_sizes": 5, "max_iter": 10, "random_state": 0}
CASES = {
    "rows": (STAMPED, PLAIN[:, 0]),
    "targets": (PLAIN, 1e9 + PLAIN[:, 0]),
    "one of two targets": (PLAIN, np.c_[PLAIN[:, 0], SECONDS]),
    "both": (STAMPED, SECONDS),
    "whole numbers": (STAMPED.astype(np.int64), SECONDS.astype(np.int64)),
    "negative": (-STAMPED, -SECONDS),
    "sparse": (sparse.csr_matrix(STAMPED), SECONDS),
}


@pytest.mark.parametrize("name", CASES)
def test_the_fit_is_scikit_learns(name):
    X, y = CASES[name]
    ours, theirs = (kind(**SMALL).fit(X, y) for kind in (MLPRegressor, neural_network.MLPRegressor))
    expected = theirs.predict(X)
    assert ours.predict(X).dtype == np.float64
    assert_within(ours.predict(X), expected, 1e-9 * np.abs(expected).max())
    for found, wanted in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_within(found, wanted, 1e-9)
    assert_within(
        ours.to_network().predict(X if name != "sparse" else X.toarray()).squeeze(), ours.predict(X), 0.0
    )


def test_rows_that_differ_have_predictions_that_differ():
    model = MLPRegressor(**SMALL).fit(STAMPED[:, 3:], SECONDS)
    assert len(np.unique(model.predict(STAMPED[:, 3:]))) == 200
    late = SECONDS > 1.7e9 + 500
    outputs = MLPClassifier(**SMALL).fit(STAMPED, late)
    assert outputs.coefs_[0].dtype == np.float64


def test_classes_are_no_numbers_to_tell_apart():
    model = MLPClassifier(**SMALL).fit(PLAIN, SECONDS.astype(int) // 500)
    assert model.coefs_[0].dtype == np.float32


ORDINARY = {
    "plain": PLAIN,
    "a constant": np.c_[PLAIN, np.full(200, 1.7e9)],
    "float64's own rounding": np.c_[PLAIN, 0.1 + np.arange(200) % 2 * 1e-17 + np.spacing(0.1)],
    "years": np.c_[PLAIN, RNG.integers(1990, 2025, 200)],
    "degrees of a city": np.c_[PLAIN, RNG.normal(48.85, 0.02, 200)],
    "float32 already": STAMPED.astype(np.float32),
    "a single row": STAMPED[:1],
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_rows_stay_float32(name):
    X = ORDINARY[name]
    model = MLPRegressor(**SMALL).fit(X, PLAIN[: len(X), 0])
    assert {array.dtype.name for array in (*model.coefs_, *model.intercepts_)} == {"float32"}


def test_a_network_stays_in_float64():
    model = MLPRegressor(**SMALL).fit(STAMPED, SECONDS)
    model.partial_fit(STAMPED[:1], SECONDS[:1])
    assert model.coefs_[0].dtype == np.float64
    model.set_params(warm_start=True).fit(np.c_[PLAIN, PLAIN[:, 0]], PLAIN[:, 0])
    assert model.coefs_[0].dtype == np.float64
    assert model.set_params(warm_start=False).fit(PLAIN, PLAIN[:, 0]).coefs_[0].dtype == np.float32


def test_later_rows_may_need_it():
    model = MLPRegressor(**SMALL).fit(np.c_[PLAIN, PLAIN[:, 0]], PLAIN[:, 0])
    before = model.coefs_[0]
    model.partial_fit(STAMPED / [1, 1, 1, 1e6], PLAIN[:, 0])
    assert (before.dtype, model.coefs_[0].dtype) == (np.float32, np.float64)


def test_data_need_not_be_crowded_in_every_column():
    assert MLPRegressor(**SMALL).fit(data.X_IRIS, data.Y_IRIS).coefs_[0].dtype == np.float32
