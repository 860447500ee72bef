"""What a cell is: numbers in every spelling, markers of missing values, odd cells, stated types."""

import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdense.errors import TableError, TableWarning
from fastdense.tables import Cells, Table
from fastdense.tables.frames import Frame
from fastdense.tables.numerals import read_number

NBSP, NARROW, MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"


def read(texts, **options):
    """The numbers of a column of texts and what is said about it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        column = Frame({"x": texts}, **options).column("x")
        kind = column.reading.kind
    numbers = None if kind == "category" else column.numbers().tolist()
    return kind, numbers, [str(warning.message) for warning in said]


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("0,682", ",", 0.682),
        ("1.234,5", ",", 1234.5),
        ("1.234.567", ",", 1234567),
        ("1,234.5", ".", 1234.5),
        ("12,34,567", ".", 1234567),
        (f"1{NBSP}234,5", ",", 1234.5),
        (f"1{NARROW}234.5", ".", 1234.5),
        ("1 234", ".", 1234),
        ("1'234.5", ".", 1234.5),
        (f"{MINUS}3,5", ",", -3.5),
        ("(1,234)", ".", -1234),
        ("1,5e3", ",", 1500),
        (",5", ",", 0.5),
        ("5 %", ".", 5),
        ("12,5%", ",", 12.5),
        ("$5", ".", 5),
        ("-$1,000.50", ".", -1000.5),
        ("$-5", ".", -5),
        ("5 \N{EURO SIGN}", ",", 5),
        ("EUR 5,5", ",", 5.5),
        ("2019", ",", 2019),
        ("1.5", ",", None),
        ("1,5", ".", None),
        ("0,123,456", ".", None),
        ("1,2345", ".", None),
        ("12-34", ".", None),
        ("1.2.3", ",", None),
        ("+49 301 234", ".", None),
        ("(5", ".", None),
        ("(-5)", ".", None),
        ("$5 %", ".", None),
        ("", ".", None),
    ],
)
def test_numbers_by_hand(text, decimal, value):
    found = read_number(text, decimal)
    assert (None if found is None else found.value) == value


@settings(deadline=None)
@given(
    st.decimals(-(10**12), 10**12, allow_nan=False, places=3),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (",", NBSP), (".", "")]),
    st.sampled_from(["{}", "{} %", "${}", "{} \N{EURO SIGN}"]),
    st.booleans(),
)
def test_any_number_in_any_style_is_read_back(number, signs, unit, parentheses):
    decimal, group = signs
    text = f"{abs(number):,f}".replace(",", "g").replace(".", decimal).replace("g", group)
    text = unit.format(text)
    if number < 0:
        text = f"({text})" if parentheses else f"-{text}"
    assert read_number(text, decimal).value == float(number)


@pytest.mark.parametrize("unit", [" kg", "km/h", f"{NBSP}°C", " m²", " years", "h"])
def test_a_word_behind_all_numbers_is_their_unit(unit):
    texts = [f"{k},5{unit}" for k in range(12)]
    kind, numbers, said = read([*texts, "heavy", ""])
    assert kind == "number"
    np.testing.assert_array_equal(numbers, [*np.arange(0.5, 12), np.nan, np.nan])
    assert "except 'heavy' in row 13, which counts as missing" in said[0]
    assert f"'0,5{unit}' is read as 0.5 {unit.strip()}" in said[1].replace("\\xa0", NBSP)


def test_a_unit_is_known_at_prediction():
    training = {"x": [f"{k}.25 kg" for k in range(20)], "n": list(range(20))}
    with pytest.warns(TableWarning, match="is read as"):
        table = Table.from_dict(json.loads(json.dumps(Table.learn(training).to_dict())))
    assert "in kg" in table.summary()
    later = {"x": ["3.25 kg", "3.25", "3.25kg"], "n": [1, 1, 1]}
    assert len({row.tobytes() for row in table.features(later)}) == 1
    with pytest.raises(TableError, match=r"column 'x', row 2: '3.25 lb' is not a number in kg"):
        table.features({"x": ["3.25 kg", "3.25 lb"], "n": [1, 1]})


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([f"{k} {unit}" for k in range(6) for unit in ("kg", "lb")], ["several units: 'kg', 'lb'"]),
        ([f"{k}{letter}" for k in range(6) for letter in "abc"], []),
        ([f"size {k} M" for k in range(12)], []),
        ([f"{k} Main Street" for k in range(12)], []),
    ],
)
def test_words_that_are_no_unit_of_a_column(texts, said):
    kind, _, notes = read(texts)
    assert kind == "category"
    assert len(notes) == len(said)
    assert all(part in note for part, note in zip(said, notes, strict=True))


def test_decimal_commas_are_numbers_in_every_frame(frame):
    texts = {"x": ["0,5", "1,5", "2,5", "1.234,5"], "n": [1, 2, 3, 4]}
    with pytest.warns(TableWarning, match="column 'x': '0,5' is read as 0.5"):
        table = Table.learn(frame(texts))
    assert [column.kind for column in table.columns] == ["number", "number"]
    numbers = Table.learn(frame({"x": [0.5, 1.5, 2.5, 1234.5], "n": [1, 2, 3, 4]}))
    expected = numbers.features({"x": [0.5, 1.5], "n": [1, 2]}, "float64")
    # What is learned from commas reads points, and the other way round.
    for learned in (table, numbers):
        for x in (["0,5", "1,5"], ["0.5", "1.5"], [0.5, 1.5]):
            np.testing.assert_array_equal(learned.features({"x": x, "n": [1, 2]}, "float64"), expected)


def test_the_rest_of_the_table_decides_what_a_column_leaves_open():
    texts = {"open": ["1.234", "2.345"], "shut": ["0,5", "1,5"]}
    with pytest.warns(TableWarning) as said:
        table = Table.learn(texts)
    assert table.columns[0].center == 1789.5
    assert sorted(str(warning.message) for warning in said)[0].startswith(
        "column 'open': '1.234' is read as 1234"
    )
    assert Table.learn({"open": ["1.234", "2.345"]}).columns[0].center == 1.7895


def test_what_was_learned_reads_what_later_leaves_open():
    with pytest.warns(TableWarning):
        table = Table.learn({"x": ["0,5", "1,234"]})
    np.testing.assert_array_equal(table.features({"x": ["1,234"]}), table.features({"x": [1.234]}))


@pytest.mark.parametrize(
    ("texts", "kind", "numbers", "note"),
    [
        (
            ["1,234", "2,345"],
            "number",
            [1234, 2345],
            "'1,234' is read as 1234; decimal=',' .--decimal ,. reads",
        ),
        (["5 %", "7,5 %"], "number", [5, 7.5], "'5 %' is read as 5"),
        (["$5", "6"], "number", [5, 6], "'$5' is read as 5"),
        (["(5)", "6"], "number", [-5, 6], "'(5)' is read as -5"),
        (["2019", "2020"], "number", [2019, 2020], None),
        (["45292", "45293.5"], "number", [45292, 45293.5], None),
        (["007", "12"], "number", [7, 12], None),
        (["00501", "94110"], "category", None, None),
        (["12-34", "13-34"], "category", None, None),
        (["1.2.3", "1.2.4"], "category", None, None),
    ],
)
def test_texts_of_numbers_and_what_is_said(texts, kind, numbers, note):
    found, values, said = read(texts)
    assert (found, values) == (kind, numbers)
    assert len(said) == (note is not None)
    if note is not None:
        with pytest.warns(
            TableWarning, match=note.replace("(", r"\(").replace(")", r"\)").replace("$", r"\$")
        ):
            Table.learn({"x": texts})


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["1,5"] * 10 + ["1.5"] * 10,
            r"rows 1, 2, 3, 4, 5 and 5 more: '1,5' stands beside '1.5' in rows 11, 12",
        ),
        (["5 %"] * 10 + ["0.05"] * 10, "'0.05' stands beside '5 %'"),
        (["$5"] * 10 + ["\N{EURO SIGN}5"] * 10, "several spellings"),
        (
            ["01/13/2024"] * 10 + ["13/01/2024"] * 10,
            "'13/01/2024' stands beside '01/13/2024'.*has dates in several",
        ),
    ],
)
def test_mixed_spellings_are_refused_with_what_to_do(texts, message):
    with pytest.raises(TableError, match=f"column 'x', .*{message}"):
        Table.learn({"x": texts})
    assert Table.learn({"x": texts}, types={"x": "category"}).columns[0].kind == "category"


def test_a_stated_decimal_sign_is_the_only_one():
    cells = Cells(decimal=",")
    assert Table.learn({"x": ["1,234", "2,345"]}, cells=cells).columns[0].center == 1.7895
    with pytest.raises(TableError, match=r"column 'x', row 1: '1\.5' is not spelled as stated"):
        Table.learn({"x": ["1.5", "2.5"]}, cells=cells)


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(["1", "2", "1", "3"], dtype="category"),
        pd.Series([1, 2, 1, 3], dtype="category"),
        pl.Series(["1", "2", "1", "3"], dtype=pl.Categorical),
        pl.Series(["1", "2", "1", "3"], dtype=pl.Enum(["1", "2", "3"])),
    ],
)
def test_a_categorical_dtype_is_a_statement(series):
    frame = type(pd.DataFrame() if isinstance(series, pd.Series) else pl.DataFrame())(
        {"x": series, "y": series}
    )
    table = Table.learn(frame, "y")
    assert table.feature_names == ["x=1", "x=2", "x=3"]
    assert (table.task, list(map(str, table.classes))) == ("classify", ["1", "2", "3"])
    np.testing.assert_array_equal(table.features({"x": [3, 1]}), [[0, 0, 1], [1, 0, 0]])
    assert Table.learn(frame, types={"x": "number"}).columns[0].kind == "number"


@pytest.mark.parametrize(
    ("learned", "later"),
    [
        (["00501", "94110"], [501, 94110]),
        (["1", "2"], ["1.0", "2.0"]),
        (["1.0", "2.0"], [1, 2]),
        (["True", "False"], ["true", "FALSE"]),
        ([1, 2], ["01", "+2"]),
    ],
)
def test_spellings_of_one_number_are_one_category(learned, later):
    table = Table.learn({"x": learned * 10}, types={"x": "category"})
    np.testing.assert_array_equal(table.features({"x": later * 10}), table.features({"x": learned * 10}))


def test_two_spellings_in_one_table_are_one_category_but_padded_codes_are_not():
    table = Table.learn({"x": ["1", "1.0", "1.0", "07", "7"]}, types={"x": "category"})
    assert table.columns[0].categories == ("1.0", "07", "7")
    large = Table.learn({"x": [str(10**20), str(10**20 + 1)]}, types={"x": "category"})
    assert len(large.columns[0].categories) == 2


def test_mostly_unknown_values_are_said():
    table = Table.learn({"zip": ["K1A", "V5K"] * 10, "n": [1.0] * 20})
    with pytest.warns(
        TableWarning, match="column 'zip': 75% of the values are unknown to the model, such as 'k1a'"
    ):
        table.features({"zip": ["k1a"] * 9 + ["V5K"] * 3, "n": [1.0] * 12})
    table.features({"zip": ["k1a"] * 6 + ["V5K"] * 6, "n": [1.0] * 12})  # half: nothing is said
    with pytest.warns(TableWarning, match="100% of the values are unknown to the model, such as 'k1a'"):
        table.features({"zip": ["k1a"], "n": [1.0]})


def test_a_few_rows_may_all_hold_rare_categories():
    table = Table.learn({"x": [*map(str, range(100)), *"ab" * 50]}, types={"x": "category"})
    table.features({"x": ["rare"] * 10})
    with pytest.warns(TableWarning, match="100% of the values are unknown"):
        table.features({"x": ["rare"] * 11})


def test_the_same_is_said_each_time():
    texts = {"x": ["0,5", "1,5"] * 20, "z": [*map(str, range(39)), "off"]}
    said = []
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Table.learn(texts)
        said.append([str(warning.message) for warning in caught])
    assert said[0] == said[1]
    assert len(said[0]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, "decimal is '.' or ',', not ';'"),
        ({"date_order": "myd"}, "date_order is 'dmy', 'mdy' or 'ymd', not 'myd'"),
        ({"missing": "NA"}, "missing is a tuple of texts, not 'NA'"),
        ({"missing": (1,)}, "missing is a tuple of texts"),
    ],
)
def test_what_cannot_be_stated(options, message):
    with pytest.raises(TableError, match=message):
        Cells(**options)


FIRST = {
    "version": 1,
    "columns": [
        {"kind": "number", "name": "age", "center": 30.0, "spread": 10.0, "missing": True},
        {"kind": "category", "name": "job", "categories": ["None", "1"], "other": False, "missing": True},
        {"kind": "number", "name": "day", "center": 1.7e9, "spread": 86400.0, "missing": False},
    ],
    "target": {"task": "regress", "name": "y", "mean": 1.0, "std": 2.0},
}


def test_tables_of_the_first_version_encode_to_the_same_bits():
    table = Table.from_dict(FIRST)
    frame = {
        "age": ["75", "?", "30"],
        "job": ["None", "#N/A", "1.0"],
        "day": np.array(["2023-11-14T22:13:20", "2023-11-15T22:13:20", "NaT"], dtype="datetime64[s]"),
    }
    z = 1 / np.sqrt(1 + 1 / 9)
    expected = [[4.5 / np.sqrt(1 + 2.25), 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, z], [0, 0, 0, 0, 0, 0]]
    with pytest.warns(TableWarning, match="column 'job': 67% of the values are unknown to the model"):
        np.testing.assert_array_equal(table.features(frame, "float64"), expected)
    np.testing.assert_array_equal(table.targets({"y": ["3"]}), [[1]])
    assert table.to_dict() == FIRST
    with pytest.raises(TableError, match="column 'age', row 1: '1,5' is not a number"):
        table.features({**frame, "age": ["1,5", "1", "2"], "job": ["None"] * 3})


def test_a_target_of_numbers_with_commas_is_said_once():
    with pytest.warns(TableWarning) as said:
        table = Table.learn({"n": [1, 2, 3], "y": ["0,5", "1,5", "2,75"]}, "y")
    assert [str(warning.message) for warning in said] == ["column 'y': '0,5' is read as 0.5"]
    np.testing.assert_allclose(
        table.unscale(table.targets({"y": ["1,5", "0,5"]}))[:, 0], [1.5, 0.5], rtol=1e-6
    )


def test_a_target_in_several_spellings_may_still_be_of_labels():
    frame = {"n": list(range(20)), "y": ["1,5"] * 10 + ["1.5"] * 10}
    with pytest.raises(TableError, match="task='classify' makes labels of its texts"):
        Table.learn(frame, "y")
    assert Table.learn(frame, "y", task="classify").classes == ["1,5", "1.5"]


def test_the_rest_of_a_later_table_decides_what_numbers_left_open():
    table = Table.learn({"open": [1.5, 3000.0], "shut": [0.0, 1.0]})
    with pytest.warns(TableWarning, match=r"column 'open': '1\.234' is read as 1234"):
        found = table.features({"open": ["1.234", "2.345"], "shut": ["0,5", "1,5"]})
    np.testing.assert_array_equal(found, table.features({"open": [1234, 2345], "shut": [0.5, 1.5]}))
