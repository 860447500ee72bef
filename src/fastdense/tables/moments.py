"""Dates, times of day and durations as people spell them, to seconds."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DAY", "read_clear_date", "read_clear_dates", "read_date", "read_duration", "read_time"]

DAY: Final = 86_400.0
"""Seconds of a day."""

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_PIVOT: Final = 69
"""Years of two digits below this are of the 2000s and others of the 1900s, as POSIX has it."""

_FLAGS: Final = re.ASCII | re.IGNORECASE
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY: Final = r"(?:(?:mon|tue|wednes|wed|thurs|thu|fri|satur|sat|sun)(?:s?day)?\.?,?\s+)?"
_CLOCK: Final = (
    r"(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d(?:[.,]\d+)?))?(?:\s*(?P<half>[ap])\.?m\.?)?"
)
_AT: Final = rf"(?:(?:T|\s+|,\s*){_CLOCK}\s*(?P<offset>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?"

_TIME: Final = re.compile(_CLOCK, _FLAGS)
_HOUR: Final = re.compile(r"(?P<hour>\d{1,2})\s*(?P<half>[ap])\.?m\.?", _FLAGS)
_NUMERIC: Final = re.compile(
    rf"{_WEEKDAY}(?P<a>\d{{1,2}})(?P<by>[-/.])\s?(?P<b>\d{{1,2}})(?P=by)\s?(?P<c>\d{{4}}|\d\d){_AT}", _FLAGS
)
_PARTS: Final = {"dmy": "abc", "mdy": "bac", "ymd": "cba"}
"""Which part is the day, the month and the year in each order."""

_CLEAR: Final = [
    re.compile(pattern, _FLAGS)
    for pattern in (
        rf"(?P<year>\d{{4}})(?P<by>[-/.])(?P<month>\d{{1,2}})(?P=by)(?P<day>\d{{1,2}}){_AT}",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)?[\s-]*{_MONTH}[\s,-]*(?P<year>\d{{4}}|\d\d){_AT}",
        rf"{_WEEKDAY}{_MONTH}\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_AT}",
        rf"{_MONTH}[\s-]*(?P<year>\d{{4}})",
        r"(?P<year>\d{4})-(?P<month>\d\d)",
        r"(?P<year>\d{4})-?Q(?P<quarter>[1-4])",
        r"(?P<year>\d{4})-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?",
    )
]
_ISO: Final = re.compile(
    r"(?!0000)\d{4}-\d\d-\d\d(?:[T ]\d\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?Z?)?", re.ASCII
)
"""The dates of programs, which NumPy reads twenty times as fast."""

_DURATIONS: Final = [
    re.compile(pattern, _FLAGS)
    for pattern in (
        # Python and pandas write an hour less than nothing as the day before it and 23 hours.
        r"(?P<minus>-)(?P<d>\d+)\s*days?(?:,\s+|\s+\+)(?P<h>\d+):(?P<m>[0-5]\d):(?P<s>[0-5]\d(?:\.\d+)?)",
        r"(?P<sign>-)?(?:(?P<d>\d+)\s*d(?:ays?)?,?\s+)?(?P<h>\d+):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d(?:[.,]\d+)?))?",
        r"(?P<sign>-)?(?P<m>\d+):(?P<s>[0-5]\d[.,]\d+)",
        r"(?P<sign>-)?P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:[.,]\d+)?)S)?)?",
        r"(?P<sign>-)?(?:(?P<d>\d+)\s*d(?:ays?)?\s*)?(?P<h>\d+)\s*h(?:(?:ou)?rs?)?(?:\s*(?P<m>\d+)\s*m(?:in)?\.?)?",
        r"(?P<sign>-)?(?P<m>\d+)\s*min(?:ute)?s?\.?(?:\s*(?P<s>\d+)\s*s(?:ec)?)?",
    )
]


def read_date(text: str, order: str) -> float | None:
    """Return the date that a trimmed text spells, as seconds since 1970 (UTC), or None.

    Parameters
    ----------
    text : str
        As `read_clear_date` reads it, or three numbers with "/", "-" or "." between.
    order : {"dmy", "mdy", "ymd"}
        What the three numbers are.

    Examples
    --------
    >>> read_date("1970-01-02", "dmy"), read_date("2/1/1970", "dmy"), read_date("1/2/1970", "mdy")
    (86400.0, 86400.0, 86400.0)
    >>> read_date("31/1/1970", "mdy") is None
    True
    """
    found = _NUMERIC.fullmatch(text)
    if found is None:
        return read_clear_date(text)
    day, month, year = (found[part] for part in _PARTS[order])
    # Points stand between day, month and year in that order wherever they are used, and before the day of a
    # year in two digits stand hyphens.
    if (found["by"] == "." and order != "dmy") or (order == "ymd" and found["by"] != "-") or len(day) > 2:
        return None
    return _seconds(year, int(month), int(day), found)


def read_clear_date(text: str) -> float | None:
    """Return the date of a text that leaves no doubt of the order, as seconds since 1970 (UTC), or None.

    That is ISO 8601 (to days, weeks, months and quarters, or with a time and offset), and names of months in
    English.

    Examples
    --------
    >>> read_clear_date("1970-01-02"), read_clear_date("2 Jan 1970"), read_clear_date("1/2/1970")
    (86400.0, 86400.0, None)
    """
    for pattern in _CLEAR:
        found = pattern.fullmatch(text)
        if found is not None:
            return _moment(found)
    return None


def read_clear_dates(texts: Sequence[str]) -> list[float | None]:
    """Return what `read_clear_date` does of each text.

    Examples
    --------
    >>> read_clear_dates(["1970-01-02T00:00:01Z", "2 Jan 1970", "soon"])
    [86401.0, 86400.0, None]
    """
    try:
        iso = [text.removesuffix("Z") if _ISO.fullmatch(text) else "" for text in texts]
        moments = np.array(iso, dtype="datetime64[us]")
    except ValueError:  # a day or hour that is not there
        return list(map(read_clear_date, texts))
    seconds = (moments.astype(np.int64) / 1e6).tolist()
    found = zip(texts, iso, seconds, strict=True)
    return [second if spelled else read_clear_date(text) for text, spelled, second in found]


def read_time(text: str) -> float | None:
    """Return the time of day that a trimmed text spells, as seconds since midnight, or None.

    Examples
    --------
    >>> read_time("12:30"), read_time("2:30 PM"), read_time("25:00")
    (45000.0, 52200.0, None)
    """
    found = _TIME.fullmatch(text) or _HOUR.fullmatch(text)
    return None if found is None else _clock(found)


def read_duration(text: str) -> float | None:
    """Return the duration that a trimmed text spells, in seconds, or None.

    Examples
    --------
    >>> read_duration("26:00:00"), read_duration("1 day 02:00"), read_duration("PT1H30M")
    (93600.0, 93600.0, 5400.0)
    >>> read_duration("-1 day, 23:00:00"), read_duration("-1 days +23:00:00"), read_duration("-26:00:00")
    (-3600.0, -3600.0, -93600.0)
    """
    found = next((m for p in _DURATIONS if (m := p.fullmatch(text)) is not None), None)
    parts = {} if found is None else found.groupdict()
    each = [
        (unit, parts[name])
        for name, unit in zip("dhms", (DAY, 3600.0, 60.0, 1.0), strict=True)
        if parts.get(name)
    ]
    if not each:
        return None
    total = sum(unit * float(value.replace(",", ".")) for unit, value in each)
    if parts.get("minus"):
        return total - 2 * DAY * int(parts["d"])
    return -total if parts.get("sign") else total


def _moment(found: re.Match[str]) -> float | None:
    """Return the seconds of a match that names its parts."""
    parts = found.groupdict()
    if parts.get("week"):
        try:
            day = dt.date.fromisocalendar(int(parts["year"]), int(parts["week"]), int(parts["weekday"] or 1))
        except ValueError:
            return None
        return (day.toordinal() - _EPOCH) * DAY
    if parts.get("quarter"):
        return _seconds(parts["year"], 3 * int(parts["quarter"]) - 2, 1, found)
    name = parts["month"]
    month = int(name) if name.isdigit() else _MONTHS.index(name[:3].lower()) + 1
    return _seconds(parts["year"], month, int(parts.get("day") or 1), found)


def _seconds(written: str, month: int, day: int, found: re.Match[str]) -> float | None:
    """Return the seconds of a date and of the time that may follow it; None for one that is not there."""
    year = int(written)
    if len(written) < 4:
        year += 2000 if year < _PIVOT else 1900
    try:
        days = dt.date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    if not found.groupdict().get("hour"):
        return days * DAY
    time = _clock(found)
    if time is None:
        return None
    # In whole microseconds, as frames have them: so that one moment is one number.
    micro = round((time - _offset(found["offset"])) * 1e9) // 1000
    return (days * 86_400_000_000 + micro) / 1e6


def _clock(found: re.Match[str]) -> float | None:
    parts = found.groupdict()
    hour, half = int(parts["hour"]), (parts.get("half") or "").lower()
    if hour > 23 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + 12 * (half == "p")
    second = float((parts.get("second") or "0").replace(",", "."))
    return hour * 3600.0 + int(parts.get("minute") or 0) * 60.0 + second


def _offset(text: str | None) -> float:
    if not text or text[0] not in "+-":
        return 0.0
    digits = text[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600.0 + int(digits[2:] or 0) * 60.0
    return -seconds if text[0] == "-" else seconds
