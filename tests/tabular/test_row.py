"""One row's features: the bits that a frame of the row has."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from fastdense.errors import TableError
from fastdense.tables import Cells, Table
from fastdense.tabular.row import encoder_of

FRAME = {
    "size": [1.0, 2.5, 3.0, 50.0, None, 9.0] * 4,
    "code": [f"c{k % 11}" for k in range(24)],
    "job": ["clerk", "smith", None, "clerk"] * 6,
    "paid": [True, False, True, None] * 6,
    "born": [dt.date(2000 + k, 1 + k % 12, 3) for k in range(24)],
    "level": [1, 2, 3, 1] * 6,
    "same": ["x"] * 24,
}
TYPES = {"level": "category"}
TABLE = Table.learn(FRAME, types=TYPES, embedded=True)
ROW = {
    "size": 2.5,
    "code": "c3",
    "job": "smith",
    "paid": True,
    "born": dt.date(2003, 4, 3),
    "level": 2,
    "same": "x",
}
NOW = dt.datetime(2001, 2, 3, 12)
CELLS = [
    *[
        ("size", cell)
        for cell in (1, -0.0, 0, None, float("nan"), np.float64(4), np.float32(0.1), np.int64(7))
    ],
    *[("size", cell) for cell in (True, "3.5", " 7 ", "", "?", 2**60, 1e300, -1e299)],
    *[("code", cell) for cell in ("c0", "c10", " c1 ", "new", None, float("nan"), "", 5)],
    *[("job", cell) for cell in ("clerk", "smith", "baker", None, "?", True, np.str_("clerk"))],
    *[("paid", cell) for cell in (True, False, None, 1, 0, "true", "False", np.bool_(True))],
    *[("born", cell) for cell in ("2004-02-29", None, NOW, pd.Timestamp("2010-01-01"))],
    *[("level", cell) for cell in (1, 3, "2", 2.0, "2.0", 9, None, True, np.int32(3))],
]


def expected(table, row):
    """Return the features of a frame of one row."""
    return table.features({name: [cell] for name, cell in row.items()})


@pytest.mark.filterwarnings("ignore::fastdense.errors.TableWarning")
@pytest.mark.parametrize(("name", "cell"), CELLS, ids=repr)
def test_a_row_has_the_bits_of_a_frame(name, cell):
    row, encode = {**ROW, name: cell}, encoder_of(TABLE)
    wanted = expected(TABLE, row).tobytes()
    for given in (row, list(row.values()), tuple(row.values()), pd.Series(row, dtype=object), row):
        assert encode(given).tobytes() == wanted


def test_cells_that_are_equal_but_no_text_alike_are_not_mixed_up():
    table = Table.learn(
        {"x": ["1", "True", "1.5", "a"] * 3, "y": range(12)}, types={"x": "category"}, embedded=True
    )
    encode = encoder_of(table)
    for cell in (1, True, 1.0, "1", "True", 1.5):
        assert encode([cell, 3]).tobytes() == expected(table, {"x": cell, "y": 3}).tobytes()


def test_numbers_that_mark_missing_values_are_missing():
    table = Table.learn({"x": [1, 2, -999, 5]}, cells=Cells(missing=("-999",)), embedded=True)
    assert np.isnan(encoder_of(table)([-999])).all()


def test_a_column_without_features_need_not_be_there():
    row = {name: cell for name, cell in ROW.items() if name != "same"}
    assert encoder_of(TABLE)(row).tobytes() == expected(TABLE, ROW).tobytes()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**ROW, "size": "tall"}, "column 'size', row 1: 'tall' is not a number"),
        ({**ROW, "size": float("inf")}, "column 'size', row 1: the number is infinite"),
        ({**ROW, "size": 2e300}, "infinite or beyond 1e.300"),
        ({"size": 1.0}, "the row lacks 'code'"),
        ({}, "the row lacks 'size'"),
        ([1.0, "c1"], "a row has 7 cells, 'size', 'code', .*, got 2"),
        ("size", "not str"),
        (None, "not NoneType"),
        (5, "not int"),
    ],
)
def test_what_is_no_row_is_refused_in_one_line(row, message):
    with pytest.raises(TableError, match=message):
        encoder_of(TABLE)(row)


@pytest.mark.filterwarnings("ignore::fastdense.errors.TableWarning")
def test_many_different_texts_are_encoded_too():
    encode = encoder_of(TABLE)
    for k in range(5000):
        found = encode({**ROW, "code": f"new {k}"})
    assert found.tobytes() == expected(TABLE, {**ROW, "code": "new"}).tobytes()
