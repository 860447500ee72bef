"""Cells without a value: markers of missing ones, stated ones, and odd cells among numbers."""

import json

import numpy as np
import pytest

from fastdense.errors import FormatError, TableError, TableWarning
from fastdense.tables import Cells, Table
from fastdense.tables.frames import Frame


@pytest.mark.parametrize(
    "marker",
    [
        "#N/A",
        "None",
        "-",
        "?",
        "#DIV/0!",
        "1.#QNAN",
        "n/a",
        "NaN",
        "",
        " ",
        "--",
        "\N{EM DASH}",
        "#VALUE!",
        "NULL",
        ".",
    ],
)
def test_one_marker_leaves_a_column_of_numbers_what_it_is(frame, marker):
    numbers = [str(k / 4) for k in range(300)]
    table = Table.learn(frame({"x": [*numbers, marker]}))
    assert (table.columns[0].kind, table.columns[0].missing) == ("number", True)
    np.testing.assert_array_equal(table.features(frame({"x": [marker, "37.375"]})), [[0, 1], [0, 0]])


def test_some_markers_are_answers_among_categories():
    table = Table.learn({"x": ["None", "attached", "None", "-", "#N/A"]})
    assert table.feature_names == ["x=None", "x=-", "x=attached", "x (missing)"]


def test_odd_cells_are_named_and_missing(frame):
    texts = [str(k / 4) for k in range(38)]
    texts[16], texts[20] = "n.v.", "approx. 7"
    with pytest.warns(TableWarning) as said:
        table = Table.learn(frame({"x": texts}))
    (message,) = [str(warning.message) for warning in said]
    assert message.startswith(
        "column 'x': all are numbers except 'n.v.' in row 17, 'approx. 7' in row 21, which count as missing; "
    )
    assert "--missing" in message
    assert "category" in message
    assert (table.columns[0].kind, table.columns[0].missing) == ("number", True)
    np.testing.assert_array_equal(table.features(frame({"x": ["n.v.", "9.0"]}))[:, 1], [1, 0])
    with pytest.raises(TableError, match="column 'x', row 2: 'other' is not a number"):
        table.features(frame({"x": ["1", "other"]}))
    assert Table.learn(frame({"x": texts}), types={"x": "category"}).columns[0].kind == "category"


def test_odd_cells_held_out_are_odd_too():
    whole = Frame({"x": [*(str(k) for k in range(30)), "off"]})
    with pytest.warns(TableWarning, match="'off' in row 31"):
        table = Table.learn(whole.take(np.arange(30)))
    np.testing.assert_array_equal(table.features(whole.take(np.array([30]))), [[0]])


def test_many_odd_cells_are_said_and_kept():
    texts = [str(k) for k in range(20)] + ["low", "high", "low", "high", "low"]
    with pytest.warns(
        TableWarning, match="column 'x': read as categories, as 'low' in rows 21, 23, 25, 'high' in"
    ):
        assert Table.learn({"x": texts}).columns[0].kind == "category"


def test_what_means_missing_can_be_stated(frame):
    texts = ["1.5"] * 5 + ["n.v."] * 5
    assert Table.learn(frame({"x": texts})).columns[0].kind == "category"
    table = Table.learn(frame({"x": texts}), cells=Cells(missing=("N.V.",)))
    assert table.feature_names == ["x", "x (missing)"]
    assert Table.from_dict(json.loads(json.dumps(table.to_dict()))) == table
    np.testing.assert_array_equal(table.features(frame({"x": ["n.v."]})), [[0, 1]])


def test_na_can_be_a_label(frame):
    rows = {"x": [1, 2, 3, 4], "y": ["NA", "EU", "NA", "AS"]}
    with pytest.raises(TableError, match="target 'y': no value in rows 1, 3"):
        Table.learn(frame(rows), "y")
    table = Table.learn(frame(rows), "y", cells=Cells(default_missing=False))
    assert table.classes == ["AS", "EU", "NA"]
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    np.testing.assert_array_equal(again.targets(frame(rows)), [2, 1, 2, 0])
    described = table.to_dict()
    described["cells"]["default_missing"] = True
    with pytest.raises(FormatError, match="a class is not a label"):
        Table.from_dict(described)


@pytest.mark.parametrize(
    "cells",
    [["1", "-999", "3", "4"], [1, -999, 3, 4], [1.0, -999.0, 3.0, 4.0], np.array([1, -999, 3, 4], "i2")],
)
def test_a_number_stated_to_mean_missing_does_so_whatever_holds_it(cells):
    learned = Table.learn({"n": cells}, cells=Cells(missing=("-999", "none")))
    assert (learned.columns[0].center, learned.columns[0].missing) == (3.0, True)
    np.testing.assert_array_equal(learned.features({"n": cells})[:, 1], [0, 1, 0, 0])
    assert not Table.learn({"n": cells}).columns[0].missing


def test_a_number_stated_to_mean_missing_is_no_date_or_truth_value():
    frame = {"t": np.array([0, 1, 2], dtype="datetime64[D]"), "b": [True, False, True]}
    learned = Table.learn(frame, cells=Cells(missing=("0", "1")))
    assert learned.feature_names == ["t", "b"]
