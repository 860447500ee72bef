"""Prediction: the short way for plain matrices does what the long way does, and refuses what it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.exceptions import NotFittedError

from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS


@pytest.fixture(scope="module")
def model():
    return MLPClassifier((9,), max_iter=30, random_state=0).fit(X, Y)


KINDS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "columns first": np.asfortranarray,
    "every second": lambda X: np.repeat(X, 2, axis=0)[::2],
    "read only": lambda X: np.broadcast_to(X, X.shape),
    "big-endian": lambda X: X.astype(">f8"),
    "float16": lambda X: X.astype(np.float16),
    "long double": lambda X: X.astype(np.longdouble),
    "list": lambda X: X.tolist(),
    "objects": lambda X: X.astype(object),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_matrix(model, kind):
    expected = model.to_network().predict(X)
    bound = 1e-2 if kind == "float16" else 1e-6
    assert_within(model.predict_proba(KINDS[kind](X)), expected, bound)
    assert_within(model.predict_proba(KINDS[kind](X)[:1]), expected[:1], bound)


def test_a_row_is_predicted_as_among_others(model):
    together = model.predict_proba(X)
    for i in range(0, 150, 17):
        assert_within(model.predict_proba(X[i : i + 1])[0], together[i], 0.0)


BAD = {
    "NaN": (np.where(X[3, 1] == X, np.nan, X), "Input X contains NaN"),
    "infinity": (np.where(X[3, 1] == X, np.inf, X), "Input X contains infinity"),
    "too large": (np.where(X[3, 1] == X, 1e39, X), "too large for dtype"),
    "one row": (X[0], "Expected 2D array, got 1D array instead"),
    "columns": (X[:, :3], "X has 3 features, but MLPClassifier is expecting 4 features as input"),
    "no rows": (X[:0], "Found array with 0 sample"),
    "text": (
        np.array([["a", "b", "c", "d"]]),
        "could not convert string to float|dtype='numeric' is not compatible",
    ),
    "complex": (X + 1j, "Complex data not supported"),
}


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
@pytest.mark.parametrize("name", BAD)
def test_bad_rows_raise_what_scikit_learn_raises(model, name, method):
    rows, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(rows)


def test_numbers_that_float32_can_hold_are_no_error(model):
    rows = np.where(X[:3] == X[0, 0], 3.39e38, X[:3])
    assert model.predict(rows).shape == (3,)
    with pytest.raises(ValueError, match="too large for dtype"):
        model.predict(2 * rows)


def test_unfitted():
    for kind in (MLPClassifier, MLPRegressor):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            kind().predict(X)


def test_weights_are_read_only_and_may_be_replaced(model):
    one = MLPRegressor(hidden_layer_sizes=3, max_iter=5, random_state=0).fit(X, Y)
    before = one.predict(X)
    with pytest.raises(ValueError, match="read-only"):
        one.coefs_[0][0, 0] = 1.0
    one.intercepts_[-1] = one.intercepts_[-1] + 1
    assert_within(one.predict(X), before + 1, 1e-6)
    one.coefs_ = [0 * coef for coef in one.coefs_]
    assert_within(one.predict(X), np.full(150, one.intercepts_[-1][0]), 1e-6)


def test_threads_predict_side_by_side(model):
    fresh = MLPClassifier((9,), max_iter=30, random_state=0).fit(X, Y)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fresh.predict_proba, [X] * 200))
    for each in found:
        assert_within(each, model.predict_proba(X), 0.0)


def test_log_probabilities_of_what_cannot_be():
    model = MLPClassifier((), max_iter=1, random_state=0).fit(X, Y > 0)
    model.coefs_ = [1e30 * np.ones_like(model.coefs_[0])]
    found = model.predict_log_proba(np.abs(X))
    assert np.isneginf(found[:, 0]).all()


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_sparse_rows_in_any_order_and_with_doubles(kind):
    rng = np.random.default_rng(0)
    values = rng.normal(size=600)
    places = rng.integers(0, 150, 600), rng.integers(0, 30, 600)
    rows = sparse.coo_array((values, places), shape=(150, 30))  # some places are named twice
    full = rows.toarray()
    given = rows.asformat(kind)
    if kind == "csr":
        entries = np.argsort(places[0], kind="stable")
        starts = np.searchsorted(places[0][entries], np.arange(151))
        given = sparse.csr_array((values[entries], places[1][entries], starts), shape=(150, 30))
        assert not given.has_canonical_format
    chosen = {"max_iter": 5, "random_state": 0}
    found, expected = MLPClassifier(**chosen).fit(given, Y), MLPClassifier(**chosen).fit(full, Y)
    assert_within(found.coefs_[0], expected.coefs_[0], 0.0)
    assert_within(found.predict_proba(given), expected.predict_proba(full), 0.0)
    if kind == "csr":
        assert given.nnz == 600
        assert np.array_equal(given.indices, places[1][entries])  # the caller's is as it was
