"""Frames: any name of a column, and rows that keep their numbers."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from fastdense.errors import TableError
from fastdense.tables import Table
from fastdense.tables.frames import Frame
from fastdense.tabular import train_table

ARRAY = pd.DataFrame(np.array([[1.0, 0.0, 2.0], [2.0, 1.0, 3.0], [4.0, 1.0, 5.0], [5.0, 0.0, 7.0]] * 3))


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pl.DataFrame])
def test_rows_that_are_taken_keep_their_numbers(make):
    whole = Frame(make({"age": ["39", "28", "50", "41", "old", "old"], "n": [1, 2, 3, 4, 5, 6]}))
    some = whole.take(np.array([5, 0, 4]))
    assert (len(some), some.columns) == (3, ["age", "n"])
    np.testing.assert_array_equal(some.column("n").numbers(), [6, 1, 5])
    learned = Table.learn({"age": ["39", "28"]})
    with pytest.raises(TableError, match="column 'age', rows 6, 5: 'old' is not a number"):
        learned.features(some)
    again = some.take(np.array([2, 1]))
    assert again.column("n").row_numbers.tolist() == [5, 1]
    assert Frame(again).column("n").where(np.array([True, False])) == "row 5"


def test_a_table_learned_from_some_rows_knows_nothing_of_the_others():
    frame = Frame({"x": ["a", "b", "a", "c"], "y": ["p", "q", "p", "r"], "n": [1.0, 2.0, 3.0, 400.0]})
    some = frame.take(np.array([0, 1, 2]))
    learned = Table.learn(some, "y")
    assert learned == Table.learn({"x": ["a", "b", "a"], "y": ["p", "q", "p"], "n": [1.0, 2.0, 3.0]}, "y")
    np.testing.assert_array_equal(learned.targets(some), [0, 1, 0])
    with pytest.raises(TableError, match="target 'y', row 4: unknown label 'r'"):
        learned.targets(frame)


@pytest.mark.parametrize("target", [1, np.int64(1), "1"])
def test_integers_name_columns(target):
    table = Table.learn(ARRAY, target, task="classify", types={np.int32(0): "category", 2: "number"})
    assert [column.name for column in table.columns] == ["0", "2"]
    assert table.columns[0].kind == "category"
    np.testing.assert_array_equal(table.targets(ARRAY)[:4], [0, 1, 1, 0])


@pytest.mark.parametrize("target", [7, np.int64(7), "7"])
def test_an_unknown_integer_names_the_columns(target):
    for call in (Table.learn, train_table):
        with pytest.raises(TableError, match="there is no column '7'; the columns are '0', '1', '2'"):
            call(ARRAY, target)
    with pytest.raises(TableError, match="types: there is no column '7'"):
        Table.learn(ARRAY, 1, types={target: "number"})


@pytest.mark.parametrize("name", [None, ("a", "b"), 1.5])
def test_other_names_are_refused(name):
    frame = pd.DataFrame({"x": [1, 2]})
    frame[name] = [3, 4]
    with pytest.raises(TableError, match=r"column names are texts or integers, not .*: rename the column"):
        Table.learn(frame)


def test_tables_of_pyarrow_are_frames():
    columns = {
        "n": [1.5, None, 3.0, 4.0] * 10,
        "text": ["a", "b", None, "b"] * 10,
        "day": [dt.date(2024, 1, 1 + k % 20) for k in range(40)],
        "time": [dt.time(k % 24) for k in range(40)],
        "truth": [True, False, None, True] * 10,
        "y": ["p", "q"] * 20,
    }
    frame = pa.table({**columns, "code": pa.array(["1", "2"] * 20).dictionary_encode()})
    same = pl.DataFrame({**columns, "code": pl.Series(["1", "2"] * 20, dtype=pl.Categorical)})
    learned, expected = Table.learn(frame, "y"), Table.learn(same, "y")
    assert learned == expected
    np.testing.assert_array_equal(learned.features(frame), expected.features(same))


def test_categories_of_dates_are_texts():
    days = pd.Series(pd.Categorical(pd.to_datetime(["2024-01-31", "2024-02-29"] * 5)))
    (column,) = Table.learn({"day": days}).columns
    assert column.categories == ("2024-01-31", "2024-02-29")


@pytest.mark.parametrize("cells", ["datetime64[D]", "datetime64[Y]", "timedelta64[D]"])
def test_dates_that_no_file_could_hold_are_refused_before_training(cells):
    far = np.array([0, 1, 2**40 if cells.endswith("[D]") else 200_000], dtype=cells)
    with pytest.raises(TableError, match="column 't', row 3: beyond the range of dates and durations"):
        Table.learn({"t": far})
    assert Table.learn({"t": np.array([0, 1, "NaT", 30], dtype=cells)}).columns[0].name == "t"
