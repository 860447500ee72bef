"""Inside scikit-learn: pipelines, searches, ensembles, frames, routing, callbacks, several jobs."""

from __future__ import annotations

import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, BaggingRegressor, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS


def small(**more):
    return MLPClassifier(
        **({"hidden_layer_sizes": (8,), "max_iter": 60, "random_state": 0, "learning_rate_init": 0.02} | more)
    )


MADE_OF_IT = {
    "pipeline": lambda: make_pipeline(StandardScaler(), small()),
    "search": lambda: GridSearchCV(
        small(), {"alpha": [1e-4, 1e-2], "hidden_layer_sizes": [(4,), (8, 4)]}, cv=3
    ),
    "calibrated": lambda: CalibratedClassifierCV(small(), cv=3),
    "bagging": lambda: BaggingClassifier(small(), n_estimators=3, random_state=0),
    "voting": lambda: VotingClassifier([("a", small()), ("b", LogisticRegression())], voting="soft"),
    "outputs": lambda: MultiOutputClassifier(small()),
}


@pytest.mark.parametrize("name", MADE_OF_IT)
def test_as_a_part(name):
    y = np.c_[Y, Y > 0] if name == "outputs" else Y
    assert MADE_OF_IT[name]().fit(X, y).score(X, y) > 0.9


def test_cross_validation_and_importance():
    assert cross_val_score(small(), X, data.WORDS, cv=3).mean() > 0.9
    found = permutation_importance(small().fit(X, Y), X, Y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() >= 2  # the petals tell
    assert (
        BaggingRegressor(MLPRegressor(max_iter=50), n_estimators=2, random_state=0).fit(X, Y).score(X, Y) > 0
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    frames = pytest.importorskip(library)
    columns = {"length": X[:, 0], "width": X[:, 1], "kind": np.where(X[:, 2] > 0, "big", "small")}
    frame = frames.DataFrame(columns)
    numbers = frame[["length", "width"]]
    chosen = {"max_iter": 5, "random_state": 0}
    model = MLPClassifier(**chosen).fit(numbers, data.WORDS)
    assert model.feature_names_in_.tolist() == ["length", "width"]
    plain = MLPClassifier(**chosen).fit(X[:, :2], data.WORDS)
    assert_within(model.predict_proba(numbers), plain.predict_proba(X[:, :2]), 0.0)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X[:, :2])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["width", "length"]])
    parts = ColumnTransformer(
        [("n", StandardScaler(), ["length", "width"]), ("k", OneHotEncoder(), ["kind"])]
    )
    assert make_pipeline(parts, small()).fit(frame, data.WORDS).score(frame, data.WORDS) > 0.8
    target = frames.Series("y", Y) if library == "polars" else frames.Series(Y, name="y")
    assert_within(
        MLPRegressor(**chosen).fit(X, target).coefs_[0], MLPRegressor(**chosen).fit(X, Y).coefs_[0], 0.0
    )


def test_metadata_is_routed():
    weights = np.linspace(0.1, 2, 150)
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(sample_weight=True, X_val=True, y_val=True)
        model.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        scaled = make_pipeline(scaler, model, transform_input=["X_val"])
        scaled.fit(X, Y, sample_weight=weights, X_val=X[:20], y_val=Y[:20])
        search = GridSearchCV(model, {"alpha": [1e-3]}, cv=2).fit(X, Y, sample_weight=weights)
    expected = small().fit(StandardScaler().fit_transform(X), Y, sample_weight=weights)
    found = scaled[-1]
    assert_within(found.coefs_[0], expected.coefs_[0], 0.0)
    assert len(found.validation_scores_) == found.n_iter_
    refitted = small(alpha=1e-3).fit(X, Y, sample_weight=weights)
    assert_within(search.best_estimator_.coefs_[0], refitted.coefs_[0], 0.0)


def threads_in_use(_):
    model = small(max_iter=2).fit(X, Y)
    return fd.get_threads(), model.n_iter_


def test_jobs_share_the_machine(monkeypatch):
    """joblib tells its workers by OMP_NUM_THREADS how many threads each may have, unless that is set."""
    for name in ("OMP_NUM_THREADS", "FASTDENSE_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    cores = joblib.cpu_count()
    with joblib.parallel_config("loky", n_jobs=2):
        found = joblib.Parallel()(joblib.delayed(threads_in_use)(i) for i in range(4))
    assert all(2 * threads <= max(cores, 2) for threads, _ in found)
    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend, n_jobs=2):
            search = GridSearchCV(small(), {"alpha": [1e-4, 1e-3, 1e-2]}, cv=3).fit(X, Y)
        assert search.best_score_ > 0.9


def test_scores_are_monitored():
    for solver in ("adam", "sgd", "lbfgs"):
        monitor = ScoringMonitor(scoring="accuracy")
        model = small(solver=solver, max_iter=7).set_callbacks(monitor).fit(X, Y)
        log = monitor.get_logs()
        scores = [row["accuracy"] for row in log.data if "accuracy" in row and row["parent_task_id_path"]]
        assert len(scores) == model.n_iter_
        assert_within(scores[-1], model.score(X, Y), 0.0)


def test_progress_is_shown_and_pipelines_pass_it_on(capsys):
    pytest.importorskip("rich")
    small(max_iter=3).set_callbacks(ProgressBar()).fit(X, Y)
    assert "MLPClassifier - fit" in capsys.readouterr().out
    make_pipeline(StandardScaler(), small(max_iter=3)).set_callbacks(ProgressBar()).fit(X, Y)
    said = capsys.readouterr().out
    assert "Pipeline - fit" in said
    assert "MLPClassifier" in said


class Recorder:
    """A callback that writes down what it is told, and asks to stop after some epochs."""

    def __init__(self, stop_after=10**9):
        self.told, self.stop_after = [], stop_after

    def setup(self, estimator, context):
        self.told.append(("setup", context.task_name, context.max_subtasks))

    def teardown(self, estimator, context):
        self.told.append(("teardown", context.task_name, context.max_subtasks))

    def on_fit_task_begin(self, estimator, context, *, X=None):
        self.told.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.told.append(("end", context.task_name, context.task_id))
        if context.parent is not None:
            assert set(metadata) == {"sample_weight"}
            assert X is DATA
            assert y is Y
            assert fitted_estimator.predict(X).shape == y.shape
            return context.task_id + 1 >= self.stop_after
        return None


DATA = X.copy()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_hear_of_every_epoch_and_can_stop(solver):
    recorder = Recorder(stop_after=4)
    model = small(solver=solver).set_callbacks(recorder).fit(DATA, Y, sample_weight=np.ones(150))
    assert model.n_iter_ == 4
    epochs = [(event, "epoch", i) for i in range(4) for event in ("begin", "end")]
    around = [("setup", "fit", 60), ("begin", "fit", 0)], [("end", "fit", 0), ("teardown", "fit", 60)]
    assert recorder.told == [*around[0], *epochs, *around[1]]


def test_a_callback_changes_nothing():
    watched = small(early_stopping=True).set_callbacks(Recorder()).fit(DATA, Y, sample_weight=np.ones(150))
    alone = small(early_stopping=True).fit(DATA, Y, sample_weight=np.ones(150))
    for found, expected in zip(watched.coefs_, alone.coefs_, strict=True):
        assert_within(found, expected, 0.0)


def test_it_warns_where_scikit_learn_warns():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
        small(max_iter=3).fit(X, Y)
    with pytest.warns(UserWarning, match="Got `batch_size` less than 1 or larger than sample size"):
        small(max_iter=3, batch_size=1000).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        small(max_iter=3, solver="lbfgs").fit(X, Y)
    with pytest.warns(sklearn.exceptions.DataConversionWarning, match="A column-vector y was passed"):
        small(max_iter=3).fit(X, Y[:, np.newaxis])


def test_what_it_says(capsys):
    small(max_iter=200, tol=0.1, verbose=True, early_stopping=True, n_iter_no_change=2).fit(X, Y)
    said = capsys.readouterr().out
    assert "Iteration 1, loss = " in said
    assert "Validation score: " in said
    assert (
        "Validation score did not improve more than tol=0.100000 for 2 consecutive epochs. Stopping." in said
    )
    small(
        solver="sgd", learning_rate="adaptive", tol=0.5, verbose=True, max_iter=100, n_iter_no_change=1
    ).fit(X, Y)
    said = capsys.readouterr().out
    assert (
        "Training loss did not improve more than tol=0.500000 for 1 consecutive epochs. Setting learning rate"
        in said
    )
    assert "Learning rate too small. Stopping." in said
    small(solver="lbfgs", verbose=True, max_iter=2).fit(X, Y)
    assert "Iteration 2, loss = " in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="a process of its own is forked")
def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("fastdense.estimators")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.setitem(sys.modules, name, None)
    import fastdense.estimators as fresh

    with pytest.raises(ModuleNotFoundError, match=r"pip install 'fastdense\[sklearn\]'"):
        fresh.MLPClassifier  # noqa: B018
