"""Optuna's studies, trained by the batch."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("optuna")

import optuna as library
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import fastdense as fd
from fastdense.search import choice, integers, log_uniform, optuna, uniform
from tests.estimators import data

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
]
X, Y = data.X_IRIS, data.Y_IRIS
SPACE = {"hidden_layer_sizes": choice([(2,), (4, 4)]), "learning_rate_init": log_uniform(1e-3, 1e-1)}
network = fd.MLPClassifier(max_iter=9, tol=0.0, n_iter_no_change=1000, random_state=0)


def study(**settings):
    library.logging.set_verbosity(library.logging.ERROR)
    sampler = library.samplers.TPESampler(seed=0, n_startup_trials=4)
    return library.create_study(**{"direction": "maximize", "sampler": sampler, **settings})


def told(found):
    return [
        (trial.params, trial.value, trial.state.name, trial.intermediate_values) for trial in found.trials
    ]


def test_values_are_the_estimators_scores():
    found = study()
    best = optuna(found, network, X, Y, space=SPACE, ask=4, n_trials=6, cv=3)
    assert len(found.trials) == 6
    for trial in found.trials:
        sizes = {"(2,)": (2,), "(4, 4)": (4, 4)}[trial.params["hidden_layer_sizes"]]
        alone = clone(network).set_params(**{**trial.params, "hidden_layer_sizes": sizes})
        assert trial.value == cross_val_score(alone, X, Y, cv=3).mean()
    alone = clone(network).set_params(**best.get_params()).fit(X, Y)
    assert best.coefs_[0].tobytes() == alone.coefs_[0].tobytes()
    assert best.learning_rate_init == found.best_params["learning_rate_init"]
    assert set(found.user_attrs) == {"seconds_suggesting", "seconds_training"}


def test_any_number_of_threads_draws_the_same():
    studies = [study(pruner=library.pruners.MedianPruner(n_startup_trials=2)) for _ in range(2)]
    for threads, each in zip((1, 3), studies, strict=True):
        optuna(
            each,
            network,
            X,
            Y,
            space=SPACE,
            ask=4,
            n_trials=12,
            cv=2,
            min_epochs=1,
            n_threads=threads,
            scoring="neg_log_loss",
        )
    assert told(studies[0]) == told(studies[1])
    assert {trial.state.name for trial in studies[0].trials} == {"COMPLETE", "PRUNED"}


def test_rungs_are_reported():
    found = study(pruner=library.pruners.NopPruner())
    optuna(found, network, X, Y, space=SPACE, ask=2, n_trials=2, cv=2, min_epochs=1, max_epochs=12)
    assert [list(trial.intermediate_values) for trial in found.trials] == [[1, 3, 9]] * 2


def test_a_space_may_be_a_function(tmp_path):
    def space(trial):
        layers = trial.suggest_int("layers", 1, 2)
        return {
            "hidden_layer_sizes": (3,) * layers,
            "alpha": trial.suggest_float("alpha", 1e-4, 1.0, log=True),
        }

    found = study(storage=f"sqlite:///{tmp_path}/study.db")
    best = optuna(found, network, X, Y, space=space, ask=3, n_trials=3, cv=2)
    assert best.hidden_layer_sizes == (3,) * found.best_params["layers"]


def test_all_kinds_of_spaces():
    space = {
        "alpha": uniform(0.0, 1.0),
        "batch_size": integers(16, 64, log=True),
        "activation": ["relu", "tanh"],
    }
    found = study()
    best = optuna(found, network, X, Y, space=space, ask=5, n_trials=5, cv=2)
    assert {name: getattr(best, name) for name in space} == found.best_params


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_a_trial_that_fails_is_told_so():
    found = study()
    optuna(found, network, X, Y, space={"alpha": [-1.0, 0.1]}, ask=4, n_trials=8, cv=2)
    assert {trial.state.name for trial in found.trials} == {"COMPLETE", "FAIL"}
    failed = next(trial for trial in found.trials if trial.state.name == "FAIL")
    assert "'alpha' parameter" in failed.user_attrs["error"]
    with pytest.raises(ValueError, match=r"no trial was finished: .*'alpha' parameter"):
        optuna(study(), network, X, Y, space={"alpha": [-1.0]}, n_trials=2, cv=2)


def test_a_study_goes_on():
    found = study()
    for _ in range(2):
        optuna(found, network, X, Y, space=SPACE, ask=4, n_trials=4, cv=2)
    once = study()
    optuna(once, network, X, Y, space=SPACE, ask=4, n_trials=8, cv=2)
    assert told(found) == told(once)


@pytest.mark.parametrize(
    "settings", [{"direction": "minimize"}, {"direction": None, "directions": ["maximize"] * 2}]
)
def test_what_is_no_study_for_scores(settings):
    with pytest.raises(ValueError, match="direction='maximize'"):
        optuna(study(**settings), network, X, Y, space=SPACE)


def test_a_wrong_name():
    with pytest.raises(ValueError, match="Invalid parameter 'alhpa'"):
        optuna(study(), network, X, Y, space={"alhpa": [1.0]}, cv=2)


def test_without_optuna(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ModuleNotFoundError, match=r"fastdense\[optuna\]"):
        optuna(None, network, X, Y, space=SPACE)
