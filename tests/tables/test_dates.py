"""Dates and times: the same from texts, objects and arrays, and what repeats in them."""

import datetime as dt
import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdense.errors import FormatError, TableError, TableWarning
from fastdense.tables import Cells, Table
from fastdense.tables.frames import Frame
from fastdense.tables.moments import read_clear_date, read_clear_dates, read_date, read_duration, read_time

SPELLINGS = [
    ("%Y-%m-%d", "ymd"),
    ("%Y/%m/%d", "mdy"),
    ("%d.%m.%Y", "dmy"),
    ("%d/%m/%Y", "dmy"),
    ("%m/%d/%Y", "mdy"),
    ("%d-%m-%y", "dmy"),
    ("%d %b %Y", "dmy"),
    ("%d %B %Y", "mdy"),
    ("%b %d, %Y", "dmy"),
    ("%a, %d %b %Y", "dmy"),
    ("%d-%b-%Y", "mdy"),
    ("%G-W%V-%u", "dmy"),
]
CLOCKS = [
    ("", dt.timedelta(days=1)),
    (" %H:%M", dt.timedelta(minutes=1)),
    ("T%H:%M:%SZ", dt.timedelta(seconds=1)),
    (" %H:%M:%S.%f", dt.timedelta(microseconds=1)),
    (" %I:%M %p", dt.timedelta(minutes=1)),
]


@settings(deadline=None)
@given(
    st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2068, 12, 31)),
    st.sampled_from(SPELLINGS),
    st.sampled_from(CLOCKS),
)
def test_any_date_in_any_spelling_is_read_back(moment, spelling, clock):
    (pattern, order), (time, step) = spelling, clock
    if "%G" in pattern:
        time, step = CLOCKS[0]
    moment = moment - (moment - dt.datetime(1970, 1, 1)) % step
    seconds = (moment - dt.datetime(1970, 1, 1)) / dt.timedelta(seconds=1)
    assert read_date(moment.strftime(pattern + time), order) == pytest.approx(seconds, abs=1e-6, rel=0)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-W05", "2024-01-29"),
        ("2024-02", "2024-02-01"),
        ("2024Q3", "2024-07-01"),
        ("2024-01-31T12:00:00+02:00", "2024-01-31T10:00"),
        ("2024-01-31 12:00:00-0530", "2024-01-31T17:30"),
        ("31 Jan 69", "1969-01-31"),
        ("31 Jan 68", "2068-01-31"),
        ("January 5th, 2024", "2024-01-05"),
        ("2023-02-29", None),
        ("2024-W60", None),
        ("24:00", None),
        ("31/04/2024", None),
        ("12-34", None),
        ("1.2.3", None),
        ("2024", None),
        ("20240131", None),
        ("may", None),
    ],
)
def test_dates_by_hand(text, date):
    seconds = None if date is None else float(np.datetime64(date, "s").astype(np.int64))
    assert read_date(text, "dmy") == seconds


@pytest.mark.parametrize(
    ("text", "time", "duration"),
    [
        ("12:30", 45000, 45000),
        ("12:30:15.5", 45015.5, 45015.5),
        ("2:30 PM", 52200, None),
        ("12 am", 0, None),
        ("13:00 pm", None, None),
        ("26:00", None, 93600),
        ("1 days 02:00:00", None, 93600),
        ("-1 day, 23:00:00", None, -3600),  # as Python writes an hour less than nothing
        ("-2 days +22:59:59.500000", None, -90000.5),  # and pandas
        ("-1 days +00:00:00", None, -86400),
        ("-1 days 02:00:00", None, -93600),
        ("P1DT2H30M", None, 95400),
        ("2h 50m", None, 10200),
        ("1:02.5", None, 62.5),
        ("45 min", None, 2700),
        ("12:60", None, None),
        ("P", None, None),
    ],
)
def test_times_by_hand(text, time, duration):
    assert (read_time(text), read_duration(text)) == (time, duration)


DAYS = [dt.datetime(2022, 1, 1, 6) + dt.timedelta(days=5, hours=7) * k for k in range(200)]
MADE = {
    "objects": {"x": DAYS},
    "arrays": {"x": np.array(DAYS, dtype="datetime64[us]")},
    "pandas": pd.DataFrame({"x": DAYS}),
    "polars": pl.DataFrame({"x": DAYS}),
    "ISO": {"x": [day.isoformat() for day in DAYS]},
    "local": {"x": [day.strftime("%d/%m/%Y %H:%M") for day in DAYS]},
    "zoned": pd.DataFrame({"x": pd.to_datetime(DAYS).tz_localize("UTC").tz_convert("Asia/Tokyo")}),
    "words": pl.DataFrame({"x": [day.strftime("%b %d, %Y %I:%M %p") for day in DAYS]}),
}


@pytest.mark.parametrize("learned", MADE)
def test_every_spelling_and_frame_gives_the_same_features(learned):
    table = Table.learn(MADE[learned])
    assert table.columns[0].kind == "date"
    assert table.feature_names == [
        "x",
        *(f"x ({wave} of {cycle})" for cycle in ("year", "week", "day") for wave in ("sin", "cos")),
    ]
    expected = Table.learn(MADE["arrays"]).features(MADE["arrays"], "float64")
    for later in MADE.values():
        np.testing.assert_array_equal(table.features(later, "float64"), expected)
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again == table


def test_the_parts_that_repeat_by_hand():
    days = pd.date_range("2023-01-01", "2025-01-01", freq="6h")
    table = Table.learn({"x": days.to_numpy()})
    later = {"x": ["2024-01-01", "2024-07-02 12:00", None]}  # a Monday; half of a leap year's 366 days: none
    year, week, day = (table.feature_names.index(f"x (sin of {cycle})") for cycle in ("year", "week", "day"))
    features = table.features(later, "float64")
    np.testing.assert_allclose(
        features[0, [year, year + 1, week, week + 1, day, day + 1]], [0, 1, 0, 1, 0, 1]
    )
    share = 183.5 / 366
    np.testing.assert_allclose(
        features[1, [year, day, day + 1]], [np.sin(2 * np.pi * share), 0, -1], atol=1e-12
    )
    np.testing.assert_allclose(features[1, week], np.sin(2 * np.pi / 7))  # a Tuesday
    np.testing.assert_array_equal(features[2], np.zeros(7))


def test_only_what_the_data_span_repeats():
    assert Table.learn({"x": ["2024-01-01", "2024-01-05"]}).feature_names == ["x"]
    assert len(Table.learn({"x": ["2024-01-01", "2024-01-09"]}).feature_names) == 3
    assert len(Table.learn({"x": ["2024-01-01", "2024-01-08"]}).feature_names) == 1  # two Mondays


@pytest.mark.parametrize(
    "times",
    [
        ["12:30", "06:00", "18:45", None],
        ["12:30:00", "6:00 AM", "6:45 pm", "-"],
        [dt.time(12, 30), dt.time(6), dt.time(18, 45), None],
        pl.Series([dt.time(12, 30), dt.time(6), dt.time(18, 45), None]),
    ],
)
def test_times_of_day(times):
    table = Table.learn({"x": times})
    assert (table.columns[0].kind, table.columns[0].position.center) == ("time", 45000.0)
    assert table.feature_names == ["x", "x (missing)", "x (sin of day)", "x (cos of day)"]
    np.testing.assert_allclose(
        table.features({"x": ["06:00", None]})[:, 1:], [[0, 1, 0], [1, 0, 0]], atol=1e-7
    )
    with pytest.raises(TableError, match="column 'x' is of numbers; the model learned times"):
        table.features({"x": [1, 2]})


def test_an_open_order_is_said_and_the_trained_order_is_kept():
    shut = {"x": ["13/02/2024", "01/02/2024", "05/06/2024"]}
    table = Table.learn(shut)
    np.testing.assert_array_equal(
        table.features({"x": ["01/02/2024"]}), table.features({"x": ["2024-02-01"]})
    )
    with pytest.warns(
        TableWarning, match=r"'01/02/2024' is read as month, day, year; date_order='dmy' .--date-order"
    ):
        unsure = Table.learn({"x": ["01/02/2024", "05/06/2024"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stated = Table.learn({"x": ["01/02/2024", "05/06/2024"]}, cells=Cells(date_order="dmy"))
    for table, dates in ((unsure, ["2024-01-02", "2024-05-06"]), (stated, ["2024-02-01", "2024-06-05"])):
        assert table.columns[0].position.center == np.array(dates, "datetime64[s]").astype(np.float64).mean()


def test_dates_learned_from_arrays_say_how_texts_are_read():
    table = Table.learn({"x": np.array(["2024-01-02", "2024-05-06"], dtype="datetime64[D]")})
    with pytest.warns(TableWarning, match=r"'05/06/2024' is read as month"):
        table.features({"x": ["05/06/2024"]})


def test_a_type_that_is_stated_counts():
    texts = ["2024-01-01", "2024-01-02", "2024-01-20"]
    assert Table.learn({"x": texts}, types={"x": "category"}).feature_names[0] == "x=2024-01-01"
    number = Table.learn({"x": texts}, types={"x": "number"})
    assert (number.columns[0].kind, number.feature_names) == ("number", ["x"])
    np.testing.assert_array_equal(number.features({"x": texts[1:2]}), [[0]])
    category = Table.learn({"x": texts}, types={"x": "category"})
    np.testing.assert_array_equal(category.features({"x": np.array(texts, "datetime64[D]")}), np.eye(3))
    with pytest.raises(TableError, match="column 'x', row 1: 'a' is not a date"):
        Table.learn({"x": ["a", "b"]}, types={"x": "date"})
    with pytest.raises(TableError, match="column 'x' is of numbers; it was stated to be of dates"):
        Table.learn({"x": [1, 2]}, types={"x": "date"})


def test_numbers_are_not_dates_later_nor_dates_numbers():
    dates, numbers = Table.learn({"x": ["2024-01-01", "2024-01-02"]}), Table.learn({"x": [1, 2]})
    with pytest.raises(TableError, match="column 'x' is of numbers; the model learned dates"):
        dates.features({"x": [1.0]})
    with pytest.raises(TableError, match="column 'x' is of dates; the model learned numbers"):
        numbers.features({"x": np.array(["2024-01-01"], "datetime64[D]")})
    with pytest.raises(TableError, match=r"column 'x', row 1: '1\.5' is not a date"):
        dates.features({"x": ["1.5"]})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["kind"], "time", "read otherwise"),
        (["cycles"], ["week", "year"], "unknown cycles"),
        (["cycles"], ["month"], "unknown cycles"),
        (["position", "center"], 1e300, "out of range"),
        (["position", "kind"], "category", "not a number"),
        (["position", "reading", "style"], "?", "unknown style"),
        (["position", "reading", "kind"], "category", "the kind is"),
        (["position", "reading", "odd"], ["a", "a"], "odd cells repeat"),
        (["position", "reading", "unit"], "%", "unknown unit"),
    ],
)
def test_damage_is_named(path, value, message):
    described = Table.learn(MADE["ISO"]).to_dict()
    place = described["columns"][0]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(FormatError, match=message):
        Table.from_dict(described)


NEARLY_ISO = st.from_regex(
    r"(\d{4}-[01]\d-[0-3]\d([T ][0-2]\d:[0-6]\d(:[0-6]\d(\.\d{1,7})?)?(Z|\+02:00)?)?|0000-01-01|x?)[ Z]?",
    fullmatch=True,
    alphabet=st.characters(codec="ascii"),
)


@given(st.lists(NEARLY_ISO | st.dates().map(str) | st.datetimes().map(dt.datetime.isoformat), max_size=5))
@settings(max_examples=300)
def test_many_dates_are_read_as_each_is(texts):
    assert read_clear_dates(texts) == list(map(read_clear_date, texts))


@given(st.lists(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)), min_size=1, max_size=20))
def test_a_moment_is_one_number_whatever_holds_it(moments):
    texts, named = [
        [moment.strftime(f) for moment in moments] for f in ("%Y-%m-%d %H:%M:%S.%f", "%d %b %Y %T.%f")
    ]
    expected = Frame({"t": moments}).column("t").numbers()
    np.testing.assert_array_equal(Frame({"t": texts}).column("t").numbers(), expected)
    np.testing.assert_array_equal(Frame({"t": named}).column("t").numbers(), expected)


LENGTHS = [dt.timedelta(minutes=90 * k) for k in range(-3, 20)]


@pytest.mark.parametrize("spell", [str, lambda length: str(pd.Timedelta(length))])
def test_durations_are_the_same_from_frames_and_texts(spell):
    texts = list(map(spell, LENGTHS))
    learned = [
        Table.learn({"t": cells}) for cells in (LENGTHS, texts, pd.Series(LENGTHS), pl.Series(LENGTHS))
    ]
    for table in learned:
        for cells in (LENGTHS, texts, pl.Series(LENGTHS), [length.total_seconds() for length in LENGTHS]):
            np.testing.assert_array_equal(table.features({"t": cells}), learned[0].features({"t": LENGTHS}))


def test_dates_beside_texts_in_one_column_are_read_as_dates():
    cells = [f"2024-01-{k:02}" for k in range(1, 11)]
    mixed = [
        *cells[:3],
        *map(dt.date.fromisoformat, cells[3:6]),
        *map(np.datetime64, cells[6:9]),
        "10 Jan 2024",
    ]
    assert Table.learn({"t": mixed}) == Table.learn({"t": cells})
    times = ["09:30", dt.time(10), dt.time(11, 15), None, "2:30 PM"]
    assert Table.learn({"t": times}) == Table.learn({"t": ["09:30", "10:00", "11:15", "", "14:30"]})
    lengths = ["26:00:00", dt.timedelta(hours=-1), np.timedelta64(90, "m")]
    same = Table.learn({"t": ["26:00:00", "-1:00:00", "1:30:00"]})
    assert Table.learn({"t": lengths}) == same
