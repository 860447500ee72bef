"""Tables for a network that embeds numbers and categories itself: what stands where in the matrix."""

import datetime as dt

import numpy as np
import pytest

from fastdense import Dense, Input, Sequential
from fastdense.errors import FormatError, TableError, TableWarning
from fastdense.tables import Layout, Table

FRAME = {
    "size": [1.0, 2.0, 3.0, 5.0, None, 9.0],
    "job": ["clerk", "smith", "clerk", None, "smith", "clerk"],
    "paid": [True, False, True, True, False, True],
    "grade": list("abcabc"),
    "city": [f"city {k}" for k in (0, 1, 0, 1, 2, 2)],
    "same": [7] * 6,
}


def learn(frame, **options):
    return Table.learn(frame, embedded=True, **options)


def features(table, frame):
    """Return the matrix in float64, so that values can be compared exactly."""
    return table.features(frame, "float64")


def test_numbers_come_first_and_codes_last_by_name():
    letters = [chr(97 + k % 12) for k in range(24)]
    frame = {"z": range(24), "code": letters, "flag": [True, False] * 12, "a": range(0, 48, 2)}
    table = learn(frame)
    assert table.feature_names == ["a", "z", "flag", "code"]
    assert table.layout == Layout(2, 1, (13,))
    matrix = features(table, frame)
    assert (matrix[:, 2] == [1.0, -1.0] * 12).all()
    assert (matrix[:, 3] == [letters.index(letter) + 1 for letter in letters]).all()


def test_a_missing_number_is_nan_and_others_are_scaled_and_clipped():
    table = learn({"size": FRAME["size"]})
    found = features(table, {"size": [3.0, None, 5.0]})[:, 0]
    z = (5.0 - 3.0) / (5.0 - 2.0)  # the median is 3, the quartiles are 2 and 5
    assert found[0] == 0.0
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(z / np.sqrt(1 + (z / 3) ** 2), rel=1e-15)


def test_where_the_quartiles_coincide_half_the_range_is_the_spread():
    values = [0.0] * 9 + [4.0]
    z = 4.0 / 2.0
    assert features(learn({"x": values}), {"x": [4.0]})[0, 0] == pytest.approx(z / np.sqrt(1 + (z / 3) ** 2))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a", None, "a"], {"a": [1.0], None: [-1.0], "new": [-1.0]}),
        (["a", "b", "a"], {"a": [-1.0], "b": [1.0], None: [0.0], "new": [0.0]}),
        (list("abca"), {"a": [1, 0, 0], "c": [0, 0, 1], None: [0, 0, 0], "new": [0, 0, 0]}),
        (list("abcdefgha"), {"h": [0] * 7 + [1], None: [0] * 8}),
        (list("abcdefghia"), {"a": [1], "i": [9], None: [0], "new": [0]}),
    ],
    ids=["one", "two", "three", "eight", "nine"],
)
def test_categories_by_their_number(cells, expected):
    table = learn({"x": cells})
    found = features(table, {"x": list(expected)})
    assert (found == np.array(list(expected.values()))).all()


@pytest.mark.parametrize("rows", [99, 100, 1000])
def test_rare_categories_share_the_code_of_unknown_ones(rows):
    least = {99: 1, 100: 2, 1000: 3}[rows]
    cells = ["rare"] * (least - 1) + ["known"] * least
    cells += [f"c{k % 10}" for k in range(rows - len(cells))]
    table = learn({"x": cells})
    codes = features(table, {"x": ["rare", "known", "never seen", "c1", "c2", "c3"]})[:, 0]
    assert (codes[0], codes[2]) == (0.0, 0.0)
    assert codes[1] > 0


def test_thousands_of_categories_have_codes():
    cells = [f"c{k}" for k in range(6000)] * 3
    assert learn({"x": cells}).layout.sizes == (5001,)


def test_constant_columns_are_left_out_and_said():
    table = learn(FRAME)
    assert "same" not in table.feature_names
    assert "constant, 7" in table.summary()
    for values in (["a"] * 5, [True] * 5, ["2024-01-01"] * 5):
        with pytest.raises(TableError, match="no column is of use as a feature; 'x': constant"):
            learn({"x": values})


def test_dates_are_a_number_and_plain_cycles():
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=day) for day in range(15)]
    table = learn({"day": [*days, None], "x": range(16)})
    assert table.layout == Layout(numbers=2, plain=2)
    assert table.feature_names == ["day", "x", "day (sin of week)", "day (cos of week)"]
    monday = features(table, {"day": [dt.date(2024, 1, 8), None], "x": [7.5, 7.5]})
    np.testing.assert_array_equal(monday, [[0, 0, 0, 1], [np.nan, 0, 0, 0]])


def test_a_constant_date_is_said_as_a_date():
    table = learn({"day": [dt.date(2020, 1, 2)] * 3, "x": [1, 2, 3]})
    assert (table.columns[0].kind, table.columns[0].summary) == ("ignored", "constant, 2020-01-02")


def test_a_number_with_one_value_and_missing_ones_is_kept():
    found = features(learn({"x": [7.0, 7.0, None]}), {"x": [7.0, 9.0, None]})
    np.testing.assert_array_equal(found, [[0.0], [0.0], [np.nan]])


def test_truth_values_in_every_spelling(frame):
    expected = [[1.0], [-1.0], [1.0]]
    for cells in ([True, False, True], ["true", "FALSE", "True"]):
        table = learn(frame({"x": cells}))
        assert table.columns[0].kind == "truth"
        np.testing.assert_array_equal(table.features(frame({"x": cells})), expected)
        np.testing.assert_array_equal(table.features({"x": [1, 0, None, "false"]}), [[1], [-1], [0], [-1]])


def test_unknown_categories_are_said():
    table = learn({"x": ["a", "b", "a", "b"]})
    with pytest.warns(TableWarning, match="100% of the values are unknown to the model, such as 'q'"):
        table.features({"x": ["q", "q"]})


def test_infinity_is_an_error():
    with pytest.raises(TableError, match="column 'x', row 2: the number is infinite"):
        learn({"x": [1.0, float("inf"), 2.0]})


@pytest.mark.parametrize("cells", [[1.0], ["a"], [None], [None, None]])
def test_one_row_and_missing_values_are_nothing_to_learn_from(cells):
    with pytest.raises(TableError, match=r"no column is of use as a feature; 'x': (constant|every value is)"):
        learn({"x": cells})


def test_names_are_texts_or_integers_and_differ():
    assert learn({10: [1.0, 2.0], 9: [1, 2]}).feature_names == ["10", "9"]
    with pytest.raises(TableError, match="column names are texts or integers, not NoneType"):
        learn({None: [1.0, 2.0], "y": [1, 2]})
    with pytest.raises(TableError, match="more than one column is named '10'"):
        learn({10: [1.0, 2.0], "10": [1, 2]})


@pytest.mark.parametrize(
    ("column", "changes", "message"),
    [
        ("size", {"center": float("nan")}, "center nan out of range"),
        ("job", {"categories": []}, "categories number 1 to 5000"),
        ("job", {"categories": ["b", "a"]}, "categories are out of order"),
        ("job", {"categories": ["a"], "missing": False}, "a constant category"),
        ("paid", {"missing": 1}, "'missing' should be bool, is int"),
        ("paid", {"kind": "truths"}, "a column of unknown kind 'truths'"),
    ],
)
def test_a_damaged_description_is_refused(column, changes, message):
    described = learn(FRAME).to_dict()
    next(found for found in described["columns"] if found["name"] == column).update(changes)
    with pytest.raises(FormatError, match=message):
        Table.from_dict(described)


def test_truth_values_are_of_embedded_tables():
    with pytest.raises(FormatError, match="a column of unknown kind 'truth'"):
        Table.from_dict(learn(FRAME).to_dict() | {"version": 2})


def test_permuted_columns_give_the_same_matrix():
    backwards = dict(reversed(FRAME.items()))
    assert features(learn(FRAME), FRAME).tobytes() == features(learn(backwards), backwards).tobytes()


def test_a_whole_weight_is_as_many_rows():
    weights = [2, 0, 1, 3, 1, 2]
    rows = np.repeat(np.arange(6), weights)
    frame = {
        "x": np.array([1.0, 2.0, 30.0, 4.0, 5.0, 6.0]),
        "price": np.array([1.0, 2.0, 3.0, 5.0, 4.0, 9.0]),
    }
    weighed = learn(frame, target="price", task="regress", weights=weights)
    repeated = learn({name: cells[rows] for name, cells in frame.items()}, target="price", task="regress")
    assert weighed.columns == repeated.columns
    assert weighed.target.mean == pytest.approx(repeated.target.mean, rel=1e-14)
    assert weighed.target.std == pytest.approx(repeated.target.std, rel=1e-14)


@pytest.mark.parametrize("weights", [[1.0] * 5, [-1.0] + [1.0] * 5, [np.nan] * 6, [0] * 6, ["a"] * 6])
def test_weights_that_cannot_be_are_refused(weights):
    with pytest.raises(TableError, match="weights are"):
        learn(FRAME, weights=weights)


def test_truth_values_other_than_two_are_refused():
    with pytest.raises(TableError, match="'paid', row 2: 2 is not true or false"):
        features(learn({"paid": [True, False]}), {"paid": [1, 2]})


def test_an_onnx_file_refuses_an_embedded_table(tmp_path):
    pytest.importorskip("onnx")
    table = learn(FRAME, target="grade")
    model = Sequential([Input((table.layout.width,)), Dense(3, "softmax")])
    model.table = table
    with pytest.raises(FormatError, match="embedded table does not go into an ONNX file"):
        model.export(tmp_path / "model.onnx", table=True)


def test_two_rows_of_ten_thousand_columns():
    frame = {f"x{k}": [k, k + 1] for k in range(10_000)}
    assert learn(frame).features(frame).shape == (2, 10_000)
