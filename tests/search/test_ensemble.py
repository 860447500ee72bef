"""Ensembles: members as fitted alone, the mean of what they say, and every class of all rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from fastdense.search import Ensemble
from tests.compare import assert_identical

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
LENGTHS = X[:, 0] * 2 - X[:, 3]
CLASSIFIER = MLPClassifier((6,), learning_rate_init=0.03, max_iter=6)
REGRESSOR = MLPRegressor(hidden_layer_sizes=(6,), learning_rate_init=0.03, max_iter=6)
RARE = np.r_[[2] * 1, [1] * 6, [0] * 143]


def ensemble(estimator=CLASSIFIER, n=4, **options):
    return Ensemble(estimator, n, **{"random_state": 0} | options)


def alone(fitted, i, rows, targets, weights=None):
    """Return a member fitted without the others."""
    own = clone(fitted.estimator).set_params(random_state=fitted.estimators_[i].random_state)
    taken = fitted.estimators_samples_[i]
    return own.fit(rows[taken], targets[taken], *([] if weights is None else [weights[taken]]))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("bagging", [True, False])
@pytest.mark.parametrize(
    ("estimator", "targets"),
    [
        (CLASSIFIER, Y),
        (CLASSIFIER, RARE),
        (clone(CLASSIFIER).set_params(class_weight="balanced"), Y),
        (clone(CLASSIFIER).set_params(early_stopping=True, dropout=0.2), Y),
        (clone(CLASSIFIER).set_params(solver="lbfgs"), Y),
        (REGRESSOR, LENGTHS),
    ],
)
def test_every_member_is_the_estimator_fitted_alone(estimator, targets, bagging, threads):
    fitted = ensemble(estimator, bagging=bagging, n_threads=threads).fit(X, targets)
    assert len(fitted.estimators_) == 4
    assert len({member.random_state for member in fitted.estimators_}) == 4
    for i, member in enumerate(fitted.estimators_):
        expected = alone(fitted, i, X, targets)
        assert member.loss_curve_ == expected.loss_curve_
        for ours, theirs in zip(member.coefs_, expected.coefs_, strict=True):
            assert_identical(ours, theirs)


def test_members_take_the_weights_of_their_rows():
    weights = np.linspace(0.1, 2, len(X))
    fitted = ensemble().fit(X, Y, weights)
    for i, member in enumerate(fitted.estimators_):
        assert_identical(member.coefs_[0], alone(fitted, i, X, Y, weights).coefs_[0])


def test_seeds_and_bootstraps_are_scikit_learns():
    ours, theirs = ensemble().fit(X, Y), BaggingClassifier(CLASSIFIER, 4, random_state=0).fit(X, Y)
    for mine, yours in zip(ours.estimators_samples_, theirs.estimators_samples_, strict=True):
        assert_identical(mine, yours)
    assert [a.random_state for a in ours.estimators_] == [a.random_state for a in theirs.estimators_]


def test_without_bagging_all_rows_are_taken_in_order():
    fitted = ensemble(bagging=False).fit(X, Y)
    assert all(np.array_equal(rows, np.arange(len(X))) for rows in fitted.estimators_samples_)


def test_predictions_are_means_and_their_spread_is_the_standard_deviation():
    fitted = ensemble().fit(X, Y)
    each = np.array([member.predict_proba(X) for member in fitted.estimators_], np.float64)
    assert_identical(fitted.predict_proba(X), each.mean(axis=0).astype(np.float32))
    np.testing.assert_allclose(fitted.predict_spread(X), each.std(axis=0), atol=1e-7)
    assert_identical(fitted.predict(X), each.mean(axis=0).argmax(axis=1))
    assert fitted.score(X, Y) == accuracy_score(Y, fitted.predict(X))


@pytest.mark.parametrize("targets", [LENGTHS, np.c_[LENGTHS, -LENGTHS]])
def test_a_regressor_averages_numbers(targets):
    fitted = ensemble(REGRESSOR).fit(X, targets)
    each = np.array([member.predict(X) for member in fitted.estimators_], np.float64)
    assert_identical(fitted.predict(X), each.mean(axis=0).astype(np.float32))
    np.testing.assert_allclose(fitted.predict_spread(X), each.std(axis=0), atol=1e-6)
    assert fitted.score(X, targets) == pytest.approx(r2_score(targets, fitted.predict(X)))
    assert not hasattr(fitted, "predict_proba")
    assert is_regressor(fitted)
    assert not hasattr(fitted, "classes_")


def aligned(member, classes):
    """Return a member's probabilities, 0 for the classes that it has not seen."""
    found = np.zeros((len(X), len(classes)))
    found[:, np.searchsorted(classes, member.classes_)] = member.predict_proba(X)[:, : len(member.classes_)]
    return found


def test_a_class_that_a_member_has_not_seen_has_the_probability_0_in_it():
    names = np.array(["rose", "tulip", "violet"])[RARE]
    fitted = ensemble(n=12).fit(X, names)
    seen = [len(member.classes_) for member in fitted.estimators_]
    assert {2, 3} <= set(seen)
    assert fitted.classes_.tolist() == ["rose", "tulip", "violet"]
    expected = np.mean([aligned(member, fitted.classes_) for member in fitted.estimators_], axis=0)
    np.testing.assert_allclose(fitted.predict_proba(X), expected, atol=1e-6)
    for network, count in zip(fitted.to_networks(), seen, strict=True):
        assert ((network.predict(X) == 0).all(axis=0).sum()) == 3 - count


def test_a_member_that_has_seen_one_class_is_sure_of_it():
    one_of_many = np.r_[[1], [0] * 149]
    fitted = ensemble(n=12).fit(X, one_of_many)
    assert {1, 2} == {len(member.classes_) for member in fitted.estimators_}
    for member, network in zip(fitted.estimators_, fitted.to_networks(), strict=True):
        if len(member.classes_) == 1:
            assert not network.predict(X).any()
    few, targets = X[:3], np.array([0, 1, 2])
    lone = ensemble(n=30).fit(few, targets)
    sure = [
        n.predict(few)
        for n, m in zip(lone.to_networks(), lone.estimators_, strict=True)
        if len(m.classes_) == 1
    ]
    assert sure
    assert all((outputs.max(axis=1) == 1).all() and (outputs.sum(axis=1) == 1).all() for outputs in sure)


def test_labels_in_several_columns():
    rows, labels = make_multilabel_classification(60, 4, n_classes=3, random_state=0)
    fitted = ensemble().fit(rows, labels)
    each = [member.predict_proba(rows) for member in fitted.estimators_]
    np.testing.assert_allclose(fitted.predict_proba(rows), np.mean(each, axis=0), atol=1e-6)
    assert_identical(fitted.predict(rows), (fitted.predict_proba(rows) > 0.5).astype(int))
    with pytest.raises(ValueError, match="fit an ensemble to each column"):
        ensemble().fit(X, np.c_[Y, Y])


@pytest.mark.parametrize(("estimator", "targets"), [(CLASSIFIER, Y), (REGRESSOR, LENGTHS)])
def test_out_of_bag_rows_are_scored_by_members_that_have_not_seen_them(estimator, targets):
    fitted = ensemble(estimator, n=40, oob_score=True).fit(X, targets)
    say = "predict_proba" if is_classifier(estimator) else "predict"
    parts = zip(fitted.estimators_, fitted.estimators_samples_, strict=True)
    each = np.array([np.delete(getattr(m, say)(X).T, [], -1).T for m, _ in parts], np.float64)
    unseen = np.array([~np.isin(np.arange(len(X)), rows) for rows in fitted.estimators_samples_])
    means = [each[unseen[:, row], row].mean(axis=0) for row in range(len(X))]
    if is_classifier(estimator):
        np.testing.assert_allclose(fitted.oob_decision_function_, means, atol=1e-6)
        assert fitted.oob_score_ == accuracy_score(Y, np.argmax(means, axis=1))
    else:
        np.testing.assert_allclose(fitted.oob_prediction_, means, rtol=1e-5)
        assert fitted.oob_score_ == pytest.approx(r2_score(LENGTHS, means), rel=1e-5)


def test_rows_that_every_member_has_seen_do_not_count():
    with pytest.warns(UserWarning, match=r"rows have no out-of-bag prediction"):
        fitted = ensemble(n=1, oob_score=True).fit(X, Y)
    seen = np.isin(np.arange(len(X)), fitted.estimators_samples_[0])
    assert np.isnan(fitted.oob_decision_function_[seen]).all()
    assert fitted.oob_score_ == fitted.estimators_[0].score(X[~seen], Y[~seen])
    with pytest.raises(ValueError, match="needs bagging=True"):
        ensemble(bagging=False, oob_score=True).fit(X, Y)


def test_members_that_fail_are_named_and_the_rest_go_on():
    rows = np.array([[1.0], [2.0], [3.0], [1e30]], np.float32)
    wild = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, learning_rate_init=1.0)
    with pytest.warns(
        FitFailedWarning, match=r"of 8 members failed:\nmember \d+: ValueError: Solver produced"
    ):
        fitted = ensemble(wild, n=8).fit(rows, [0.0, 1.0, 2.0, 3.0])
    assert 0 < len(fitted.estimators_) == len(fitted.estimators_samples_) < 8
    assert all(3 not in taken for taken in fitted.estimators_samples_)
    with pytest.raises(ValueError, match=r"3 of 3 members failed:\nmember 0: .*alpha"):
        ensemble(clone(CLASSIFIER).set_params(alpha=-1), n=3).fit(X, Y)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="put preprocessing before it"):
        ensemble(make_pipeline(StandardScaler(), CLASSIFIER)).fit(X, Y)
    with pytest.raises(ValueError, match="'n' parameter of Ensemble"):
        ensemble(n=0).fit(X, Y)
    with pytest.raises(NotFittedError):
        ensemble().predict(X)
    with pytest.raises(ValueError, match="4 features"):
        ensemble().fit(X, Y).predict(X[:, :3])


def test_it_works_in_pipelines_and_searches():
    inside = make_pipeline(StandardScaler(), ensemble(n=2))
    grid = {"ensemble__estimator__alpha": [1e-4, 1.0], "ensemble__n": [1, 2]}
    found = GridSearchCV(inside, grid, cv=2).fit(X, Y)
    assert len(found.cv_results_["params"]) == 4
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


def test_names_of_columns_are_kept():
    frame = pd.DataFrame(X, columns=list("abcd"))
    fitted = ensemble().fit(frame, Y)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    assert_identical(fitted.predict_proba(frame), ensemble().fit(X, Y).predict_proba(X))
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[["b", "a", "c", "d"]])


def test_it_repeats_is_pickled_and_frozen_with_the_same_bits():
    fitted = ensemble().fit(X, Y)
    expected = fitted.predict_proba(X)
    assert_identical(ensemble(n_threads=1).fit(X, Y).predict_proba(X), expected)
    assert_identical(pickle.loads(pickle.dumps(fitted)).predict_proba(X), expected)
    frozen = fitted.freeze()
    assert_identical(frozen.predict(X.astype(np.float32)), expected)
    assert frozen.classes.tolist() == [0, 1, 2]
    fitted.fit(X, 2 - Y)
    assert not np.array_equal(fitted.predict_proba(X), expected)
    assert_identical(frozen.predict(X), expected)


def test_the_engine_is_the_estimators():
    by_loops = ensemble(clone(CLASSIFIER).set_params(engine="reference", max_iter=1), n=2).fit(X[::5], Y[::5])
    expected = np.mean([member.predict_proba(X) for member in by_loops.estimators_], axis=0, dtype=np.float64)
    assert_identical(by_loops.predict_proba(X), expected.astype(np.float32))
    assert fd.search.Ensemble is Ensemble
