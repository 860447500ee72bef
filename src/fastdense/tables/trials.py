"""The texts of a column, read in each style that numbers, dates, times or durations are spelled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from fastdense.tables.moments import read_clear_dates, read_date, read_duration, read_time
from fastdense.tables.numerals import CURRENCIES, Numeral, read_number, unit_of, without_unit

__all__ = ["STYLES", "Choice", "Hint", "Trial", "Trials"]

STYLES: Final[dict[str, tuple[str, ...]]] = {
    "number": (".", ","),
    "date": ("mdy", "dmy", "ymd"),
    "time": ("",),
    "duration": ("",),
}
"""The decimal signs of numbers and the orders of dates, by what the texts are."""
_READERS: Final = {"time": read_time, "duration": read_duration}

_ODD_SHARE: Final = 10
"""One row in this many may hold texts of another kind than the others."""

Hint: TypeAlias = Callable[[], "str | None"]
"""Returns the decimal sign that the rest of the table has, or None."""


class Trial(NamedTuple):
    """Texts read in one style: their values, None for what is not so spelled, and the rows that are."""

    style: str
    unit: str
    values: list[float | None]
    rows: int
    local: str | None
    """The first text of a number that no program writes so."""


class Choice(NamedTuple):
    """A trial that reads most rows, all that read as many, and the texts that these read differently."""

    trial: Trial
    best: list[Trial]
    doubtful: list[str]


class Trials:
    """A column's texts read as numbers, or as dates and so on, in each style that these have.

    Parameters
    ----------
    family : {"number", "date", "time", "duration"}
    texts, counts : sequence of str and of int
        The distinct texts, and the number of rows with each.
    unit : str, optional
        The unit of numbers; None finds it.
    styles : sequence of str
        Some of the family's `STYLES`, all by default.

    Attributes
    ----------
    total, rows : int
        All rows, and those that are spelled in some style, whether or not they fit the others.
    spelled : list of bool
        Which texts are.
    measures : Counter of str
        The rows of each word that stands behind numbers, if the unit is to be found.
    """

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
        self.spelled = [False] * len(texts)
        self.measures = _measures(texts, counts) if family == "number" and unit is None else Counter()
        self.all = [self._try(style, unit) for style in styles or STYLES[family]]
        self.rows = sum(n for n, is_spelled in zip(counts, self.spelled, strict=True) if is_spelled)

    def are_most(self, rows: int) -> bool:
        """Return True if all but a few rows are this many."""
        return (self.total - rows) * _ODD_SHARE <= self.total

    def are_many(self) -> bool:
        """Return True if there are enough rows for a few to be odd."""
        return self.total >= _ODD_SHARE

    def choose(self, trials: Sequence[Trial], style: str, hint: Hint) -> Choice:
        """Return the trial that reads most rows; among equals the one of a style, by default the usual."""
        most = max(trial.rows for trial in trials)
        best = [trial for trial in trials if trial.rows == most]
        values = zip(self.texts, *(trial.values for trial in best), strict=True)
        doubtful = [text for text, *read in values if len(set(read)) > 1]
        wanted = style or self._usual(doubtful, hint) if doubtful else style
        return Choice(next((trial for trial in best if trial.style == wanted), best[0]), best, doubtful)

    def _usual(self, doubtful: Sequence[str], hint: Hint) -> str | None:
        """Return the style of texts that several fit."""
        if self.family == "number":
            return hint()
        return "dmy" if "-" in doubtful[0] else "mdy"  # with hyphens the month comes first nowhere

    def _try(self, style: str, unit: str | None) -> Trial:
        if self.family == "number":
            return self._try_numbers(style, unit)
        if self.family == "date":
            pairs = zip(self.texts, self._clear, strict=True)
            values = [read_date(text, style) if clear is None else clear for text, clear in pairs]
        else:
            values = list(map(_READERS[self.family], self.texts))
        self._spell(values)
        return Trial(style, "", values, self._rows_of(values), None)

    def _try_numbers(self, style: str, unit: str | None) -> Trial:
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
        return Trial(style, unit, values, self._rows_of(values), local)

    def _word(self, learned: str | None) -> str:
        """Return the word that follows the numbers: the one learned, or that of nearly all rows."""
        if learned is not None:
            return learned if unit_of(f"1 {learned}") else ""
        word, rows = max(self.measures.items(), key=lambda item: item[1], default=("", 0))
        return word if self.are_most(rows) else ""

    def _spell(self, found: Sequence[object]) -> None:
        self.spelled = [k or value is not None for k, value in zip(self.spelled, found, strict=True)]

    def _rows_of(self, values: Sequence[float | None]) -> int:
        return sum(n for n, value in zip(self.counts, values, strict=True) if value is not None)


def _measures(texts: Sequence[str], counts: Sequence[int]) -> Counter[str]:
    """Return the rows of each word that stands behind numbers."""
    found: Counter[str] = Counter()
    for text, n in zip(texts, counts, strict=True):
        if unit := unit_of(text):
            found[unit] += n
    return found


def _main_unit(numerals: Sequence[Numeral | None], counts: Sequence[int]) -> str:
    """Return the most frequent unit; a currency also if most numbers lack it."""
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
