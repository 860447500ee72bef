"""Grids and random draws: scikit-learn's scores exactly, and what is added to them."""

from __future__ import annotations

import pickle
import time
from functools import partial

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import stats
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastdense import MLPClassifier, MLPRegressor
from fastdense.search import GridSearch, RandomSearch, integers, log_uniform
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS
GRID = {"hidden_layer_sizes": [(3,), (4, 4)], "learning_rate_init": [0.003, 0.03]}
classifier = partial(MLPClassifier, max_iter=6, random_state=0)
regressor = partial(MLPRegressor, hidden_layer_sizes=(4,), max_iter=6, random_state=0)
TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def same_results(ours, theirs):
    """Assert that two searches found the same; times and what scikit-learn lacks do not count."""
    for name, expected in theirs.cv_results_.items():
        found = ours.cv_results_[name]
        if name == "params":
            assert found == expected
        elif name not in TIMES:
            assert np.ma.getmaskarray(found).tolist() == np.ma.getmaskarray(expected).tolist()
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_equal(str(one) if callable(one) else one, other, err_msg=name)
        else:
            assert (found >= 0).all()


def over_pipeline(grid, step):
    return {f"{step}__{name}": values for name, values in grid.items()}


def gap(estimator, X, y):
    probabilities = estimator.predict_proba(X)
    return {
        "accuracy": accuracy_score(y, estimator.predict(X)),
        "top": float(probabilities.max(axis=1).mean()),
    }


WEIGHTS = np.linspace(0.1, 2.0, len(Y))
RATES = {"learning_rate_init": [0.003, 0.03]}
CASES = {
    "classifier": (classifier(), GRID, {}, {}),
    "several grids": (classifier(), [GRID, {"alpha": [0.1]}], {}, {}),
    "train scores": (classifier(), RATES, {"return_train_score": True}, {}),
    "text for classes": (classifier(), RATES, {}, {"y": data.WORDS}),
    "scorer": (classifier(), RATES, {"scoring": "neg_log_loss", "cv": 3}, {}),
    "many scorers": (classifier(), RATES, {"scoring": ["accuracy", "f1_macro"], "refit": "accuracy"}, {}),
    "a function of scores": (classifier(), RATES, {"scoring": gap, "refit": "top"}, {}),
    "weights": (classifier(), RATES, {"scoring": "accuracy", "cv": 3}, {"sample_weight": WEIGHTS}),
    "weights, own score": (classifier(), RATES, {"cv": 3}, {"sample_weight": WEIGHTS}),
    "groups": (classifier(), RATES, {"cv": GroupKFold(3)}, {"groups": np.arange(len(Y)) % 7}),
    "shuffled": (classifier(), RATES, {"cv": ShuffleSplit(3, random_state=0, test_size=0.3)}, {}),
    "early stopping": (classifier(early_stopping=True, n_iter_no_change=2), RATES, {"cv": 3}, {}),
    "l-bfgs": (classifier(solver="lbfgs"), {"alpha": [1e-4, 1.0]}, {"cv": 3}, {}),
    "solver among them": (classifier(), {"solver": ["adam", "sgd", "lbfgs"]}, {"cv": 3}, {}),
    "converges": (classifier(tol=0.5, n_iter_no_change=1), RATES, {"cv": 3}, {}),
    "pipeline": (
        make_pipeline(StandardScaler(), classifier()),
        over_pipeline(GRID, "mlpclassifier"),
        {"cv": 3},
        {},
    ),
    "preprocessing": (
        make_pipeline(StandardScaler(), classifier()),
        {"standardscaler": [StandardScaler(), "passthrough"], "mlpclassifier__alpha": [0.1]},
        {"cv": 3},
        {},
    ),
    "pipeline with a scorer": (
        make_pipeline(StandardScaler(), classifier()),
        over_pipeline(RATES, "mlpclassifier"),
        {"cv": 3, "scoring": "neg_log_loss"},
        {},
    ),
    "pipeline with weights": (
        make_pipeline(StandardScaler(), classifier()),
        over_pipeline(RATES, "mlpclassifier"),
        {"cv": 3},
        {"mlpclassifier__sample_weight": WEIGHTS},
    ),
    "regressor": (regressor(), RATES, {}, {"X": data.X_NUMBERS, "y": data.Y_NUMBERS}),
    "three outputs": (regressor(), RATES, {"cv": 3}, {"X": data.X_NUMBERS, "y": data.Y_THREE}),
    "labels": (classifier(), RATES, {"cv": 3}, {"X": data.X_LABELS, "y": data.Y_LABELS}),
    "another estimator": (LogisticRegression(), {"C": [0.1, 1.0]}, {}, {}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:The scoring")  # that it takes no weights, which both say
def test_the_results_are_scikit_learns(name):
    estimator, grid, settings, given = CASES[name]
    given = {"X": X, "y": Y, **given}
    theirs = GridSearchCV(estimator, grid, **settings).fit(**given)
    ours = GridSearch(estimator, grid, **settings, n_threads=2).fit(**given)
    same_results(ours, theirs)
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_index_ == theirs.best_index_
    assert ours.best_score_ == theirs.best_score_
    assert ours.multimetric_ == theirs.multimetric_
    assert ours.n_splits_ == theirs.n_splits_
    np.testing.assert_array_equal(ours.predict(given["X"]), theirs.predict(given["X"]))
    assert ours.score(given["X"], given["y"]) == theirs.score(given["X"], given["y"])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads_gives_the_same_bits(threads):
    found = GridSearch(classifier(), GRID, cv=3, n_threads=threads, scoring="neg_log_loss").fit(X, Y)
    alone = GridSearch(classifier(), GRID, cv=3, n_threads=3, scoring="neg_log_loss").fit(X, Y)
    same_results(found, alone)
    assert found.cv_results_["curves"].tolist() == alone.cv_results_["curves"].tolist()
    for one, other in zip(found.best_estimator_.coefs_, alone.best_estimator_.coefs_, strict=True):
        assert one.tobytes() == other.tobytes()


def test_random_draws_are_scikit_learns():
    space = {"learning_rate_init": stats.loguniform(1e-3, 1e-1), "alpha": [0.1, 0.01]}
    theirs = RandomizedSearchCV(classifier(), space, n_iter=4, random_state=3, cv=3).fit(X, Y)
    same_results(RandomSearch(classifier(), space, n_iter=4, random_state=3, cv=3).fit(X, Y), theirs)


def test_a_space_in_a_line():
    space = {"hidden_layer_sizes": integers(2, 6), "learning_rate_init": log_uniform(1e-3, 1e-1)}
    found = [RandomSearch(classifier(), space, n_iter=5, random_state=1, cv=2).fit(X, Y) for _ in range(2)]
    same_results(*found)
    sizes = found[0].cv_results_["param_hidden_layer_sizes"]
    assert len(sizes) == 5
    assert {2, 3, 4, 5, 6} >= set(sizes)


def test_curves_and_epochs():
    network = classifier(early_stopping=True, max_iter=5)
    search = GridSearch(network, RATES, cv=2).fit(X, Y)
    for params, epochs, curves in zip(
        *(search.cv_results_[n] for n in ("params", "n_epochs", "curves")), strict=True
    ):
        assert epochs == 5
        for curve, (train, _) in zip(curves, search_splits(2), strict=True):
            alone = clone(network).set_params(**params).fit(X[train], Y[train])
            assert curve == {"loss": alone.loss_curve_, "validation": alone.validation_scores_}


def search_splits(count):
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(count).split(X, Y))


def test_a_search_is_an_estimator_as_scikit_learns():
    search = GridSearch(classifier(), GRID, cv=3)
    assert is_classifier(search)
    assert not is_regressor(search)
    assert is_regressor(GridSearch(regressor(), GRID))
    with pytest.raises(NotFittedError):
        search.predict(X)
    twin = clone(search).set_params(cv=2, estimator__alpha=0.5)
    assert twin.fit(X, Y).n_splits_ == 2
    assert twin.best_estimator_.alpha == 0.5
    assert search.cv == 3
    assert search.estimator.alpha == 0.0001
    assert list(twin.classes_) == [0, 1, 2]
    assert twin.n_features_in_ == 4
    assert "GridSearch" in twin._repr_html_()
    kept = pickle.loads(pickle.dumps(twin))
    np.testing.assert_array_equal(kept.predict_proba(X), twin.predict_proba(X))


def test_results_make_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(GridSearch(classifier(), GRID, cv=2).fit(X, Y).cv_results_)
    assert len(frame) == 4
    assert frame["error"].tolist() == [[None, None]] * 4


def test_refit_may_be_a_function_or_not_at_all():
    search = GridSearch(classifier(), GRID, cv=2, refit=lambda results: 2).fit(X, Y)
    assert search.best_index_ == 2
    assert search.best_params_ == search.cv_results_["params"][2]
    search = GridSearch(classifier(), GRID, cv=2, refit=False).fit(X, Y)
    assert search.best_params_
    assert not hasattr(search, "best_estimator_")
    with pytest.raises(AttributeError):
        search.predict(X)


def test_a_diverged_network_scores_worst_and_says_why():
    grid = {"learning_rate_init": [0.01, 1e30], "solver": ["sgd"]}
    search = GridSearch(classifier(), grid, cv=2, n_threads=2)
    with (
        pytest.warns(FitFailedWarning, match=r"2 of 4 fits failed.*\n- .*loss of epoch"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search.fit(X, Y)
    errors = search.cv_results_["error"]
    assert errors[0] == [None, None]
    assert all("Solver produced non-finite" in text for text in errors[1])
    assert search.cv_results_["rank_test_score"].tolist() == [1, 2]
    assert search.best_index_ == 0


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_candidates_that_cannot_be_built_do_not_stop_the_others():
    grid = {"alpha": [-1.0, 0.1], "activation": ["relu", "rleu"]}
    with pytest.warns(FitFailedWarning, match="6 of 8 fits failed"):
        search = GridSearch(classifier(), grid, cv=2).fit(X, Y)
    assert search.best_params_ == {"activation": "relu", "alpha": 0.1}
    assert "'alpha' parameter of MLPClassifier" in search.cv_results_["error"][0][0]


def test_error_score_stands_for_what_failed():
    with pytest.warns(FitFailedWarning, match=r"score -7"):
        search = GridSearch(classifier(), {"alpha": [-1.0, 0.1]}, cv=2, error_score=-7).fit(X, Y)
    assert search.cv_results_["mean_test_score"][0] == -7


def test_an_error_may_be_raised():
    with pytest.raises(ValueError, match="'alpha' parameter") as caught:
        GridSearch(classifier(), {"alpha": [-1.0]}, cv=2, error_score="raise").fit(X, Y)
    assert any("{'alpha': -1.0}" in note for note in caught.value.__notes__)


def test_if_all_fail_the_causes_are_told():
    grid = [{"alpha": [-1.0]}, {"tol": [-2.0, -3.0]}]
    with pytest.raises(ValueError, match=r"All the 6 fits failed(.|\n)*2 times: .*'alpha'") as caught:
        GridSearch(classifier(), grid, cv=2).fit(X, Y)
    assert "first with {'tol': -3.0}, on split 0" in str(caught.value)


def test_a_wrong_name_is_found_before_anything_trains():
    class Untouched(MLPClassifier):
        def fit(self, *args, **kwargs):
            raise AssertionError("trained")

    for grid in ({"alhpa": [0.1]}, [{"alpha": [0.1]}, {"network__alpha": [1]}]):
        with pytest.raises(ValueError, match="Invalid parameter"):
            GridSearch(Untouched(), grid, cv=2).fit(X, Y)


@pytest.mark.parametrize(
    "grid", [{"alpha": []}, {"alpha": 0.1}, {"alpha": log_uniform(0.1, 1)}, {"alpha": "abc"}]
)
def test_what_is_no_grid(grid):
    with pytest.raises((TypeError, ValueError), match="alpha"):
        GridSearch(classifier(), grid).fit(X, Y)


@pytest.mark.parametrize(
    "settings", [{"n_threads": 0}, {"max_time": 0}, {"error_score": "nan"}, {"verbose": -1}]
)
def test_what_is_no_setting(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        GridSearch(classifier(), GRID, **settings).fit(X, Y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores", "ignore:max_time=2 s passed while")
def test_max_time_keeps_what_is_done():
    slow = MLPClassifier((200, 200), max_iter=10_000_000, tol=0, n_iter_no_change=10_000_000, random_state=0)
    quick = {"hidden_layer_sizes": [(2,)], "max_iter": [1, 2]}
    search = GridSearch(slow, [quick, {"alpha": [0.1]}], cv=2, n_threads=4, max_time=2.0)
    begun = time.monotonic()
    with pytest.warns(UserWarning, match=r"max_time=2 s passed: 2 of 3 candidates were finished"):
        search.fit(X, Y)
    assert time.monotonic() - begun < 60
    assert search.best_params_["hidden_layer_sizes"] == (2,)
    assert search.predict(X).shape == (len(Y),)
    assert search.cv_results_["error"][2] == ["not finished: max_time=2 s passed"] * 2


def test_no_time_at_all():
    with pytest.raises(ValueError, match="0 of 4 candidates were finished; give more time"):
        GridSearch(classifier(), GRID, cv=2, max_time=1e-9).fit(X, Y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_ctrl_c_keeps_what_is_done():
    class Interrupted(MLPClassifier):
        def score(self, X, y, sample_weight=None):
            if self.alpha == 0.5:
                raise KeyboardInterrupt
            return super().score(X, y, sample_weight)

    search = GridSearch(
        Interrupted((3,), max_iter=2, random_state=0), {"alpha": [0.1, 0.5]}, cv=2, n_threads=1
    )
    with pytest.warns(UserWarning, match="Ctrl-C was pressed: 1 of 2 candidates"), np.errstate(all="ignore"):
        search.fit(X, Y)
    assert search.best_params_ == {"alpha": 0.1}
    assert not hasattr(search, "best_estimator_")
    with pytest.raises(KeyboardInterrupt):
        GridSearch(search.estimator, {"alpha": [0.5, 0.1]}, cv=2, n_threads=1).fit(X, Y)


def test_lines_tell_the_progress(capsys):
    GridSearch(classifier(), RATES, cv=2, verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[-1].startswith("GridSearch: 4 of 4 fits - best score of a split: ")
    GridSearch(classifier(), RATES, cv=2).fit(X, Y)
    assert capsys.readouterr().out == ""


def test_scorers_of_ones_own():
    scorer = make_scorer(accuracy_score)
    theirs = GridSearchCV(classifier(), RATES, scoring={"mine": scorer}, refit="mine", cv=2).fit(X, Y)
    ours = GridSearch(classifier(), RATES, scoring={"mine": scorer}, refit="mine", cv=2).fit(X, Y)
    same_results(ours, theirs)
    assert ours.scorer_.keys() == theirs.scorer_.keys()


@pytest.mark.parametrize("threads", [1, 2])
def test_small_networks_of_one_shape_share_lanes_and_no_score_changes(threads):
    rates = {"learning_rate_init": np.geomspace(1e-3, 1e-1, 20).tolist()}
    ours = GridSearch(classifier((4,)), rates, cv=3, n_threads=threads).fit(X, Y)
    same_results(ours, GridSearchCV(classifier((4,)), rates, cv=3).fit(X, Y))
    assert ours.n_in_lanes_ >= 30
    square = GridSearch(classifier((20, 20)), rates, cv=10, n_threads=threads).fit(X, Y)
    assert square.n_in_lanes_ >= 150  # only those that share the order of rows: they come split by split
    wide = GridSearch(classifier((300,)), {"alpha": [1e-3, 1e-2]}, cv=3, n_threads=threads).fit(X, Y)
    assert wide.n_in_lanes_ == 0
