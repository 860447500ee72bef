"""Features worked out by hand, and the same from every kind of frame."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastdense.errors import TableError
from fastdense.tables import Table

FRAMES = {"dict": dict, "pandas": pd.DataFrame, "polars": pl.DataFrame}


def column(values, **options):
    """The one column's encoder and the float64 features that it gives itself."""
    table = Table.learn({"x": values, "unit": [1.0] * len(values)}, **options)
    return table.columns[0], table.features({"x": values, "unit": [1.0] * len(values)}, "float64")[:, :-1]


def encode(learn, values):
    table = Table.learn({"x": learn})
    return table.features({"x": values}, "float64")


def test_numbers_are_scaled_by_the_quartiles_and_smoothly_clipped(frame):
    table = Table.learn(frame({"x": [10.0, 20.0, 30.0, 40.0, 50.0]}))
    # Median 30, quartiles 20 and 40: 75 -> z = 9/4 -> 9/4 / sqrt(1 + 9/16) = 9/5,
    # and 110 -> z = 4 -> 4 / sqrt(1 + 16/9) = 12/5.
    features = table.features(frame({"x": [30.0, 75.0, 110.0, -50.0, 1e300]}), dtype="float64")
    np.testing.assert_allclose(features, [[0.0], [1.8], [2.4], [-2.4], [3.0]], rtol=1e-15)


def test_where_quartiles_coincide_half_the_range_scales():
    np.testing.assert_allclose(encode([0, 0, 0, 0, 8], [0, 9, 16]), [[0.0], [1.8], [2.4]], rtol=1e-15)


def test_a_constant_column_is_zero_for_any_value():
    np.testing.assert_array_equal(encode([7, 7, 7], [7, 8, -1e9]), np.zeros((3, 1)))


def test_quantiles_leave_out_missing_values_and_an_indicator_marks_them(frame):
    table = Table.learn(frame({"x": [10.0, 20.0, 30.0, 40.0, 50.0, None, None, None]}))
    assert table.feature_names == ["x", "x (missing)"]
    assert (table.columns[0].center, table.columns[0].spread) == (30.0, 20.0)
    features = table.features(frame({"x": [75.0, None]}), dtype="float64")
    np.testing.assert_allclose(features, [[1.8, 0.0], [0.0, 1.0]], rtol=1e-15)


def test_a_value_missing_only_at_prediction_takes_the_median(frame):
    table = Table.learn(frame({"x": [10.0, 20.0, 30.0]}))
    np.testing.assert_array_equal(table.features(frame({"x": [None, 20.0]})), [[0.0], [0.0]])


@pytest.mark.parametrize(
    "missing", ["", "  ", "?", " ? ", "NA", "n/a", "nan", "NaN", "null", "NULL", "<NA>", None]
)
def test_texts_of_numbers_are_numbers_and_these_are_missing(missing):
    found, features = column([" 10", "2e1", "+30 ", "40.", "50.0", missing])
    assert (found.kind, found.center, found.spread, found.missing) == ("number", 30.0, 20.0, True)
    np.testing.assert_array_equal(features[:, 1], [0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize("text", ["1_000", "0x1F", "1,5.", "٣", "--1", "e5", "1.2.3", "12-34", "1e"])
def test_texts_that_only_look_like_numbers_are_categories(text):
    assert column(["1", "2", text, text])[0].kind == "category"


def test_objects_of_every_numeric_type_are_numbers():
    cells = [
        1,
        2.0,
        True,
        np.float32(0.5),
        np.int8(3),
        decimal.Decimal("2.5"),
        np.longdouble(4),
        None,
        pd.NA,
        pd.NaT,
    ]
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    found, features = column(array)
    assert found.kind == "number"
    assert found.center == 2.0
    np.testing.assert_array_equal(features[:, 1], [0] * 7 + [1] * 3)


def test_bools_are_numbers_however_they_are_stored(frame):
    table = Table.learn(frame({"x": [True, False, True, False]}))
    assert table.columns[0].kind == "number"
    expected = table.features({"x": np.array([1.0, 0.0])})
    np.testing.assert_array_equal(table.features(frame({"x": [True, False]})), expected)
    np.testing.assert_array_equal(table.features(frame({"x": ["true", "False"]})), expected)
    with_missing = table.features(frame({"x": [True, False, None]}))
    np.testing.assert_array_equal(with_missing[:2], expected)


def test_dates_are_numbers_whatever_their_unit_and_library():
    days = [dt.date(2020, 1, 1), dt.date(2020, 1, 11), dt.date(2020, 1, 21), dt.date(2020, 1, 31)]
    table = Table.learn({"x": np.array(days, dtype="datetime64[D]")})
    expected = table.features({"x": np.array(days, dtype="datetime64[ns]")}, "float64")
    assert expected[0, 0] < expected[1, 0] < 0 < expected[2, 0] < expected[3, 0]
    moments = [dt.datetime(day.year, day.month, day.day) for day in days]
    zoned = pd.DataFrame({"x": pd.to_datetime(moments).tz_localize("UTC").tz_convert("Asia/Tokyo")})
    for same in (pl.DataFrame({"x": days}), pd.DataFrame({"x": moments}), zoned, {"x": days}):
        np.testing.assert_array_equal(table.features(same, "float64"), expected)


def test_durations_are_seconds():
    table = Table.learn({"x": np.array([1, 2, 3], dtype="timedelta64[m]")})
    assert table.columns[0].center == 120.0
    np.testing.assert_array_equal(table.features({"x": [dt.timedelta(minutes=2), None]}), [[0], [0]])


def test_durations_below_nothing_are_the_same_as_texts(frame):
    lengths = [dt.timedelta(hours=h, seconds=0.5 * h) for h in range(-30, 5, 3)]
    table = Table.learn({"x": lengths})
    for spell in (str, lambda length: str(pd.Timedelta(length))):
        texts = Table.learn(frame({"x": list(map(spell, lengths))}))
        assert texts.columns[0].center == table.columns[0].center


def test_categories_are_one_hot_most_frequent_first_then_missing(frame):
    learn = frame({"job": ["smith", "baker", "clerk", " clerk ", "clerk", None, "baker", "?"]})
    table = Table.learn(learn)
    assert table.feature_names == ["job=clerk", "job=baker", "job=smith", "job (missing)"]
    features = table.features(frame({"job": ["smith", "clerk", "?", "diver"]}))
    np.testing.assert_array_equal(features, [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    assert features.dtype == np.float32


def test_a_category_missing_only_at_prediction_is_all_zeros(frame):
    table = Table.learn(frame({"job": ["smith", "clerk"]}))
    np.testing.assert_array_equal(table.features(frame({"job": [None, "clerk"]})), [[0, 0], [1, 0]])


def test_rare_categories_beyond_64_share_other():
    texts = [f"c{k:02}" for k in range(66)]
    frame = {"x": texts + texts[:64]}
    table = Table.learn(frame)
    assert table.feature_names[0] == "x=c00"
    assert table.feature_names[63:] == ["x=c63", "x (other)"]
    where = table.features({"x": ["c00", "c63", "c64", "c65", "never seen", None]}).argmax(axis=1)
    np.testing.assert_array_equal(where, [0, 63, 64, 64, 64, 64])


def test_exactly_64_categories_need_no_other():
    assert Table.learn({"x": [f"c{k}" for k in range(64)] * 2}).columns[0].other is False


def test_whole_numbers_of_few_values_are_numbers_unless_told_otherwise(frame):
    rows = {"zip": [94110, 2139, 94110], "n": [1, 2, 3]}
    assert [c.kind for c in Table.learn(frame(rows)).columns] == ["number", "number"]
    table = Table.learn(frame(rows), types={"zip": "category", "n": "ignore"})
    assert table.feature_names == ["zip=94110", "zip=2139"]
    # The same category from a frame that a missing value made float, and from text.
    for again in ([2139.0, None, 94110.0], ["2139", None, "94110"]):
        np.testing.assert_array_equal(table.features(frame({"zip": again})), [[0, 1], [0, 0], [1, 0]])


def test_names_and_keys_are_ignored_with_a_note():
    keys = [f"key{k}" for k in range(21)]
    table = Table.learn({"key": keys, "n": range_of(21)})
    assert (table.columns[0].kind, table.feature_names) == ("ignored", ["n"])
    assert "distinct" in table.columns[0].summary
    assert Table.learn({"key": keys}, types={"key": "category"}).columns[0].kind == "category"
    assert Table.learn({"key": keys[:20]}).columns[0].kind == "category"


def range_of(m):
    return np.arange(m, dtype=np.float64)


def test_a_column_without_values_is_ignored_with_a_note(frame):
    table = Table.learn(frame({"empty": [None, None], "n": [1, 2]}))
    assert (table.columns[0].kind, table.columns[0].summary) == ("ignored", "every value is missing")


def test_summary_lists_columns_types_and_notes():
    table = Table.learn(
        {"a": [1, 2, 3], "job": ["x", "y", None], "skip": [1, 2, 3]}, types={"skip": "ignore"}
    )
    assert table.summary().splitlines() == [
        "Table(3 columns -> 4 features)",
        "  a     number    median 2, spread 1",
        "  job   category  2: x, y, some missing",
        "  skip  ignored   as asked",
    ]


def test_columns_are_found_by_name_and_others_ignored(frame):
    table = Table.learn(frame({"a": [1, 2, 3], "b": ["x", "y", "x"]}))
    straight = table.features(frame({"a": [3], "b": ["y"]}))
    turned = table.features(frame({"more": [[1]], "b": ["y"], "a": [3]}))
    np.testing.assert_array_equal(straight, turned)


def test_integer_column_names_are_texts():
    table = Table.learn(pd.DataFrame([[1, "x"], [2, "y"]]), target=1)
    assert table.feature_names == ["0"]
    assert table.classes == ["x", "y"]


def test_text_dtypes_of_every_library_agree():
    texts = ["b", "a", "b"]
    table = Table.learn({"x": texts})
    expected = table.features({"x": texts})
    for column in (
        np.array(texts),
        np.array(texts, dtype=np.dtypes.StringDType()),
        pd.Series(texts, dtype="category"),
        pd.Series(texts, dtype="string"),
        pd.Series(texts, dtype="string[pyarrow]"),
        pl.Series(texts, dtype=pl.Categorical),
    ):
        np.testing.assert_array_equal(table.features({"x": column}), expected)


def test_nullable_and_unsigned_numbers_agree():
    table = Table.learn({"x": [1, 2, None, 4]})
    expected = table.features({"x": [1, None]})
    for column in (pd.Series([1, None], dtype="Int64"), pl.Series([1, None], dtype=pl.UInt8)):
        np.testing.assert_array_equal(table.features({"x": column}), expected)


def test_the_frame_is_not_modified_and_may_be_read_only():
    array = np.array([1.0, np.nan, 3.0])
    array.flags.writeable = False
    texts = pd.DataFrame({"x": [" a", "b", None], "y": array})
    before = texts.copy(deep=True)
    Table.learn(texts).features(texts)
    pd.testing.assert_frame_equal(texts, before)


def test_huge_and_tiny_numbers_stay_finite():
    for values in (
        [-1e300, 1e300, 0, 5],
        [5e-324, 0.0, 1e-323],
        [0, 5e-324, 0, 0, 0],
        [1e300, 1e300, 5e-324],
    ):
        features = encode(values, [*values, -1e300, 1e300])
        assert np.isfinite(features).all()
        assert np.abs(features).max() <= 3


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        ([1, 2], {}, "a table is a pandas or polars data frame, .* or a dict of columns, not list"),
        ({}, {}, "the table has no columns"),
        ({"a": []}, {}, "the table has no rows"),
        (pd.DataFrame({"a": []}), {}, "the table has no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), {}, "more than one column is named 'a'"),
        ({1: [1], "1": [2]}, {}, "more than one column is named '1'"),
        ({1.5: [1]}, {}, "column names are texts or integers, not float"),
        ({"a": [1, 2], "b": [1]}, {}, "column 'b' has 1 rows; 'a' has 2"),
        ({"a": [1], "b": 2}, {}, "column 'b' has 0 dimensions"),
        ({"a": "text"}, {}, "column 'a' has 0 dimensions"),
        ({"a": [[1, 2], [3, 4]]}, {}, "column 'a', row 1: this list cannot be used"),
        ({"a": {1, 2}}, {}, "column 'a' has 0 dimensions"),
        ({"a": np.ma.array([1, 2], mask=[0, 1])}, {}, "column 'a' is a masked array"),
        (pl.LazyFrame({"a": [1]}), {}, "a table is a pandas or polars data frame, .* not LazyFrame"),
        ({"a": np.ones((2, 2))}, {}, "column 'a' has 2 dimensions"),
        ({"a": np.array([1j])}, {}, "column 'a' is of dtype complex128"),
        ({"a": np.array([b"x"])}, {}, r"column 'a' is of dtype \|S1"),
        ({"a": [1, [2, 3]]}, {}, "column 'a', row 2: this list cannot be used; a cell is a number"),
        ({"a": [1, 10**5000]}, {}, "column 'a', row 2: this int cannot be used"),
        ({"a": [1.0, np.inf]}, {}, "column 'a', row 2: the number is infinite or beyond 1e\\+300"),
        ({"a": ["1", " -Infinity "]}, {}, "column 'a', row 2: the number is infinite"),
        ({"a": [1.0, 1e301]}, {}, "column 'a', row 2: the number is infinite or beyond"),
        ({"a": [None, "?"]}, {}, "no column is of use as a feature; 'a': every value is missing"),
        (
            {"a": [1, 2]},
            {"types": {"b": "number"}},
            "types: there is no column 'b'; the columns are 'a'",
        ),
        (
            {"a": [1, 2]},
            {"types": {"a": "text"}},
            "types: 'a' is 'number', 'category', 'date', 'time' or 'ignore', not 'text'",
        ),
        ({"a": ["x", "1"]}, {"types": {"a": "number"}}, "column 'a', row 1: 'x' is not a number"),
        ({"a": [1, 2]}, {"task": "classify"}, "task='classify' needs a target column"),
    ],
)
def test_what_cannot_be_learned_from(frame, options, message):
    with pytest.raises(TableError, match=message):
        Table.learn(frame, **options)


def test_absent_columns_are_all_named(frame):
    table = Table.learn(frame({"age": [1, 2], "job": ["x", "y"], "size": [1, 2]}))
    with pytest.raises(TableError, match="the table lacks 'age', 'job'"):
        table.features(frame({"size": [1]}))
    with pytest.raises(TableError, match="the table lacks 'age'; did you mean 'Age'"):
        table.features(frame({"Age": [1], "job": ["x"], "size": [1]}))


def test_text_in_a_number_column_is_named_with_its_rows(frame):
    table = Table.learn(frame({"age": [1, 2]}))
    with pytest.raises(TableError, match="column 'age', rows 2, 4: 'old' is not a number"):
        table.features(frame({"age": ["1", "old", None, "old"]}))


def test_infinity_at_prediction_is_named(frame):
    table = Table.learn(frame({"age": [1.0, 2.0]}))
    with pytest.raises(
        TableError, match="column 'age', rows 1, 2, 3, 4, 5 and 2 more: the number is infinite"
    ):
        table.features(frame({"age": [np.inf] * 7}))


def test_only_floats_come_out():
    table = Table.learn({"a": [1, 2]})
    with pytest.raises(TableError, match="float32 or float64, not int64"):
        table.features({"a": [1]}, dtype="int64")
