"""Successive halving: what is promoted, that nothing is trained again, and searches that were killed."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterSampler, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastdense import MLPClassifier
from fastdense.core import files
from fastdense.errors import FormatError
from fastdense.search import HalvingSearch, integers, log_uniform
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS
SPACE = {"hidden_layer_sizes": integers(2, 8), "learning_rate_init": log_uniform(1e-3, 1e-1)}
network = MLPClassifier(tol=0.0, n_iter_no_change=1000, random_state=0)
halving = partial(
    HalvingSearch, network, SPACE, n_candidates=9, max_epochs=9, random_state=0, cv=3, scoring="neg_log_loss"
)


def table(search):
    """Return the results without what depends on the clock."""
    kept = {name: column for name, column in search.cv_results_.items() if "_time" not in name}
    return {name: str(np.asarray(column).tolist()) for name, column in kept.items()}


def weights(search):
    return [array.tobytes() for array in search.best_estimator_.coefs_]


def test_scores_are_those_of_networks_trained_alone():
    search = halving().fit(X, Y)
    assert search.n_resources_ == [1, 3, 9]
    assert search.n_candidates_ == [9, 3, 1]
    results = search.cv_results_
    assert sorted(results["rung"]) == [0] * 6 + [1] * 2 + [2]
    assert results["params"] == list(ParameterSampler(SPACE, 9, random_state=0))
    for c, parameters in enumerate(results["params"]):
        alone = clone(network).set_params(**parameters, max_iter=results["n_epochs"][c])
        found = [results[f"split{s}_test_score"][c] for s in range(3)]
        assert found == cross_val_score(alone, X, Y, cv=3, scoring="neg_log_loss").tolist()
        for curve, (train, _) in zip(results["curves"][c], StratifiedKFold(3).split(X, Y), strict=True):
            assert curve["loss"] == clone(alone).fit(X[train], Y[train]).loss_curve_


def test_the_best_of_a_rung_are_promoted():
    search = halving().fit(X, Y)
    first = [
        np.mean(
            cross_val_score(clone(network).set_params(**p, max_iter=1), X, Y, cv=3, scoring="neg_log_loss")
        )
        for p in search.cv_results_["params"]
    ]
    assert set(np.argsort(first)[-3:]) == set(np.flatnonzero(search.cv_results_["rung"] > 0))
    assert search.best_index_ == np.argmax(search.cv_results_["rung"])
    assert search.cv_results_["rank_test_score"][search.best_index_] == 1
    assert set(search.cv_results_["rank_test_score"]) == set(range(1, 10))


def test_the_best_one_is_fitted_with_all_epochs():
    search = halving().fit(X, Y)
    expected = clone(network).set_params(**search.best_params_, max_iter=9).fit(X, Y)
    assert weights(search) == [array.tobytes() for array in expected.coefs_]


@pytest.mark.parametrize("threads", [1, 3])
def test_any_number_of_threads_gives_the_same(threads):
    found, other = halving(n_threads=threads).fit(X, Y), halving(n_threads=2).fit(X, Y)
    assert table(found) == table(other)
    assert weights(found) == weights(other)


def test_ties_go_to_the_first():
    search = HalvingSearch(network, {"verbose": [False] * 9}, max_epochs=9, cv=3, scoring="neg_log_loss").fit(
        X, Y
    )
    assert search.cv_results_["rung"].tolist() == [2, 1, 1, 0, 0, 0, 0, 0, 0]
    assert search.cv_results_["rank_test_score"].tolist() == [1, 2, 2, 4, 4, 4, 4, 4, 4]


def test_a_candidate_that_ends_early_stays_in_the_contest():
    patient = clone(network).set_params(tol=10.0, n_iter_no_change=1)
    search = HalvingSearch(patient, {"alpha": [0.1, 0.2, 0.3]}, min_epochs=2, max_epochs=18, cv=2).fit(X, Y)
    assert search.n_resources_ == [2, 6, 18]
    assert max(search.cv_results_["n_epochs"]) < 18
    assert max(search.cv_results_["rung"]) == 2


def test_several_scores():
    search = halving(scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss").fit(X, Y)
    assert search.best_params_ == halving().fit(X, Y).best_params_
    assert search.best_score_ == search.cv_results_["mean_test_neg_log_loss"].max()


def test_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), network)
    space = {f"mlpclassifier__{name}": values for name, values in SPACE.items()}
    plain = halving().fit(X, Y)
    search = halving().set_params(estimator=pipeline, space=space).fit(X, Y)
    assert search.n_resources_ == plain.n_resources_
    assert search.best_estimator_[-1].max_iter == 9
    best = clone(pipeline).set_params(**search.best_params_, mlpclassifier__max_iter=9)
    expected = cross_val_score(best, X, Y, cv=3, scoring="neg_log_loss")
    assert search.best_score_ == expected.mean()


def test_a_diverged_network_is_not_promoted():
    space = {"learning_rate_init": [1e30, 0.01, 1e30], "solver": ["sgd"]}
    search = HalvingSearch(network, space, min_epochs=3, max_epochs=9, cv=2)
    with pytest.warns(FitFailedWarning, match="4 of 6"), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, Y)
    assert search.cv_results_["rung"].tolist() == [0, 1, 0]
    assert search.best_params_["learning_rate_init"] == 0.01


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"space": {"max_iter": [1, 2]}, "n_candidates": None}, "'max_iter', which the rungs decide"),
        ({"estimator": LogisticRegression(), "space": {"C": [1, 2]}, "n_candidates": None}, "cannot pause"),
        ({"min_epochs": 10}, "over the 9 epochs"),
        ({"resource": "rows"}, "resource"),
        ({"factor": 1}, "factor"),
        ({"refit": lambda results: 0}, "decides in every rung"),
        ({"n_candidates": None}, "hidden_layer_sizes"),
    ],
)
def test_what_cannot_be_halved(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        halving().set_params(**settings).fit(X, Y)


SCRIPT = """
import os, signal, sys
from tests.search.test_halving import X, Y, halving
from sklearn.metrics import log_loss

def scored(estimator, X, y):
    scored.left -= 1
    if not scored.left:
        os.kill(os.getpid(), signal.SIGKILL)
    return -log_loss(y, estimator.predict_proba(X))

scored.left = int(sys.argv[2])
halving(directory=sys.argv[1], scoring=scored, n_threads=1).fit(X, Y)
"""


def scored(estimator, X, y):
    from sklearn.metrics import log_loss

    return -log_loss(y, estimator.predict_proba(X))


@pytest.mark.parametrize("after", [20, 30])
def test_a_killed_search_goes_on_to_the_same_bits(tmp_path, after):
    """It is killed in its first and in its second rung."""
    killed = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path, str(after)], check=False)
    assert killed.returncode < 0
    assert (tmp_path / "rung-0.safetensors").exists() == (after > 27)
    resumed = halving(directory=tmp_path, scoring=scored).fit(X, Y)
    whole = halving(scoring=scored).fit(X, Y)
    assert table(resumed) == table(whole)
    assert weights(resumed) == weights(whole)


class Scorer:
    """Ends the search after some scores, as Ctrl-C does; counts them."""

    def __init__(self, left):
        self.left, self.calls = left, 0

    def __call__(self, estimator, X, y):
        self.calls += 1
        if self.calls > self.left:
            raise KeyboardInterrupt
        return scored(estimator, X, y)

    def __repr__(self):
        return "Scorer()"


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_an_interrupted_rung_keeps_what_was_trained(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        halving(directory=tmp_path, scoring=Scorer(2)).fit(X, Y)
    with pytest.warns(UserWarning, match="Ctrl-C was pressed: 9 of 9"):
        early = halving(directory=tmp_path, scoring=Scorer(30)).fit(X, Y)
    assert max(early.cv_results_["rung"]) <= 1
    counted = Scorer(100)
    resumed = halving(directory=tmp_path, scoring=counted).fit(X, Y)
    assert counted.calls <= 27 + 9 + 3 - 30
    assert table(resumed) == table(halving(scoring=Scorer(100)).fit(X, Y))
    again = Scorer(100)
    assert table(halving(directory=tmp_path, scoring=again).fit(X, Y)) == table(resumed)
    assert again.calls == 0


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the directory of a search that has ended."""
    directory = tmp_path_factory.mktemp("rungs")
    halving(directory=directory).fit(X, Y)
    return directory


@pytest.mark.parametrize(
    ("settings", "given", "message"),
    [
        ({"random_state": 1}, {}, "candidate 0 is"),
        ({"n_candidates": 3}, {}, "it has 9 candidates, not 3"),
        ({"estimator__alpha": 0.5}, {}, "estimator is MLPClassifier"),
        ({"max_epochs": 18}, {}, "the epochs of the rungs is"),
        ({"cv": 2}, {}, "the splits of cv differ"),
        ({"scoring": "accuracy"}, {}, "scoring is 'neg_log_loss' there and 'accuracy' here"),
        ({}, {"X": X + 1e-12}, "X differs"),
        ({}, {"y": Y[::-1]}, "y differs"),
        ({}, {"sample_weight": np.ones(len(Y))}, "beside X and y differs"),
    ],
)
def test_another_search_is_refused(written, settings, given, message):
    other = clone(halving(directory=written)).set_params(**settings)
    with pytest.raises(FormatError, match=message):
        other.fit(**{"X": X, "y": Y, **given})


def test_a_damaged_record_is_refused(tmp_path):
    halving(directory=tmp_path).fit(X, Y)
    path = tmp_path / "rung-0.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="damaged"):
        halving(directory=tmp_path).fit(X, Y)
    files.write(path, {"format": "another"}, {})
    with pytest.raises(FormatError, match="is not a search"):
        halving(directory=tmp_path).fit(X, Y)
