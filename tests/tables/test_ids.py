"""Columns of ids are left out of embedded tables, unless their type is stated."""

import numpy as np
import pandas as pd
import pytest

from fastdense.tables import Table

N = 200
DISTINCT = [f"name {k}" for k in range(N)]
NEARLY = [f"name {max(k, 15)}" for k in range(N)]


def learned(name, cells, **options):
    frame = pd.DataFrame({name: cells, "size": np.linspace(0, 1, len(cells))})
    return Table.learn(frame, embedded=True, **options).columns[0]


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("who", DISTINCT, "every value is distinct"),
        ("who", NEARLY, "nearly every value is distinct"),
        ("customer_id", range(1000, 1000 + N), "every number is whole and distinct"),
        ("userId", [str(7 * k) for k in range(N)], "every number is whole and distinct"),
    ],
)
def test_ids_are_left_out_and_said(name, cells, why):
    found = learned(name, cells)
    assert found.kind == "ignored"
    assert found.summary.startswith(why)


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("size_in_rows", range(N), "number"),  # not an id's name
        ("customer_id", [k // 2 for k in range(N)], "number"),  # each twice
        ("customer_id", [k + 0.5 for k in range(N)], "number"),
        ("customer_id", range(20), "number"),  # few rows
        ("who", [f"name {k * 9 // 10}" for k in range(N)], "category"),  # nine in ten
        ("who", pd.Categorical(NEARLY), "category"),
    ],
)
def test_other_columns_are_kept(name, cells, kind):
    assert learned(name, cells).kind == kind


@pytest.mark.parametrize(
    ("name", "cells", "kind"), [("customer_id", range(N), "number"), ("who", NEARLY, "category")]
)
def test_a_stated_type_counts(name, cells, kind):
    assert learned(name, cells, types={name: kind}).kind == kind


def test_other_tables_keep_numbered_rows_and_nearly_distinct_texts():
    table = Table.learn({"customer_id": range(N), "who": NEARLY})
    assert [column.kind for column in table.columns] == ["number", "category"]
