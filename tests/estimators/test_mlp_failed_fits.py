"""A fit that fails leaves a fitted estimator wholly as it was: its weights, records and optimizer."""

from __future__ import annotations

import copy

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data
from tests.estimators.test_mlp_setbacks import Failing

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS
HUGE = np.where(np.arange(4) == 2, 1e39, X)
SMALL = {"max_iter": 5, "random_state": 0, "hidden_layer_sizes": (5,), "batch_size": 50}
BEYOND = r"Input X contains a value too large for dtype\('float32'\): scale X, or fit with dtype='float64'"


def assert_as_before(model, expected):
    """Check that two estimators have the same attributes, and train on to the same bits."""
    assert set(vars(model)) == set(vars(expected))
    for name in (
        "loss_",
        "loss_curve_",
        "best_loss_",
        "n_iter_",
        "t_",
        "validation_scores_",
        "n_features_in_",
    ):
        assert getattr(model, name) == getattr(expected, name), name
    assert_within(model.predict(X), expected.predict(X), 0.0)
    for each in (model, expected):
        each.set_callbacks() if hasattr(each, "_skl_callbacks") else None
        each.set_params(warm_start=False, optimizer=None).partial_fit(X, Y)
    arrays = zip([*model.coefs_, *model.intercepts_], [*expected.coefs_, *expected.intercepts_], strict=True)
    for found, wanted in arrays:
        assert_within(found, wanted, 0.0)


CALLS = {
    "fit": lambda model, X, y, **rows: model.fit(X, y, **rows),
    "a warm start": lambda model, X, y, **rows: model.set_params(warm_start=True).fit(X, y, **rows),
    "partial_fit": lambda model, X, y, **rows: model.partial_fit(X, y, **rows),
}
REFUSED = {
    "rows beyond float32": ((HUGE, Y), {}, BEYOND),
    "sparse rows beyond float32": ((sparse.csr_matrix(HUGE), Y), {}, BEYOND),
    "targets beyond float32": ((X, Y * 1e39), {}, "Input y contains a value too large"),
    "validation rows beyond float32": ((X, Y), {"X_val": HUGE, "y_val": Y}, BEYOND.replace("X", "X_val", 1)),
    "validation targets": ((X, Y), {"X_val": X, "y_val": Y * 1e39}, "Input y_val contains a value too large"),
    "rows that are not finite": ((np.where(X > 2, np.inf, X), Y), {}, "contains infinity"),
    "rows that diverge": ((X * 1e30, Y), {}, "The loss of epoch 1 is"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", REFUSED)
def test_rows_that_do_not_fit(name, call):
    rows, more, message = REFUSED[name]
    model = MLPRegressor(**SMALL).fit(X, Y)
    model.partial_fit(X, Y)  # the optimizer has a state of its own
    expected = copy.deepcopy(model)
    with pytest.raises(ValueError, match=message):
        CALLS[call](model, *rows, **more)
    assert_as_before(model, expected)


@pytest.mark.parametrize("call", CALLS)
def test_a_loss_that_becomes_infinite_after_good_steps(call):
    class Growing(fd.optimizers.SGD):
        def rates(self, first_step, steps):
            return np.where(np.arange(steps) == steps - 2, 1e30, 1e-3)

    model = MLPRegressor(**SMALL).fit(X, Y)
    expected = copy.deepcopy(model)
    if call == "partial_fit":
        rows = np.concatenate([X, X * 1e30])  # the optimizer of before takes good steps first
        with pytest.raises(ValueError, match="non-finite"):
            model.set_params(shuffle=False).partial_fit(rows, np.r_[Y, Y])
        model.set_params(shuffle=True)
    else:
        model.set_params(optimizer=Growing())
        with pytest.raises(ValueError, match="non-finite"):
            CALLS[call](model, X, Y)
    assert_as_before(model, expected)


def test_a_callback_that_fails():
    model = MLPClassifier(**SMALL).fit(X, Y)
    expected = copy.deepcopy(model)
    with pytest.raises(RuntimeError, match="enough"):
        model.set_callbacks(Failing()).fit(X[:, :3], Y)
    model.set_callbacks()
    assert model.n_features_in_ == 4
    assert_within(model.predict_proba(X), expected.predict_proba(X), 0.0)
    assert model.loss_curve_ == expected.loss_curve_


def test_what_was_not_fitted_keeps_its_last_finite_weights():
    model = MLPRegressor(**SMALL)
    with pytest.raises(ValueError, match="no weights that are not finite are kept"):
        model.fit(X * 1e30, Y)
    assert all(np.isfinite(array).all() for array in (*model.coefs_, *model.intercepts_))
