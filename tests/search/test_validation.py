"""Cross-validation in one call: scikit-learn's numbers, for any number of threads."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from fastdense.search import Builder, cross_val
from tests.compare import assert_identical

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
LENGTHS = X[:, 0] * 2 - X[:, 3]
CLASSIFIER = MLPClassifier((6,), learning_rate_init=0.03, max_iter=6, random_state=0)
REGRESSOR = MLPRegressor(hidden_layer_sizes=(6,), learning_rate_init=0.03, max_iter=6, random_state=0)
TIMES = {"fit_time", "score_time"}


def agree(ours, theirs):
    """Assert that all but the times are the same."""
    assert set(ours) == set(theirs)
    for name in set(ours) - TIMES:
        np.testing.assert_array_equal(ours[name], theirs[name])
    assert all(len(ours[name]) == len(theirs[name]) and (ours[name] >= 0).all() for name in TIMES)


@pytest.mark.parametrize("threads", [1, 2, None])
@pytest.mark.parametrize(
    ("estimator", "targets"),
    [
        (CLASSIFIER, Y),
        (clone(CLASSIFIER).set_params(early_stopping=True, class_weight="balanced"), Y),
        (REGRESSOR, LENGTHS),
        (make_pipeline(StandardScaler(), CLASSIFIER), Y),
        (LogisticRegression(), Y),
    ],
)
def test_the_scores_are_scikit_learns(estimator, targets, threads):
    ours = cross_val(estimator, X, targets, n_threads=threads, return_train_score=True)
    agree(ours, cross_validate(estimator, X, targets, cv=5, return_train_score=True))


def test_a_builders_models_are_fitted_together_too():
    def build(units=5):
        model = fd.Sequential([fd.Input((4,)), fd.Dense(units, "tanh"), fd.Dense(1)], seed=0)
        model.compile("adam", "mean_squared_error")
        return model

    network = Builder(build, epochs=3, units=4)
    ours = cross_val(network, X, LENGTHS, return_predictions=True)
    agree({k: v for k, v in ours.items() if k != "predictions"}, cross_validate(network, X, LENGTHS))
    assert_identical(ours["predictions"], cross_val_predict(network, X, LENGTHS))


def test_splitters_scorers_groups_and_weights():
    weights, groups = np.linspace(0.5, 2, len(X)), np.arange(len(X)) % 7
    scoring = ["accuracy", "neg_log_loss"]
    ours = cross_val(
        CLASSIFIER, X, Y, cv=GroupKFold(3), groups=groups, scoring=scoring, sample_weight=weights
    )
    params = {"sample_weight": weights}
    agree(
        ours,
        cross_validate(CLASSIFIER, X, Y, cv=GroupKFold(3), groups=groups, scoring=scoring, params=params),
    )
    splits = list(ShuffleSplit(2, random_state=0).split(X))
    frame = pd.DataFrame(X, columns=list("abcd"))
    agree(cross_val(CLASSIFIER, frame, Y, cv=splits), cross_validate(CLASSIFIER, frame, Y, cv=splits))


def test_estimators_and_indices_come_back():
    ours = cross_val(CLASSIFIER, X, Y, cv=3, return_estimator=True, return_indices=True)
    theirs = cross_validate(CLASSIFIER, X, Y, cv=3, return_estimator=True, return_indices=True)
    assert set(ours) == set(theirs)
    for part in ("train", "test"):
        for mine, yours in zip(ours["indices"][part], theirs["indices"][part], strict=True):
            assert_identical(mine, yours)
    for mine, yours in zip(ours["estimator"], theirs["estimator"], strict=True):
        assert mine.loss_curve_ == yours.loss_curve_
        assert_identical(mine.coefs_[0], yours.coefs_[0])


@pytest.mark.parametrize(
    ("estimator", "targets", "says"),
    [(CLASSIFIER, Y, "predict"), (CLASSIFIER, Y, "predict_proba"), (REGRESSOR, LENGTHS, "predict")],
)
def test_predictions_are_of_rows_left_out_in_the_order_of_the_rows(estimator, targets, says):
    cv = KFold(4, shuffle=True, random_state=1)
    ours = cross_val(estimator, X, targets, cv=cv, return_predictions=says)["predictions"]
    assert_identical(ours, cross_val_predict(estimator, X, targets, cv=cv, method=says))
    if says == "predict":
        assert_identical(
            cross_val(estimator, X, targets, cv=cv, return_predictions=True)["predictions"], ours
        )


@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
def test_a_class_that_a_fold_lacks_has_the_probability_0():
    cv = KFold(3)  # of sorted rows: each lacks a class
    ours = cross_val(CLASSIFIER, X, Y, cv=cv, return_predictions="predict_proba")["predictions"]
    assert ours.shape == (150, 3)
    assert not ours[np.arange(150), Y].any()


def test_folds_that_fail_score_what_is_asked_for():
    rows = np.where(np.arange(150)[:, None] < 30, np.float32(1e30), X)
    wild = clone(REGRESSOR).set_params(learning_rate_init=1.0)
    with pytest.warns(FitFailedWarning, match="4 fits failed out of a total of 5"):
        found = cross_val(
            wild, rows, LENGTHS, scoring=["r2", "neg_max_error"], return_train_score=True, error_score=-9
        )
    assert (found["test_r2"] == -9).sum() == (found["train_neg_max_error"] == -9).sum() == 4
    with pytest.raises(ValueError, match="Solver produced non-finite"):
        cross_val(wild, rows, LENGTHS, error_score="raise")
    with pytest.raises(ValueError, match="All the 5 fits failed"):
        cross_val(clone(CLASSIFIER).set_params(alpha=-1), X, Y)
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match="no predictions for all rows"):
        cross_val(wild, rows, LENGTHS, return_predictions=True)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="leaves each row out once"):
        cross_val(CLASSIFIER, X, Y, cv=ShuffleSplit(2), return_predictions=True)
    with pytest.raises(ValueError, match="return_predictions must be one of 'predict', 'predict_proba'"):
        cross_val(CLASSIFIER, X, Y, return_predictions="score")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cross_val(CLASSIFIER, X, Y[:10])
