"""What the texts of a column are: numbers, dates, times or categories, and in which spelling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias

from fastdense.tables.cells import Cells
from fastdense.tables.moments import read_clear_dates, read_date, read_duration, read_time
from fastdense.tables.numerals import (
    CURRENCIES,
    Numeral,
    are_codes,
    is_unit,
    plain_number,
    read_number,
    unit_of,
    without_unit,
)
from fastdense.tables.strict import check, record

__all__ = ["PLAIN", "TEXTS", "Found", "Hint", "Reading", "Where", "decimal_of", "find_reading", "follow"]

MAX_ODD: Final = 64
"""Most different texts in a column of numbers or dates that count as missing; more are something else."""

_ODD_SHARE: Final = 10
"""One row in this many may hold such texts."""

_SAMPLE: Final = 1000
"""Texts of a column that show whether the others are worth a look."""

_STYLES: Final[dict[str, tuple[str, ...]]] = {
    "number": (".", ","),
    "date": ("mdy", "dmy", "ymd"),
    "time": ("",),
    "duration": ("",),
}
_FAMILIES: Final[dict[str | None, tuple[str, ...]]] = {
    None: ("number", "date", "time", "duration"),
    "number": ("number", "date", "time", "duration"),
    "date": ("date",),
    "time": ("time",),
}
_READERS: Final = {"time": read_time, "duration": read_duration}
_ORDERS: Final = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}

Hint: TypeAlias = Callable[[], "str | None"]
"""Returns the decimal sign that the rest of the table has, or None."""

Where: TypeAlias = Callable[[Sequence[str]], str]
"""Names the rows of some texts, for a message."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column's texts are read.

    Attributes
    ----------
    kind : {"number", "date", "time", "duration", "category"}
    style : str
        The decimal sign of numbers or the order of dates; "" if the column leaves it open, as one that is
        not of texts does; "plain" in tables of description version 1.
    unit : str
        The unit that numbers were written with, see `Numeral`.
    odd : tuple of str
        Texts of no such kind, which count as missing.
    """

    kind: str
    style: str = ""
    unit: str = ""
    odd: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {"kind": self.kind, "style": self.style, "unit": self.unit, "odd": list(self.odd)}

    @classmethod
    def from_dict(cls, value: object, kinds: tuple[str, ...]) -> Reading:
        """Read what `to_dict` wrote, of one of some kinds; FormatError for anything else."""
        keys = {"kind": str, "style": str, "unit": str, "odd": list}
        kind, style, unit, odd = record(value, "reading", keys)
        check(kind in kinds, f"reading: the kind is {' or '.join(kinds)}, not {kind[:40]!r}")
        check(style in ("", *_STYLES[kind]), f"reading: unknown style {style[:40]!r}")
        check(unit == "" or (kind == "number" and is_unit(unit)), f"reading: unknown unit {unit[:40]!r}")
        check(all(type(text) is str for text in odd), "reading: odd cells are not all texts")
        check(len(odd) == len(set(odd)) <= MAX_ODD, "reading: odd cells repeat or are too many")
        return cls(kind, style, unit, tuple(odd))


TEXTS: Final = Reading("category")
PLAIN: Final = Reading("number", "plain")


class Found(NamedTuple):
    """What `find_reading` returns.

    Attributes
    ----------
    reading : Reading
    notes : tuple of str
        What should be said about it, one fact each.
    refusal : tuple of str
        A text and why the column should not be used as it is; empty if it may be.
    """

    reading: Reading
    notes: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()


def find_reading(
    texts: Sequence[str],
    counts: Sequence[int],
    cells: Cells,
    kind: str | None = None,
    hint: Hint = lambda: None,
    where: Where = lambda _: "",
) -> Found:
    """Find out how a column's texts are to be read.

    Parameters
    ----------
    texts : sequence of str
        The distinct texts, trimmed, without those that mean missing in every column.
    counts : sequence of int
        The number of rows with each.
    cells : Cells
        What was stated about the table.
    kind : {"number", "date", "time"}, optional
        What was stated about the column; one that is stated to be of numbers may hold dates, in seconds.
    hint, where : callable

    Examples
    --------
    >>> find_reading(["0,5", "1.234", "-"], [1, 1, 1], Cells()).reading
    Reading(kind='number', style=',', unit='', odd=())
    """
    if cells.plain:
        plain = kind == "number" or all(plain_number(text) is not None for text in texts)
        return Found(PLAIN if plain else TEXTS)
    markers = cells.number_markers
    present = [k for k, text in enumerate(texts) if text.casefold() not in markers]
    body, rows = [texts[k] for k in present], [counts[k] for k in present]
    if not body or (kind is None and are_codes(body)):
        return Found(TEXTS if kind is None else Reading(kind))
    families = [family for family in _FAMILIES[kind] if kind is not None or _is_likely(family, body)]
    best: _Spellings | None = None
    for family in families:
        tried = _Spellings(family, body, rows)
        if best is None or tried.rows > best.rows:
            best = tried
        if best.rows == best.total:
            break
    return Found(TEXTS) if best is None else best.judge(cells, kind, hint, where)


def _is_likely(family: str, texts: Sequence[str]) -> bool:
    """Return True unless a sample of many texts has few of these: reading all takes microseconds each."""
    if len(texts) <= _SAMPLE:
        return True
    sample = texts[:: len(texts) // _SAMPLE]
    return _Spellings(family, sample, [1] * len(sample)).rows * 4 > len(sample)


def follow(
    learned: Reading, texts: Sequence[str], counts: Sequence[int], cells: Cells, hint: Hint
) -> tuple[list[float | None], tuple[str, ...]]:
    """Read the texts of a further table by what was learned; NaN is missing, None what cannot be read.

    The style learned counts where the texts leave it open; where they do not, they are read in their own.

    Examples
    --------
    >>> follow(Reading("number", "."), ["1,5", "?"], [1, 1], Cells(), lambda: None)
    ([1.5, nan], ())
    """
    if learned.style == "plain":
        return [plain_number(text) for text in texts], ()
    markers, odd = cells.number_markers, frozenset(learned.odd)
    present = [k for k, text in enumerate(texts) if text not in odd and text.casefold() not in markers]
    body, rows = [texts[k] for k in present], [counts[k] for k in present]
    spelled = _Spellings(learned.kind, body, rows, learned.unit, (learned.style,) * bool(learned.style))
    if learned.style and spelled.trials[0].rows < spelled.total:
        spelled = _Spellings(learned.kind, body, rows, learned.unit)
    chosen, notes, is_open = spelled.choose(spelled.trials, learned.style, hint)
    values: list[float | None] = [float("nan")] * len(texts)
    for k, value in zip(present, chosen.values, strict=True):
        values[k] = value
    return values, notes if is_open and not learned.style else ()


def decimal_of(texts: Sequence[str]) -> str | None:
    """Return the decimal sign of a column's texts, or None if they are not numbers or leave it open.

    Examples
    --------
    >>> decimal_of(["1,5", "2"]), decimal_of(["1,234", "2"]), decimal_of(["1,5", "a"])
    (',', None, None)
    """
    found = [style for style in _STYLES["number"] if all(read_number(text, style) for text in texts)]
    return found[0] if len(found) == 1 else None


class _Trial(NamedTuple):
    """Texts read in one style: their values, None for what is not so spelled, and the rows that are."""

    style: str
    unit: str
    values: list[float | None]
    rows: int
    local: str | None
    """The first text of a number that no program writes so."""


class _Spellings:
    """A column's texts read as numbers, or as dates and so on, in each style that these have."""

    def __init__(
        self,
        family: str,
        texts: Sequence[str],
        counts: Sequence[int],
        unit: str | None = None,
        styles: Sequence[str] = (),
    ) -> None:
        self.family, self.texts, self.counts, self.total = family, texts, counts, sum(counts)
        self._clear = read_clear_dates(texts) if family == "date" else []
        self._spelled = [False] * len(texts)
        self.measures = _measures(texts, counts) if family == "number" and unit is None else Counter()
        self.trials = [self._try(style, unit) for style in styles or _STYLES[family]]
        self.rows = sum(n for n, is_spelled in zip(counts, self._spelled, strict=True) if is_spelled)

    def _try(self, style: str, unit: str | None) -> _Trial:
        if self.family == "number":
            return self._try_numbers(style, unit)
        if self.family == "date":
            pairs = zip(self.texts, self._clear, strict=True)
            values = [read_date(text, style) if clear is None else clear for text, clear in pairs]
        else:
            values = list(map(_READERS[self.family], self.texts))
        self._spell(values)
        return _Trial(style, "", values, self._rows_of(values), None)

    def _try_numbers(self, style: str, unit: str | None) -> _Trial:
        word = self._word(unit)
        numerals = [read_number(without_unit(text, word), style) for text in self.texts]
        self._spell(numerals)
        if word:
            unit = word
            numerals = [n and n._replace(unit=n.unit or word, plain=False) for n in numerals]
        elif unit is None:
            unit = _main_unit(numerals, self.counts)
        fitting = [n if n and _fits(n.unit, unit) else None for n in numerals]
        values = [None if n is None else n.value for n in fitting]
        pairs = zip(self.texts, fitting, strict=True)
        local = next((text for text, n in pairs if n is not None and not n.plain), None)
        return _Trial(style, unit, values, self._rows_of(values), local)

    def _word(self, learned: str | None) -> str:
        """Return the word that follows the numbers: the one learned, or that of nearly all rows."""
        if learned is not None:
            return learned if unit_of(f"1 {learned}") else ""
        word, rows = max(self.measures.items(), key=lambda item: item[1], default=("", 0))
        return word if (self.total - rows) * _ODD_SHARE <= self.total else ""

    def _spell(self, found: Sequence[object]) -> None:
        """Note which texts are spelled in some style, whether or not they fit the others."""
        self._spelled = [k or value is not None for k, value in zip(self._spelled, found, strict=True)]

    def _rows_of(self, values: Sequence[float | None]) -> int:
        return sum(n for n, value in zip(self.counts, values, strict=True) if value is not None)

    def choose(
        self, trials: Sequence[_Trial], style: str, hint: Hint
    ) -> tuple[_Trial, tuple[str, ...], bool]:
        """Return the trial that reads most rows (of equals, the style), what to say, and if it is open."""
        most = max(trial.rows for trial in trials)
        best = [trial for trial in trials if trial.rows == most]
        values = zip(self.texts, *(trial.values for trial in best), strict=True)
        doubtful = [text for text, *read in values if len(set(read)) > 1]
        wanted = style or self._usual(doubtful, hint) if doubtful else style
        chosen = next((trial for trial in best if trial.style == wanted), best[0])
        return chosen, self._spelling(chosen, best, doubtful), bool(doubtful)

    def _usual(self, doubtful: Sequence[str], hint: Hint) -> str | None:
        """Return the style of texts that several fit."""
        if self.family == "number":
            return hint()
        return "dmy" if "-" in doubtful[0] else "mdy"  # with hyphens the month comes first nowhere

    def _spelling(self, chosen: _Trial, best: Sequence[_Trial], doubtful: Sequence[str]) -> tuple[str, ...]:
        """Say how texts are read that may be read otherwise, and numbers that no program writes."""
        other = next((trial.style for trial in best if trial is not chosen), "")
        if self.family == "date":
            return tuple(
                f"{text[:40]!r} is read as {_ORDERS[chosen.style]}; date_order={other!r} "
                f"(--date-order {other}) reads {_ORDERS[other]}"
                for text in doubtful[:1]
            )
        values = dict(zip(self.texts, chosen.values, strict=True))
        unlike = [text for text in doubtful if plain_number(text) != values[text]]
        if chosen.local is None and not unlike:
            return ()
        shown = unlike[0] if unlike else str(chosen.local)
        more = f"; decimal={other!r} (--decimal {other}) reads it otherwise" if unlike else ""
        unit = f" {chosen.unit}" if unit_of(f"1 {chosen.unit}") else ""
        return (f"{shown[:40]!r} is read as {values[shown]:.10g}{unit}{more}",)

    def judge(self, cells: Cells, kind: str | None, hint: Hint, where: Where) -> Found:
        """Choose a style, and say or refuse what is odd."""
        stated = {"number": cells.decimal, "date": cells.date_order}.get(self.family)
        trials = [trial for trial in self.trials if stated in (None, trial.style)]
        chosen, spelling, _ = self.choose(trials, "", hint)
        notes: tuple[str, ...] = () if stated else spelling
        odd = [text for text, value in zip(self.texts, chosen.values, strict=True) if value is None]
        found = Reading(self.family, self._evident(chosen), chosen.unit)
        if not odd:
            return Found(found, notes)
        named = _name_odd(odd, where)
        if (self.total - chosen.rows) * _ODD_SHARE <= self.total and len(odd) <= MAX_ODD:
            count = "counts" if len(odd) == 1 else "count"
            said = f"all are {self.family}s except {named}, which {count} as missing; {_REMEDY}"
            return Found(replace(found, odd=tuple(odd)), (said, *notes))
        if (self.total - self.rows) * _ODD_SHARE <= self.total and self.rows > chosen.rows:
            return Found(TEXTS, (), self._mixture(chosen, where))
        if kind is not None:
            return Found(TEXTS, (), (odd[0], f"is not a {kind}"))
        # One letter makes a number of a house or a class, as in 12a, and no unit.
        measured = self.measures.total() if all(len(unit) > 1 for unit in self.measures) else 0
        if len(self.measures) > 1 and (self.total - measured) * _ODD_SHARE <= self.total:
            units = ", ".join(map(repr, [*self.measures][:5]))
            said = f"read as categories, as its numbers have several units: {units}; write all in one"
            return Found(TEXTS, (said,))
        if self.rows * 2 > self.total >= _ODD_SHARE and len(self.texts) > 2 * len(odd):
            said = f"read as categories, as {named} are not {self.family}s; {_REMEDY_MANY}"
            return Found(TEXTS, (said,))
        return Found(TEXTS)

    def _evident(self, chosen: _Trial) -> str:
        """Return the style if the texts show it: all programs write numbers with a point, and dates alike."""
        if self.family == "number":
            return "" if chosen.style == "." and chosen.local is None else chosen.style
        return "" if all(trial.values == chosen.values for trial in self.trials) else chosen.style

    def _mixture(self, chosen: _Trial, where: Where) -> tuple[str, str]:
        """Say that cells are spelled in several ways, none of which most have."""
        each = zip(self.texts, chosen.values, self._spelled, strict=True)
        other = next(text for text, value, is_spelled in each if value is None and is_spelled)
        alike = next((t for t, v in zip(self.texts, chosen.values, strict=True) if v is not None), None)
        beside = (
            f"stands beside {_name_odd([alike], where)}" if alike is not None else "is not spelled as stated"
        )
        return other, (
            f"{beside}: the column has {self.family}s in several spellings; spell all alike, or state the "
            "type 'category' or 'ignore'"
        )


_REMEDY: Final = (
    "state the type 'category' to keep them apart, or with missing= (--missing) what means missing"
)
_REMEDY_MANY: Final = (
    "state with missing= (--missing) which of them mean missing, or the type 'category' if it is one"
)


def _name_odd(odd: Sequence[str], where: Where) -> str:
    rows = [where([text]) for text in odd[:5]]
    each = [f"{text[:40]!r}" + f" in {row}" * bool(row) for text, row in zip(odd, rows, strict=False)]
    return ", ".join(each) + f" and {len(odd) - 5} other texts" * (len(odd) > 5)


def _measures(texts: Sequence[str], counts: Sequence[int]) -> Counter[str]:
    """Return the rows of each word that stands behind numbers."""
    found: Counter[str] = Counter()
    for text, n in zip(texts, counts, strict=True):
        if unit := unit_of(text):
            found[unit] += n
    return found


def _main_unit(numerals: Sequence[Numeral | None], counts: Sequence[int]) -> str:
    """Return the most frequent unit; a currency also where most numbers lack it."""
    units: Counter[str] = Counter()
    for numeral, n in zip(numerals, counts, strict=True):
        if numeral:
            units[numeral.unit] += n
    currencies = [unit for unit, _ in units.most_common() if unit in CURRENCIES]
    main = max(units, key=units.__getitem__, default="")
    return currencies[0] if main == "" and currencies else main


def _fits(unit: str, learned: str) -> bool:
    """Return True if a number with this unit is one in the unit learned."""
    return unit == learned or (unit == "" and learned in CURRENCIES) or (learned == "" and unit in CURRENCIES)
