"""What is said of a doubtful table before it is trained on, and of which tables nothing is said."""

import warnings

import numpy as np
import pytest

from fastdense.errors import TableWarning
from fastdense.tables import Table
from fastdense.tabular import Recipe, train_table
from fastdense.tabular.doubts import deciding_columns

RNG = np.random.default_rng(0)
ROWS = 200
TINY = Recipe(hidden=(4,), epochs=1)

CLASS = RNG.integers(0, 3, ROWS)
LABEL = np.array(["low", "middle", "high"])[CLASS]
YES = np.where(CLASS == 2, "yes", "no")
PRICE = RNG.lognormal(size=ROWS)
NOISE = RNG.normal(size=ROWS)
MORE = RNG.normal(size=ROWS)


def notes(frame, target, **options):
    """Return what is said while a table is trained on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train_table(
            {"noise": NOISE, "more": MORE, **frame}, target, recipe=TINY, seed=0, verbose=0, **options
        )
    assert all(issubclass(each.category, TableWarning) for each in caught)
    return [str(each.message) for each in caught]


GIVING_AWAY = {
    "the target itself": (LABEL, LABEL),
    "its codes": (CLASS * 10 + 3, LABEL),
    "its codes as text": (np.array(["c", "a", "b"])[CLASS], LABEL),
    "codes finer than the classes": (CLASS * 2 + RNG.integers(0, 2, ROWS), LABEL),
    "a value that only one class has": (np.where(YES == "yes", NOISE**2 + 1, 0.0), YES),
    "a missing value that only one class has": (np.where(YES == "yes", NOISE, np.nan), YES),
    "a quantity itself": (PRICE, PRICE),
    "another unit": (PRICE / 0.0254 - 7, PRICE),
    "its logarithm": (np.log(PRICE), PRICE),
    "its reciprocal": (1 / PRICE, PRICE),
    "rounded": (np.round(PRICE, 2), PRICE),
    "grades of few values": (np.array(["A", "B", "C"])[CLASS], CLASS * 1.5),
}


@pytest.mark.parametrize("name", GIVING_AWAY)
def test_a_column_that_gives_the_target_away_is_named(name):
    column, target = GIVING_AWAY[name]
    (text,) = notes({"leak": column, "y": target}, "y")
    assert text.startswith("column 'leak' gives the target 'y' away")
    assert "types={'leak': 'ignore'}" in text
    assert notes({"leak": column, "y": target}, "y", types={"leak": "ignore"}) == []


HARMLESS = {
    "a feature that separates the classes": (CLASS * 5 + NOISE / 10, LABEL),
    "a copy with mistakes": (np.where(np.arange(ROWS) < 3, "high", LABEL), LABEL),
    "a strong linear feature": (PRICE + NOISE / 100, PRICE),
    "another quantity, often 0": (np.where(PRICE > 1, 0.0, NOISE), np.where(PRICE > 1, PRICE, 0.5)),
    "distinct floats": (RNG.permutation(ROWS) + 0.5, PRICE),
    "distinct whole numbers in no order": (RNG.permutation(ROWS), PRICE),
    "whole numbers that repeat": (np.arange(ROWS) // 2, PRICE),
    "dates": (np.datetime64("2020-01-01") + np.arange(ROWS), PRICE),
    "many values": (RNG.integers(0, 150, ROWS), LABEL),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_nothing_is_said_of_an_ordinary_column(name):
    column, target = HARMLESS[name]
    assert notes({"column": column, "y": target}, "y") == []


IDS = {
    "row": np.arange(ROWS),
    "n": np.arange(ROWS)[::-1] * 3,
    "customer_id": RNG.permutation(ROWS),
    "CustomerID": RNG.permutation(ROWS),
    "orderId": [str(number) for number in RNG.permutation(ROWS)],
    "Unnamed: 0": np.arange(ROWS),
    "Id": RNG.permutation(ROWS),
}


@pytest.mark.parametrize("name", IDS)
def test_an_id_that_is_used_as_a_number_is_mentioned(name):
    (text,) = notes({name: IDS[name], "y": LABEL}, "y")
    assert f"column '{name}' is used as a number" in text
    assert notes({name: IDS[name], "y": LABEL}, "y", types={name: "ignore"}) == []


@pytest.mark.parametrize("name", ["paid", "humid", "acid", "Sid"])
def test_a_word_that_ends_like_id_is_none(name):
    assert notes({name: RNG.permutation(ROWS), "y": LABEL}, "y") == []


def test_as_many_labels_as_rows_are_questioned():
    (text,) = notes({"y": [f"n{row}" for row in range(ROWS)]}, "y")
    assert "200 distinct labels in 200 rows" in text
    assert "task='regress'" in text
    (text,) = notes({"y": RNG.permutation(ROWS)}, "y", task="classify")
    assert "too many classes" in text


def test_many_classes_of_many_rows_are_not():
    assert notes({"y": [f"n{row % 30}" for row in range(ROWS)]}, "y") == []


def test_classes_of_one_row_are_named():
    lone = [*LABEL[:-2], "rare", "odd"]
    (text,) = notes({"y": lone}, "y")
    assert "2 classes 'odd', 'rare' have one row only" in text
    assert notes({"y": lone}, "y", validation=0.0) == []


SMALL = {
    "few rows": {"x": list(range(20)), "y": [0.5 * row for row in range(20)]},
    "few classes": {"x": [1, 2] * 10, "y": ["a", "b"] * 10},
    "a range": {"x": list(range(ROWS)), "kind": LABEL, "y": PRICE},
    "a line": {"x": PRICE, "y": 3 * PRICE + 1},
    "a line beside another feature": {"x": PRICE, "kind": LABEL, "y": 3 * PRICE + 1},
}


@pytest.mark.parametrize("name", SMALL)
def test_nothing_is_said_of_an_example_of_a_lesson(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train_table(SMALL[name], "y", recipe=TINY, seed=0, verbose=0)


def test_columns_that_decide_alone_are_found():
    """They are mentioned by the command, once a model makes no mistakes."""
    ranges, frame = CLASS * 5 + NOISE / 10, {"noise": NOISE, "code": CLASS, "y": LABEL}
    assert deciding_columns(Table.learn({"x": ranges, **frame}, "y"), {"x": ranges, **frame}) == ["x"]
    holes = {"x": ranges, **frame, "y": [None, *LABEL[1:]]}
    assert deciding_columns(Table.learn({"x": ranges, **frame}, "y"), holes) == ["x"]
    line = {"x": PRICE, "noise": NOISE, "y": 3 * PRICE + 1}
    assert deciding_columns(Table.learn(line, "y"), line) == ["x"]
    assert deciding_columns(Table.learn(frame, "y"), frame) == []
