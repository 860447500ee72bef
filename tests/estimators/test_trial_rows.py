"""The parts of a sample: row numbers into shared rows give what copies of the rows do."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.metrics import get_scorer

from fastdense import MLPClassifier, MLPRegressor
from fastdense.engines.jobs import alone
from fastdense.estimators.orders import Drawn, Orders, Replayed
from fastdense.estimators.sample import Sample
from fastdense.estimators.trials import MLPTrial
from tests.estimators import data

RNG = np.random.default_rng(1)
X, Y = data.X_IRIS, data.Y_IRIS
TRAIN = RNG.permutation(150)[:100]
TEST = np.setdiff1d(np.arange(150), TRAIN)
TWO_CLASSES = np.flatnonzero(Y < 2)
TWICE = np.concatenate([TRAIN, TRAIN[:30]])
WEIGHTS = RNG.uniform(0.5, 2, 150)
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 6, "random_state": 0, "batch_size": 30}
KINDS = MLPClassifier, MLPRegressor
CLASSIFIER, REGRESSOR = MLPClassifier(**SMALL), MLPRegressor(**SMALL)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(estimator, X, y, train, test, weights=None):
    """Return the trial of some rows and the clone fitted to copies of them, which are the same."""
    trial = MLPTrial(estimator, Sample(X, y, weights), train)
    alone(trial.go_on())
    rows, targets = (each.iloc if hasattr(each, "iloc") else each for each in (X, y))
    own = {} if weights is None else {"sample_weight": weights[train]}
    theirs = clone(estimator).fit(rows[train], targets[train], **own)
    ours = trial.fitted()
    for name in ("coefs_", "intercepts_"):
        for found, expected in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_array_equal(found, expected, strict=True)
    assert ours.loss_curve_ == theirs.loss_curve_
    assert trial.score(test) == theirs.score(rows[test], targets[test])
    return trial, theirs


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("train", [TWO_CLASSES, TWO_CLASSES[:50], TWICE], ids=["two", "one", "twice"])
@pytest.mark.parametrize("chosen", [{}, {"class_weight": "balanced"}, {"early_stopping": True}], ids=str)
def test_parts_with_fewer_classes_and_rows_that_are_there_twice(train, weights, chosen):
    trial, theirs = fitted(clone(CLASSIFIER).set_params(**chosen), X, data.WORDS, train, TEST, weights)
    np.testing.assert_array_equal(trial.fitted().classes_, theirs.classes_)


@pytest.mark.parametrize(
    "y",
    [data.Y_LABELS[:150], csr_matrix(data.Y_LABELS[:150]), np.column_stack([Y, Y[::-1]])],
    ids=["labels", "sparse", "columns"],
)
def test_targets_of_several_columns(y):
    fitted(CLASSIFIER, X, y, TRAIN, TEST)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "absolute_error"])
@pytest.mark.parametrize(
    "y",
    [data.Y_NUMBERS**2, data.Y_THREE**2, data.Y_COUNTS.astype(int), (data.Y_THREE**2).astype(np.float32)],
    ids=["one", "three", "whole", "float32"],
)
def test_numbers(y, loss):
    fitted(MLPRegressor(**SMALL, loss=loss, early_stopping=True), X, y[:150], TRAIN, TEST)
    fitted(MLPRegressor(**SMALL, loss=loss, dtype="float64"), X, y[:150], TRAIN, TEST, WEIGHTS)


def test_sparse_rows_frames_and_lists():
    rows = np.where(np.abs(X) < 1, 0, X)
    early = clone(CLASSIFIER).set_params(early_stopping=True)
    for kind in (csr_matrix, lambda rows: csr_matrix(rows).tocsc(), np.asfortranarray, np.float32):
        fitted(CLASSIFIER, kind(rows), Y, TRAIN, TEST)
        fitted(early, kind(rows), Y, TRAIN, TEST, WEIGHTS)
    frame = pd.DataFrame(X, columns=list("abcd"))
    trial, theirs = fitted(CLASSIFIER, frame, pd.Series(data.WORDS), TRAIN, TEST)
    np.testing.assert_array_equal(trial.fitted().feature_names_in_, theirs.feature_names_in_)
    assert fitted(CLASSIFIER, frame.assign(a=range(150)), Y, TRAIN, TEST)
    listed = MLPTrial(CLASSIFIER, Sample(X.tolist(), Y.tolist()), TRAIN)
    alone(listed.go_on())
    assert listed.score(TEST) == clone(CLASSIFIER).fit(X[TRAIN], Y[TRAIN]).score(X[TEST], Y[TEST])


def test_a_row_elsewhere_decides_nothing():
    """A NaN, a number beyond float32, a column that is crowded in one part alone, a count below 0."""
    for number in (np.nan, 1e39):
        spoiled = X.copy()
        spoiled[TEST[0], 1] = number
        fitted(CLASSIFIER, spoiled, Y, TRAIN, TEST[1:])
    crowded = X.copy()
    crowded[TRAIN, 0] += 1e6
    assert fitted(REGRESSOR, crowded, Y, TRAIN, TEST)[1].coefs_[0].dtype == np.float64
    assert fitted(REGRESSOR, crowded, Y, TEST, TRAIN)[1].coefs_[0].dtype == np.float32
    counts = data.Y_COUNTS[:150].copy()
    counts[TEST[0]] = -1
    fitted(MLPRegressor(**SMALL, loss="poisson"), X, counts, TRAIN, TEST)


def message_of(call):
    """Return the message of the ValueError that a call raises, an empty one if it does not."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("estimator", "X", "y"),
    [
        (MLPClassifier(alpha=-1), X, Y),
        (MLPClassifier(hidden_layer_sizes=(0,)), X, Y),
        (MLPClassifier(class_weight={"no": 1}), X, Y),
        (MLPClassifier(early_stopping=True, validation_fraction=0.001), X, Y),
        (MLPClassifier(), np.where(X > 1, np.nan, X), Y),
        (MLPClassifier(), X, Y + 0.5),
        (MLPRegressor(), X, data.WORDS),
        (MLPRegressor(loss="poisson"), X, Y - 1.0),
        (MLPRegressor(), X * 1e60, Y),
        (MLPRegressor(**SMALL, solver="sgd", learning_rate_init=1e9, activation="identity"), X, Y),
    ],
    ids=lambda each: "" if isinstance(each, np.ndarray) else None,
)
def test_refusals_are_those_of_fit(estimator, X, y):
    theirs = message_of(lambda: clone(estimator).fit(X[TRAIN], y[TRAIN]))
    with pytest.raises(ValueError, match=f"^{re.escape(theirs)}$"), np.errstate(all="ignore"):
        alone(MLPTrial(estimator, Sample(X, y), TRAIN).go_on())


def test_scorers_are_given_the_fitted_estimator():
    trial, theirs = fitted(CLASSIFIER, X, Y, TRAIN, TEST)
    for name in ("neg_log_loss", "f1_macro"):
        scorer = get_scorer(name)
        assert trial.score(TEST, scorer) == scorer(theirs, X[TEST], Y[TEST])


def test_a_generator_is_copied_as_clone_does():
    estimator = clone(CLASSIFIER).set_params(random_state=np.random.RandomState(5))
    before = estimator.random_state.get_state()[1].copy()
    fitted(estimator, X, Y, TRAIN, TEST)
    np.testing.assert_array_equal(estimator.random_state.get_state()[1], before)


def test_what_is_fitted_goes_its_own_way():
    trial, theirs = fitted(clone(CLASSIFIER).set_params(max_iter=3), X, Y, TRAIN, TEST)
    one, another = trial.fitted(), trial.fitted()
    one.partial_fit(X[TRAIN], Y[TRAIN])
    theirs.partial_fit(X[TRAIN], Y[TRAIN])
    np.testing.assert_array_equal(one.coefs_[0], theirs.coefs_[0])
    assert len(another.loss_curve_) == len(trial.losses) == 3


def test_a_fit_draws_no_more_than_its_epochs_took():
    """Also where epochs were planned that the loss, or patience, did not let it come to."""
    for chosen in ({"tol": 10.0, "n_iter_no_change": 2}, {"solver": "sgd", "learning_rate_init": 1e8}):
        ends = []
        for limit in (None, 1):
            generator = np.random.RandomState(0)
            model = MLPRegressor(**SMALL | chosen | {"random_state": generator, "max_iter": 50})
            shown = model.set_params(verbose=limit is not None)  # which has every epoch judged at once
            assert message_of(lambda one=shown: one.fit(1e3 * X, Y))[:19] in ("", "Solver produced non")
            ends.append(generator.randint(2**31))
        assert ends[0] == ends[1]


def test_candidates_share_what_a_seed_draws_and_nothing_else():
    """A classifier and a regressor of the same shape, rates, dropout and stopping, long and short fits."""
    labels = Y.clip(max=1)
    sample = Sample(X, labels)
    early = {"early_stopping": True, "validation_fraction": 0.2}
    plans = ({}, early, {"alpha": 1.0, "max_iter": 9}, {"dropout": 0.5}, {"dropout": 0.2, **early})
    trials = [MLPTrial(kind(**SMALL | chosen), sample, TRAIN) for chosen in plans for kind in KINDS]
    for trial in trials[::-1]:
        alone(trial.go_on(4))
    for trial, (chosen, kind) in zip(trials, itertools.product(plans, KINDS), strict=True):
        alone(trial.go_on())
        theirs = kind(**SMALL | chosen).fit(X[TRAIN], labels[TRAIN])
        np.testing.assert_array_equal(trial.fitted().coefs_[0], theirs.coefs_[0])
        assert trial.losses == theirs.loss_curve_


def test_long_fits_draw_what_is_not_shared():
    generator = np.random.RandomState(0)
    order = np.arange(100_000)
    expected = Orders(order, generator)
    drawn = Drawn(Orders(order, np.random.RandomState(0)))
    found, another = Replayed(drawn), Replayed(drawn)
    for _ in range(7):
        latest = expected.next()
        np.testing.assert_array_equal(found.next(), latest)
        np.testing.assert_array_equal(found.state()[0], latest)
    np.testing.assert_array_equal(found.state()[1][1], generator.get_state()[1])
    np.testing.assert_array_equal(another.next(), Orders(order, np.random.RandomState(0)).next())
