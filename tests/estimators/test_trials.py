"""Trials: as a clone fitted to copies of the rows, bit for bit, whatever was shared or paused."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from fastdense.engines.jobs import alone, together
from fastdense.estimators.sample import Sample
from fastdense.estimators.trials import MLPTrial, PlainTrial, trial_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5))
Y = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
WORDS = np.array(["none", "one", "two"])[Y]
NUMBERS = X[:, 0] - X[:, 1] ** 2
WEIGHTS = RNG.uniform(0.5, 2, len(X))
TRAIN = RNG.permutation(len(X))[:90]
TEST = np.setdiff1d(np.arange(len(X)), TRAIN)
SMALL = {"hidden_layer_sizes": (6,), "random_state": 3, "max_iter": 15, "batch_size": 16}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CLASSIFIERS = [
    {},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 2, "max_iter": 40},
    {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 40, "validation_fraction": 0.3},
    {"dropout": 0.3, "n_iter_no_change": 3, "tol": 0.01, "max_iter": 60},
    {"class_weight": "balanced", "label_smoothing": 0.1},
    {"shuffle": False, "n_iter_no_change": np.inf},
    {"optimizer": fd.optimizers.RMSprop(fd.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5))},
    {"dtype": "float64", "hidden_layer_sizes": (), "batch_size": 30},
    {"dtype": "auto", "activation": ["tanh", "elu"], "hidden_layer_sizes": (5, 4), "global_clipnorm": 1.0},
    {"engine": "array", "early_stopping": True},
]
REGRESSORS = [
    {},
    {"loss": "poisson", "early_stopping": True},
    {"loss": "huber", "dropout": 0.2},
    {"loss": "quantile", "quantile": 0.8, "solver": "sgd"},
]


def assert_same(ours, theirs):
    """Everything that a fit leaves, except for the compiled and the optimizer, is the same."""
    found, expected = vars(ours), vars(theirs)
    assert found.keys() == expected.keys()
    for name in found.keys() - {"_programs", "_optimizer", "_goal", "optimizer", "random_state"}:
        np.testing.assert_equal(found[name], expected[name], err_msg=name)
    assert found["_goal"].loss == expected["_goal"].loss


def check(estimator, X, y, train, test, weights=None):
    """A trial comes to what a clone does, and scores as it."""
    trial = trial_of(estimator, Sample(X, y, weights), train)
    assert isinstance(trial, MLPTrial)
    assert (trial.epochs, trial.ended, trial.losses) == (0, False, [])
    alone(trial.go_on())
    own = {} if weights is None else {"sample_weight": weights[train]}
    theirs = clone(estimator).fit(X[train], y[train], **own)
    assert_same(trial.fitted(), theirs)
    assert (trial.epochs, trial.ended) == (theirs.n_iter_, True)
    assert trial.losses == theirs.loss_curve_
    assert trial.validation == (theirs.validation_scores_ or [])
    assert trial.score(test) == theirs.score(X[test], y[test])
    return trial


@pytest.mark.parametrize("chosen", CLASSIFIERS, ids=str)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_classifiers(chosen, weights):
    check(MLPClassifier(**SMALL | chosen), X, Y, TRAIN, TEST, weights)


@pytest.mark.parametrize("chosen", REGRESSORS, ids=str)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_regressors(chosen, weights):
    check(MLPRegressor(**SMALL | chosen), X, np.abs(NUMBERS), TRAIN, TEST, weights)


PLANS = [MLPClassifier(**SMALL | each) for each in CLASSIFIERS]
PLANS += [MLPRegressor(**SMALL | each) for each in REGRESSORS]


def resumed(trial, estimator, sample, train):
    """The trial after a pause over a process: from the arrays and the JSON that it was written as."""
    arrays, values = trial.state()
    again = trial_of(estimator, sample, train)
    again.restore({name: array.copy() for name, array in arrays.items()}, json.loads(json.dumps(values)))
    return again


@pytest.mark.parametrize("estimator", PLANS, ids=str)
def test_pauses_change_nothing(estimator):
    y = np.abs(NUMBERS) if isinstance(estimator, MLPRegressor) else Y
    sample = Sample(X, y)
    whole = trial_of(estimator, sample, TRAIN)
    alone(whole.go_on())
    stays = trial = trial_of(estimator, sample, TRAIN)
    for epochs in (1, 4, 5, 11, None):
        alone(trial.go_on(epochs))
        alone(stays.go_on(epochs))
        if epochs is not None and not trial.ended:
            assert trial.epochs == epochs
            shorter = clone(estimator).set_params(max_iter=epochs).fit(X[TRAIN], y[TRAIN])
            assert_same(trial.fitted().set_params(max_iter=epochs), shorter)
        trial = resumed(trial, estimator, sample, TRAIN)
        assert trial.score(TEST) == stays.score(TEST)
    for one in (stays, trial):
        assert one.ended
        assert_same(one.fitted(), whole.fitted())


def test_epochs_that_are_certain_are_one_job():
    rows, patience = 2048, 3
    sample = Sample(np.ones((rows, 4)), np.arange(rows) % 2)
    plan = MLPClassifier((256, 256), max_iter=9, batch_size=rows, n_iter_no_change=patience, random_state=0)
    fitting = trial_of(plan, sample, np.arange(rows)).go_on()
    job = next(fitting)
    assert len(job.epochs) == patience + 1
    fitting.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_many_side_by_side(threads):
    sample = Sample(X, Y)
    estimators = [MLPClassifier(**SMALL | each) for each in CLASSIFIERS]
    trials = [MLPTrial(each, sample, train) for each in estimators for train in (TRAIN, TEST)]
    ended = dict(together((trial.go_on() for trial in trials), threads))
    assert ended == dict.fromkeys(range(len(trials)))
    for trial, (estimator, train) in zip(trials, itertools.product(estimators, (TRAIN, TEST)), strict=True):
        assert_same(trial.fitted(), clone(estimator).fit(X[train], Y[train]))


def test_what_has_no_epochs_is_fitted_in_one_go():
    for estimator in (LogisticRegression(), MLPClassifier(**SMALL, solver="lbfgs")):
        trial = trial_of(estimator, Sample(X, Y, WEIGHTS), TRAIN)
        assert isinstance(trial, PlainTrial)
        for refused in (
            lambda one=trial: alone(one.go_on(3)),
            trial.state,
            lambda one=trial: one.restore({}, {}),
        ):
            with pytest.raises(ValueError, match="fits in one go and cannot pause"):
                refused()
        with pytest.raises(ValueError, match="not begun"):
            trial.fitted()
        alone(trial.go_on())
        theirs = clone(estimator).fit(X[TRAIN], Y[TRAIN], WEIGHTS[TRAIN])
        assert trial.ended
        assert trial.score(TEST) == theirs.score(X[TEST], Y[TEST])


def pipeline(components, **chosen):
    steps = [("scale", StandardScaler()), ("turn", PCA(components)), ("net", MLPClassifier(**SMALL | chosen))]
    return Pipeline(steps)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_pipelines(weights):
    sample = Sample(pd.DataFrame(X, columns=list("abcde")), WORDS, weights)
    frame = sample.X.iloc
    for estimator in (pipeline(3), pipeline(3, alpha=1.0), pipeline(2), pipeline(2, early_stopping=True)):
        own = {} if weights is None else {"net__sample_weight": weights[TRAIN]}
        theirs = clone(estimator).fit(frame[TRAIN], WORDS[TRAIN], **own)
        trial = trial_of(estimator, sample, TRAIN)
        alone(trial.go_on(4))
        resumed_trial = resumed(trial, estimator, sample, TRAIN)
        for one in (trial, resumed_trial):
            alone(one.go_on())
            assert one.ended
            assert_same(one.fitted()[-1], theirs[-1])
            assert one.score(TEST) == theirs.score(frame[TEST], WORDS[TEST])
            scorer = get_scorer("neg_log_loss")
            assert one.score(TEST, scorer) == scorer(theirs, frame[TEST], WORDS[TEST])
            np.testing.assert_array_equal(one.fitted().predict(frame[TEST]), theirs.predict(frame[TEST]))
        assert (trial.epochs, trial.losses) == (theirs[-1].n_iter_, theirs[-1].loss_curve_)


FITTED_TO = []


class Counted(StandardScaler):
    """Says how many rows it was fitted to, each time."""

    def fit(self, X, y=None, sample_weight=None):
        FITTED_TO.append(len(X))
        return super().fit(X, y)


def test_steps_are_fitted_once_for_the_candidates_that_share_them():
    FITTED_TO.clear()
    sample = Sample(X, Y)
    for alpha, train in itertools.product((0.1, 0.2, 0.3), (TRAIN, TEST)):
        steps = [("scale", Counted()), ("net", MLPClassifier(**SMALL, alpha=alpha))]
        alone(trial_of(Pipeline(steps), sample, train).go_on(2))
    assert [len(TRAIN), len(TEST)] == FITTED_TO


def test_steps_before_another_estimator():
    steps = Pipeline([("scale", StandardScaler()), ("last", LogisticRegression())])
    trial = trial_of(steps, Sample(X, Y, WEIGHTS), TRAIN)
    alone(trial.go_on())
    theirs = clone(steps).fit(X[TRAIN], Y[TRAIN], last__sample_weight=WEIGHTS[TRAIN])
    assert trial.score(TEST) == theirs.score(X[TEST], Y[TEST])
