"""What the texts of a column are: numbers, dates, times or categories, and in which spelling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias

from fastdense.tables.cells import Cells
from fastdense.tables.numerals import are_codes, is_unit, plain_number, read_number, unit_of
from fastdense.tables.strict import check, record
from fastdense.tables.trials import STYLES, Choice, Hint, Trial, Trials

__all__ = ["PLAIN", "TEXTS", "Found", "Reading", "decimal_of", "find_reading", "follow"]

MAX_ODD: Final = 64
"""Most different texts in a column of numbers or dates that count as missing; more are something else."""

_SAMPLE: Final = 1000
"""Texts of a column that show whether the others are worth a look."""

_FAMILIES: Final[dict[str | None, tuple[str, ...]]] = {
    None: ("number", "date", "time", "duration"),
    "number": ("number", "date", "time", "duration"),
    "date": ("date",),
    "time": ("time",),
}
_ORDERS: Final = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
_REMEDY: Final = (
    "state the type 'category' to keep them apart, or with missing= (--missing) what means missing"
)
_REMEDY_MANY: Final = (
    "state with missing= (--missing) which of them mean missing, or the type 'category' if it is one"
)

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
        check(style in ("", *STYLES[kind]), f"reading: unknown style {style[:40]!r}")
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
    best: Trials | None = None
    for family in families:
        tried = Trials(family, body, rows)
        if best is None or tried.rows > best.rows:
            best = tried
        if best.rows == best.total:
            break
    return Found(TEXTS) if best is None else _judge(best, cells, kind, hint, where)


def _is_likely(family: str, texts: Sequence[str]) -> bool:
    """Return True unless a sample of many texts has few of these: reading all takes microseconds each."""
    if len(texts) <= _SAMPLE:
        return True
    sample = texts[:: len(texts) // _SAMPLE]
    return Trials(family, sample, [1] * len(sample)).rows * 4 > len(sample)


def follow(
    learned: Reading, texts: Sequence[str], counts: Sequence[int], cells: Cells, hint: Hint
) -> tuple[list[float | None], tuple[str, ...]]:
    """Read the texts of a further table by what was learned; NaN is missing, None what cannot be read.

    The style learned counts if the texts leave it open; if they do not, they are read in their own.

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
    spelled = Trials(learned.kind, body, rows, learned.unit, (learned.style,) * bool(learned.style))
    if learned.style and spelled.all[0].rows < spelled.total:
        spelled = Trials(learned.kind, body, rows, learned.unit)
    choice = spelled.choose(spelled.all, learned.style, hint)
    values: list[float | None] = [float("nan")] * len(texts)
    for k, value in zip(present, choice.trial.values, strict=True):
        values[k] = value
    return values, _spelling(spelled, choice) if choice.doubtful and not learned.style else ()


def decimal_of(texts: Sequence[str]) -> str | None:
    """Return the decimal sign of a column's texts, or None if they are not numbers or leave it open.

    Examples
    --------
    >>> decimal_of(["1,5", "2"]), decimal_of(["1,234", "2"]), decimal_of(["1,5", "a"])
    (',', None, None)
    """
    found = [style for style in STYLES["number"] if all(read_number(text, style) for text in texts)]
    return found[0] if len(found) == 1 else None


def _judge(trials: Trials, cells: Cells, kind: str | None, hint: Hint, where: Where) -> Found:
    """Choose a style, and say or refuse what is odd."""
    stated = {"number": cells.decimal, "date": cells.date_order}.get(trials.family)
    choice = trials.choose([trial for trial in trials.all if stated in (None, trial.style)], "", hint)
    chosen = choice.trial
    notes = () if stated else _spelling(trials, choice)
    odd = [text for text, value in zip(trials.texts, chosen.values, strict=True) if value is None]
    found = Reading(trials.family, _evident(trials, chosen), chosen.unit)
    if not odd:
        return Found(found, notes)
    if trials.are_most(chosen.rows) and len(odd) <= MAX_ODD:
        count = "counts" if len(odd) == 1 else "count"
        said = f"all are {trials.family}s except {_name_odd(odd, where)}, which {count} as missing; {_REMEDY}"
        return Found(replace(found, odd=tuple(odd)), (said, *notes))
    if trials.are_most(trials.rows) and trials.rows > chosen.rows:
        return Found(TEXTS, (), _mixture(trials, chosen, where))
    if kind is not None:
        return Found(TEXTS, (), (odd[0], f"is not a {kind}"))
    return Found(TEXTS, _why_categories(trials, odd, where))


def _spelling(trials: Trials, choice: Choice) -> tuple[str, ...]:
    """Say how texts are read that may be read otherwise, and numbers that no program writes."""
    chosen, best, doubtful = choice
    other = next((trial.style for trial in best if trial is not chosen), "")
    if trials.family == "date":
        return tuple(
            f"{text[:40]!r} is read as {_ORDERS[chosen.style]}; date_order={other!r} "
            f"(--date-order {other}) reads {_ORDERS[other]}"
            for text in doubtful[:1]
        )
    values = dict(zip(trials.texts, chosen.values, strict=True))
    unlike = [text for text in doubtful if plain_number(text) != values[text]]
    if chosen.local is None and not unlike:
        return ()
    shown = unlike[0] if unlike else str(chosen.local)
    more = f"; decimal={other!r} (--decimal {other}) reads it otherwise" if unlike else ""
    unit = f" {chosen.unit}" if unit_of(f"1 {chosen.unit}") else ""
    return (f"{shown[:40]!r} is read as {values[shown]:.10g}{unit}{more}",)


def _evident(trials: Trials, chosen: Trial) -> str:
    """Return the style if the texts show it: all programs write numbers with a point, and dates alike."""
    if trials.family == "number":
        return "" if chosen.style == "." and chosen.local is None else chosen.style
    return "" if all(trial.values == chosen.values for trial in trials.all) else chosen.style


def _mixture(trials: Trials, chosen: Trial, where: Where) -> tuple[str, str]:
    """Say that cells are spelled in several ways, none of which most have."""
    each = zip(trials.texts, chosen.values, trials.spelled, strict=True)
    other = next(text for text, value, is_spelled in each if value is None and is_spelled)
    alike = next((t for t, v in zip(trials.texts, chosen.values, strict=True) if v is not None), None)
    beside = f"stands beside {_name_odd([alike], where)}" if alike is not None else "is not spelled as stated"
    return other, (
        f"{beside}: the column has {trials.family}s in several spellings; spell all alike, or state the "
        "type 'category' or 'ignore'"
    )


def _why_categories(trials: Trials, odd: Sequence[str], where: Where) -> tuple[str, ...]:
    """Say why a column with many cells of another kind is of categories."""
    # One letter makes a number of a house or a class, as in 12a, and no unit.
    measured = trials.measures.total() if all(len(unit) > 1 for unit in trials.measures) else 0
    if len(trials.measures) > 1 and trials.are_most(measured):
        units = ", ".join(map(repr, [*trials.measures][:5]))
        return (f"read as categories, as its numbers have several units: {units}; write all in one",)
    if trials.rows * 2 > trials.total and trials.are_many() and len(trials.texts) > 2 * len(odd):
        named = _name_odd(odd, where)
        return (f"read as categories, as {named} are not {trials.family}s; {_REMEDY_MANY}",)
    return ()


def _name_odd(odd: Sequence[str], where: Where) -> str:
    rows = [where([text]) for text in odd[:5]]
    each = [f"{text[:40]!r}" + f" in {row}" * bool(row) for text, row in zip(odd, rows, strict=False)]
    return ", ".join(each) + f" and {len(odd) - 5} other texts" * (len(odd) > 5)
