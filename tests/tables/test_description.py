"""A table's description: through JSON to the same bits, and refused when damaged."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdense.errors import FormatError
from fastdense.tables import Table

ROWS = {
    "age": [39.1, 50.7, None, 28.3, 1 / 3],
    "job": ["clerk", "smith", "clerk", None, "?"],
    "key": [1, 2, 3, 4, 5],
    "grade": ["low", "high", "low", "low", "high"],
    "price": [0.1, 0.7, 1e-9, 3.0, 2.2],
}
CLASSIFY = Table.learn(ROWS, "grade", types={"key": "ignore"})
REGRESS = Table.learn(ROWS, "price", types={"key": "category"})
TABLES = [CLASSIFY, REGRESS, Table.learn(ROWS), Table.learn(ROWS, "key", task="classify")]
MANY = Table.learn({"x": [f"c{k}" for k in range(70)] * 2})
EMBEDDED = Table.learn(
    {
        **ROWS,
        "when": ["2024-01-01", "2024-03-01", None, "2024-02-01", "2025-06-01"],
        "paid": [True, False] * 2 + [True],
    },
    "grade",
    embedded=True,
)


@pytest.mark.parametrize("table", [*TABLES, MANY, EMBEDDED], ids=repr)
def test_json_keeps_every_bit(table):
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again == table
    assert again.summary() == table.summary()


@settings(deadline=None)
@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=20))
def test_json_keeps_every_bit_of_any_numbers(numbers):
    table = Table.learn({"x": numbers})
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    assert (
        again.features({"x": numbers}, "float64").tobytes()
        == table.features({"x": numbers}, "float64").tobytes()
    )


def test_a_table_is_immutable():
    with pytest.raises(AttributeError):
        CLASSIFY.target = None
    assert hash(CLASSIFY) == hash(Table.from_dict(CLASSIFY.to_dict()))


def test_changing_a_description_does_not_reach_the_table():
    described = CLASSIFY.to_dict()
    described["columns"].clear()
    described["target"]["classes"].clear()
    assert CLASSIFY.to_dict() != described
    assert CLASSIFY.classes == ["high", "low"]


def set_at(path, value):
    def change(described):
        place = described
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["version"], 4, "unknown or absent keys 'cells'"),
        (["version"], 1, "unknown or absent keys 'cells'"),
        (["version"], 2.0, "'version' should be int, is float"),
        (["more"], 1, "unknown or absent keys 'more'"),
        (["columns"], [], "no column gives a feature"),
        (["columns"], {}, "'columns' should be list, is dict"),
        (["columns", 0], None, "a column of unknown kind None"),
        (["columns", 0, "kind"], "code", "a column of unknown kind 'code'"),
        (["columns", 0, "kind"], [], r"a column of unknown kind \[\]"),
        (["columns", 0, "kind"], "category", "unknown or absent keys"),
        (["columns", 0, "center"], 1, "'center' should be float, is int"),
        (["columns", 0, "center"], float("nan"), "center nan out of range"),
        (["columns", 0, "center"], float("inf"), "center inf out of range"),
        (["columns", 0, "spread"], -1.0, "spread -1.0 out of range"),
        (["columns", 0, "spread"], float("nan"), "spread nan out of range"),
        (["columns", 0, "missing"], 1, "'missing' should be bool, is int"),
        (["columns", 0, "name"], "job", "two columns have one name"),
        (["columns", 0, "name"], "grade", "two columns have one name"),
        (["columns", 0, "name"], 7, "'name' should be str, is int"),
        (["columns", 1, "categories"], [], "categories number 1 to 64"),
        (["columns", 1, "categories"], [f"c{k}" for k in range(65)], "categories number 1 to 64"),
        (["columns", 1, "categories"], ["a", "a"], "categories repeat"),
        (["columns", 1, "categories"], ["a", 1], "categories are not all texts"),
        (["columns", 1, "categories"], ["a", " b"], "categories are not all texts"),
        (["columns", 1, "categories"], ["a", "?"], "categories are not all texts"),
        (["columns", 1, "other"], True, "leave no room for others"),
        (["columns", 2, "note"], "n" * 201, "the note is too long"),
        (["target"], [], "a target of unknown task None"),
        (["target", "task"], "cluster", "a target of unknown task 'cluster'"),
        (["target", "task"], {}, "a target of unknown task {}"),
        (["target", "classes"], ["a"], "classes number 2 to 65536"),
        (["target", "classes"], ["b", "a"], "classes repeat or are out of order"),
        (["target", "classes"], ["a", "a"], "classes repeat or are out of order"),
        (["target", "classes"], ["a", 1], "classes of several types"),
        (["target", "classes"], [1, True], "classes of several types"),
        (["target", "classes"], [None, None], "a class is not a label"),
        (["target", "classes"], [1.0, float("inf")], "a class is not a label"),
        (["target", "classes"], [1, 10**5000], "a class is not a label"),
    ],
)
def test_damage_is_named(path, value, message):
    described = CLASSIFY.to_dict()
    set_at(path, value)(described)
    with pytest.raises(FormatError, match=message):
        Table.from_dict(described)


@pytest.mark.parametrize(
    ("key", "value"), [("mean", float("nan")), ("std", 0.0), ("std", float("inf")), ("std", 1)]
)
def test_damaged_scales_are_refused(key, value):
    described = REGRESS.to_dict()
    described["target"][key] = value
    with pytest.raises(FormatError, match=key):
        Table.from_dict(described)


@pytest.mark.parametrize("value", [None, [], "table", 1, {}, {1: 2}])
def test_what_is_no_description_is_refused(value):
    with pytest.raises(FormatError):
        Table.from_dict(value)


def paths(value, path=()):
    """Every place in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["age", "job"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def damaged(draw):
    described = copy.deepcopy(draw(st.sampled_from(TABLES)).to_dict())
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in paths(described) if path]))
        place = described
        for key in path[:-1]:
            place = place[key]
        if draw(st.booleans()):
            place[path[-1]] = draw(JUNK)
        elif isinstance(place, dict) and draw(st.booleans()):
            place[draw(st.text(max_size=3))] = place.pop(path[-1])
        else:
            del place[path[-1]]
        if not described:
            break
    return described


@settings(deadline=None)
@given(damaged())
def test_damage_is_refused_or_is_another_table_exactly_as_described(described):
    try:
        table = Table.from_dict(described)
    except FormatError:
        return
    assert json.dumps(table.to_dict(), sort_keys=True) == json.dumps(described, sort_keys=True)
    assert table.summary()
    matrix = table.features({column.name: [None] for column in table.columns}, "float64")
    assert np.isfinite(matrix).all()
