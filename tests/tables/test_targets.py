"""Targets worked out by hand: which task, which labels, and back again."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastdense.errors import TableError
from fastdense.tables import Table
from fastdense.tables.frames import Frame


def learn(values, **options):
    return Table.learn({"n": np.arange(len(values)), "y": values}, target="y", **options)


def targets(table, values):
    return table.targets({"y": values})


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["no", "yes"], "classify"),
        ([True, False], "classify"),
        (["True", "False"], "classify"),
        ([0.5, 1.0] * 50, "regress"),
        ([0, 1] * 5, "classify"),
        ([0, 1] * 4 + [1], "regress"),  # 2 of 9 rows is more than a fifth
        ([0.0, 1.0] * 5, "classify"),
        (list(range(30)) * 5, "classify"),
        (list(range(31)) * 5, "regress"),
        (["1.5", "2"], "regress"),
        (["1", "2"] * 5, "classify"),
    ],
)
@pytest.mark.parametrize("frame", [dict, pd.DataFrame, pl.DataFrame])
def test_the_task_is_found(values, task, frame):
    assert Table.learn(frame({"n": list(range(len(values))), "y": values}), "y").task == task


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["b", " a", "b"], ["a", "b"]),
        (["10", "9"], ["10", "9"]),
        ([10, 9], [9, 10]),
        ([2.5, -1.0], [-1.0, 2.5]),
        ([True, False], [False, True]),
        (pd.array([3, 1], dtype="Int64"), [1, 3]),
        (np.array([2, 0.5], dtype=object), [0.5, 2.0]),
        (np.array([2.0, 1.0], dtype=np.float32), [1.0, 2.0]),
    ],
)
def test_labels_keep_their_type_in_order(values, classes):
    table = learn(values, task="classify")
    assert table.classes == classes
    assert list(map(type, table.classes)) == list(map(type, classes))
    indices = targets(table, values)
    assert indices.dtype == np.int64
    assert indices.shape == (len(values),)
    assert table.labels(indices) == [classes[k] for k in indices]


def test_class_indices_by_hand():
    table = learn(["no", "yes", "maybe"])
    np.testing.assert_array_equal(targets(table, ["yes", " no ", "maybe"]), [2, 1, 0])
    assert table.labels([2, 0]) == ["yes", "maybe"]
    assert table.labels([]) == []


@pytest.mark.parametrize("again", [[0.0, 1.0], ["0", " 1"], np.array([0, 1], np.uint8), pl.Series([0, 1])])
def test_a_label_is_known_in_whatever_type_it_comes_back(again):
    np.testing.assert_array_equal(targets(learn([0, 1] * 5), again), [0, 1])


def test_truth_is_known_as_text():
    np.testing.assert_array_equal(targets(learn([True, False]), ["true", "False"]), [1, 0])


def test_regression_is_standardised_and_back():
    table = learn([1.5, 3.5, 5.5, 7.5])  # mean 4.5, variance (9 + 1 + 1 + 9) / 4 = 5
    scaled = targets(table, [4.5, 4.5 + np.sqrt(5)])
    assert scaled.shape == (2, 1)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [[0], [1]], atol=1e-7)
    np.testing.assert_allclose(table.unscale(scaled), [[4.5], [4.5 + np.sqrt(5)]], rtol=1e-7)
    assert table.targets({"y": [1.5]}, dtype="float64").dtype == np.float64


def test_huge_targets_do_not_overflow():
    table = learn([-1e300, 1e300, 0.5])
    np.testing.assert_allclose(table.unscale(targets(table, [1e300])), [[1e300]], rtol=1e-6)


def test_the_target_is_no_feature_and_prediction_does_not_need_it():
    table = learn(["no", "yes"])
    assert table.feature_names == ["n"]
    assert table.features({"n": [1]}).shape == (1, 1)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (["a", None, "?", "b"], {}, "target 'y': no value in rows 2, 3"),
        ([1.5, np.nan], {}, "target 'y': no value in row 2"),
        (["a", "a"], {}, "target 'y' holds one class only, 'a'"),
        ([3, 3], {"task": "classify"}, "target 'y' holds one class only, 3"),
        ([2.5, 2.5], {}, "target 'y' is constant, 2.5"),
        ([0.0, 5e-324], {"task": "regress"}, "target 'y' is constant"),
        ([0, 0], {"task": "regress"}, "target 'y' is constant, 0"),
        (["a", "b"], {"task": "regress"}, "column 'y', row 1: 'a' is not a number"),
        ([1.5, np.inf], {}, "column 'y', row 2: the number is infinite"),
        ([1.5, np.inf], {"task": "classify"}, "column 'y', row 2: the number is infinite"),
        (["a", 1], {}, "labels must be all texts, all numbers or all bools"),
        ([True, "a"], {}, "labels must be all texts, all numbers or all bools"),
        (["a", "b"], {"task": "cluster"}, "task is 'auto', 'classify' or 'regress', not 'cluster'"),
        (["a", "b"], {"types": {"y": "category"}}, "types: 'y' is the target"),
        (list(range(65_537)), {"task": "classify"}, "holds 65537 classes; at most 65536"),
    ],
)
def test_what_is_no_target(values, options, message):
    with pytest.raises(TableError, match=message):
        learn(values, **options)


def test_a_misspelt_target_names_the_nearest_columns():
    with pytest.raises(TableError, match="there is no column 'incom'; did you mean 'Income'"):
        Table.learn({"Income": [1, 2], "age": [1, 2]}, target="incom")
    with pytest.raises(TableError, match="there is no column 'zzz'; the columns are 'Income', 'age'"):
        Table.learn({"Income": [1, 2], "age": [1, 2]}, target="zzz")


def test_an_unknown_label_is_named_with_its_rows():
    with pytest.raises(
        TableError, match="target 'y', rows 2, 3: unknown label 'perhaps', not of 'no', 'yes'"
    ):
        targets(learn(["no", "yes"]), ["no", "perhaps", "perhaps"])


def test_a_missing_target_later_is_named():
    with pytest.raises(TableError, match="no value in row 1"):
        targets(learn(["no", "yes"]), [None, "yes"])
    with pytest.raises(TableError, match="there is no column 'y'"):
        learn(["no", "yes"]).targets({"n": [1]})


@pytest.mark.parametrize("indices", [[2], [-1], [0.5], [[0]]])
def test_labels_refuse_what_is_no_class_index(indices):
    with pytest.raises(TableError, match="class indices are"):
        learn(["no", "yes"]).labels(indices)


def test_each_task_has_its_own_way_back():
    with pytest.raises(TableError, match="only a table whose task is to regress"):
        learn(["no", "yes"]).unscale([0.0])
    with pytest.raises(TableError, match="only a table whose task is to classify"):
        learn([0.5, 1.5]).labels([0])
    bare = Table.learn({"n": [1, 2]})
    assert bare.task is None
    with pytest.raises(TableError, match="learned without a target"):
        bare.targets({"n": [1]})
    with pytest.raises(
        TableError, match="only a table whose task is to classify has classes; this one's is None"
    ):
        _ = bare.classes


DAYS = [dt.date(2024, 1, 1 + k % 3) for k in range(30)]
TIMES = [dt.time(k % 3, 30) for k in range(30)]


@pytest.mark.parametrize(
    "values",
    [
        DAYS,
        pd.Series(pd.to_datetime(DAYS)),
        pd.Series(pd.Categorical(pd.to_datetime(DAYS))),
        pl.Series(DAYS),
        list(map(str, DAYS)),
    ],
    ids=["dates", "pandas", "pandas, categories", "polars", "texts"],
)
def test_labels_that_are_dates_are_texts_whatever_holds_them(values):
    learned = learn(values, task="classify")
    assert learned.classes == ["2024-01-01", "2024-01-02", "2024-01-03"]
    np.testing.assert_array_equal(targets(learned, values)[:4], [0, 1, 2, 0])


def test_few_days_or_times_are_labels():
    assert learn(DAYS).task == "classify"
    assert learn(TIMES).classes == ["00:30:00", "01:30:00", "02:30:00"]


@pytest.mark.parametrize("make", [list, lambda v: pl.Series(v, dtype=pl.Decimal(10, 2))])
def test_decimals_are_labels_as_floats_are(make):
    whole = learn(make([Decimal(k % 3) for k in range(30)]))
    assert (whole.task, whole.classes) == ("classify", [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(targets(whole, [2.0, 0.0]), [2, 0])


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["1", "1", "1.0", "2"] * 10, ["1", "2"]),
        (["FALSE", "True", "True", "False", "true", "FALSE"] * 10, ["FALSE", "True"]),
        (["07", "7", "8"] * 10, ["07", "7", "8"]),  # "07" may be a code
    ],
)
def test_spellings_of_one_number_are_one_label(values, classes):
    learned = learn(values, task="classify")
    assert learned.classes == classes
    assert learned.labels(targets(learned, values[-1:])) == [classes[0 if values[-1] == "FALSE" else -1]]


WHOLE = [0, 1, None, 2, 1] * 12


@pytest.mark.parametrize(
    "values",
    [WHOLE, pd.Series(WHOLE, dtype="Int64"), pd.Series(WHOLE, dtype="uint8[pyarrow]"), pl.Series(WHOLE)],
    ids=["list", "pandas", "pandas, Arrow", "polars"],
)
def test_whole_labels_stay_whole_beside_missing_ones(values):
    frame = Frame({"n": np.arange(len(values)), "y": values})
    some = frame.take(np.array([k for k, value in enumerate(WHOLE) if value is not None]))
    classes = Table.learn(some, "y").classes
    assert [(type(label), label) for label in classes] == [(int, 0), (int, 1), (int, 2)]
