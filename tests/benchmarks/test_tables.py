"""The logic of the benchmark of tables: splits, columns for the peers, scores and the summary."""

from math import log

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from benchmarks.tabular.cache import Cache
from benchmarks.tabular.data import Data, Source, split, typed
from benchmarks.tabular.scores import of_classes, of_frequencies, of_numbers
from benchmarks.tabular.summary import nested, ratios, summarize

SOURCE = Source("made up", "classify", date="day")


def data(rows, task="classify"):
    X = pd.DataFrame({"row": np.arange(rows)})
    return Data("made up", task, X, np.arange(rows) % 4 // 3, SOURCE)


@pytest.mark.parametrize(
    ("rows", "training", "test"), [(1000, 800, 200), (9000, 6000, 3000), (20000, 6000, 10000)]
)
def test_a_split_has_at_most_6000_rows_to_learn_from_and_10000_to_predict(rows, training, test):
    parts = split(data(rows), 0)
    drawn = np.concatenate([parts.X_train["row"], parts.X_test["row"]])
    assert (len(parts.y_train), len(parts.y_test)) == (training, test)
    assert len(set(drawn)) == training + test
    assert np.array_equal(np.concatenate([parts.y_train, parts.y_test]), drawn % 4 // 3)


def test_splits_have_the_classes_alike_and_differ_by_seed():
    first, again, other = (split(data(1000), seed) for seed in (0, 0, 1))
    assert first.y_train.sum() == 200
    assert first.y_test.sum() == 50
    assert first.X_test.equals(again.X_test)
    assert not first.X_test.equals(other.X_test)


def test_typed_columns_are_float64_or_the_categories_of_the_training_rows():
    train = pd.DataFrame({"day": ["31/12/1970", "02/01/1970"], "size": [1, 2], "text": ["b", None]})
    test = pd.DataFrame({"day": ["04/01/1970"], "size": [3], "text": ["c"]})
    made = Data("made up", "classify", train, np.array([0, 1]), SOURCE)
    parts = typed(made, split(data(10), 0)._replace(X_train=train, X_test=test))
    days = ["day days", "day year", "day month", "day day", "day day_of_week"]
    assert list(parts.X_train.columns) == [*days, "size", "text"]
    assert parts.X_train[days].iloc[0].tolist() == [364, 1970, 12, 31, 3]
    assert (parts.X_train.dtypes.iloc[:-1] == np.float64).all()
    assert list(parts.X_test["text"].cat.categories) == ["b"]
    assert parts.X_test["text"].isna().all()


def test_scores_of_classes():
    y = np.array([0, 1, 1, 0])
    scores = of_classes(y, np.array([[0.8, 0.2], [0.6, 0.4], [0.25, 0.75], [0.9, 0.1]]))
    assert scores["error"] == 0.25
    assert scores["log_loss"] == pytest.approx(-(log(0.8) + log(0.4) + log(0.75) + log(0.9)) / 4)
    assert scores["auc"] == 1.0
    assert "auc" not in of_classes(np.array([0, 1, 2]), np.eye(3))


def test_a_probability_of_0_costs_a_finite_log_loss():
    assert of_classes(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))["log_loss"] == pytest.approx(
        -log(1e-7) / 2, rel=1e-6
    )


def test_scores_of_frequencies_and_of_numbers():
    found = of_frequencies(np.array([0, 0, 0, 1]), np.array([0, 1]))
    assert found["log_loss_of_frequencies"] == pytest.approx(-(log(0.75) + log(0.25)) / 2)
    assert of_numbers(np.array([1.0, 2.0]), np.array([4.0, 6.0]))["error"] == pytest.approx(12.5**0.5)


def result(method, table, number, error, **others):
    times = {"fit_seconds": 1.0, "predict_seconds": 0.1, "busy": False}
    return {"method": method, "table": table, "split": number, "error": error, **times, **others}


def test_ratios_are_of_the_splits_that_both_have():
    kept = nested(
        [
            result("CatBoost", "a", 0, 1.0),
            result("CatBoost", "a", 1, 3.0),
            result("CatBoost", "b", 0, 1.0),
            result("ours", "a", 1, 1.5),
            result("ours", "c", 0, 1.0),
        ]
    )
    assert ratios(kept, "ours", "CatBoost", "error") == {"a": 0.5}
    assert ratios(kept, "ours", "CatBoost", "log_loss") == {}
    assert ratios(kept, "ours", "nobody", "error") == {}


def test_the_summary_is_of_geometric_means_over_tables():
    losses = {"log_loss": 0.5, "log_loss_of_frequencies": 0.4}
    results = [
        result("CatBoost", "a", 0, 1.0, log_loss=1.0, log_loss_of_frequencies=2.0),
        result("CatBoost", "b", 0, 4.0),
        result("ours", "a", 0, 4.0, **losses),
        result("ours", "b", 0, 3.0, busy=True) | {"fit_seconds": 9.0},
    ]
    timed = [result("CatBoost", "a", 0, 1.0), result("ours", "a", 0, 1.0) | {"fit_seconds": 0.25}]
    catboost, ours = summarize(results, timed)
    against = ours["against"]["CatBoost"]
    assert catboost["method"] == "CatBoost"
    assert against["error"] == pytest.approx(3**0.5)
    assert (against["wins"], against["tables"]) == (1, 2)
    assert (against["log_loss"], against["log_loss_wins"], against["classified"]) == (0.5, 1, 1)
    assert (against["fit_seconds"], against["timed_apart"]) == (0.25, True)
    assert ours["fit_seconds"] == pytest.approx(3.0)
    assert (ours["busy"], ours["worse_than_frequencies"]) == (True, 1)
    assert ours["against"]["RealMLP-TD"]["error"] is None


def test_results_are_kept_apart_from_timings(tmp_path):
    cache = Cache(tmp_path)
    one = result("ours", "a", 0, 1.0)
    assert not cache.has("ours", "a", 0)
    cache.keep(one)
    cache.keep_timing(one | {"fit_seconds": 2.0})
    assert cache.has("ours", "a", 0)
    assert not cache.has("ours", "a", 1)
    assert Cache(tmp_path).results() == [one]
    assert Cache(tmp_path).timings() == [one | {"fit_seconds": 2.0}]
