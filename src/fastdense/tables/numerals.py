"""Numbers as people spell them: either decimal sign, thousands, percent, currencies, units, parentheses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CURRENCIES",
    "Numeral",
    "are_codes",
    "is_open",
    "is_unit",
    "plain_number",
    "read_number",
    "unit_of",
    "without_unit",
]

# Python's float() also takes "1_000" and digits of other scripts, which a table rarely means as numbers.
# Infinity matches, so that it is reported as infinity and does not turn its column into categories.
_PLAIN: Final = re.compile(
    r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
_TRUTH: Final = {"true": 1.0, "false": 0.0}

_SIGN: Final = "[+\\-\N{MINUS SIGN}]"
_BLANKS: Final = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
_APOSTROPHES: Final = "'\N{RIGHT SINGLE QUOTATION MARK}"
_CODES: Final = "USD EUR GBP CHF JPY CNY INR CAD AUD NZD SEK NOK DKK PLN CZK HUF BRL MXN ZAR TRY RUB KRW"
_SYMBOLS: Final = (
    "$\N{EURO SIGN}\N{POUND SIGN}\N{YEN SIGN}\N{INDIAN RUPEE SIGN}\N{RUBLE SIGN}\N{WON SIGN}\N{CENT SIGN}"
)
CURRENCIES: Final = frozenset([*_SYMBOLS, *_CODES.split()])
"""Units that say what a number counts and leave its value alone, as "%" does not."""

_SIGNS: Final = CURRENCIES | {"%", "\N{PER MILLE SIGN}"}
# Another unit is a word behind the number: kg, km/h, m², °C. AM and PM are of times of day.
_WORD: Final = r"(?!(?:[ap]m|[ap]\.m\.?)$)\N{DEGREE SIGN}?[^\W\d_][^\s\d.,;]{0,11}"
_MEASURE: Final = re.compile(rf"(?P<number>.*\d)[{_BLANKS}]*(?P<unit>{_WORD})", re.IGNORECASE)


class Numeral(NamedTuple):
    """A number that a text spells.

    Attributes
    ----------
    value : float
        As written: "5 %" is 5.
    unit : str
        "", the sign or code of a currency, "%" or the sign for per mille; other units are not parts of a
        number, see `unit_of`.
    plain : bool
        Whether programs write the number so.
    """

    value: float
    unit: str = ""
    plain: bool = False


def _pattern(decimal: str, separator: str) -> re.Pattern[str]:
    thousands = rf"[1-9]\d{{0,2}}(?P<group>[{separator}{_BLANKS}{_APOSTROPHES}])\d{{3}}(?:(?P=group)\d{{3}})*"
    lakhs = r"|[1-9]\d?(?:,\d\d)+,\d{3}" if separator == "," else ""
    body = rf"(?:(?:{thousands}{lakhs}|\d+)(?:[{decimal}]\d*)?|[{decimal}]\d+)(?:e[+-]?\d+)?"
    unit = "|".join(map(re.escape, sorted(_SIGNS)))
    return re.compile(
        rf"(?P<open>\()?(?P<sign>{_SIGN})?(?:(?P<before>{unit})[{_BLANKS}]*)?(?P<inner>{_SIGN})?"
        rf"(?P<body>{body})(?:[{_BLANKS}]*(?P<after>{unit}))?(?P<close>\))?",
        re.ASCII | re.IGNORECASE,
    )


_PATTERNS: Final = {".": _pattern(".", ","), ",": _pattern(",", ".")}
_REMOVED: Final = {
    decimal: str.maketrans({**dict.fromkeys(f"{other}{_BLANKS}{_APOSTROPHES}"), decimal: "."})
    for decimal, other in (".,", ",.")
}


def plain_number(text: str) -> float | None:
    """Return the number, or the truth value as 1 or 0, that a text spells as programs do, or None.

    Examples
    --------
    >>> plain_number("-1.5e3"), plain_number("True"), plain_number("1,5")
    (-1500.0, 1.0, None)
    """
    return float(text) if _PLAIN.fullmatch(text) else _TRUTH.get(text.casefold())


def read_number(text: str, decimal: str) -> Numeral | None:
    """Return the number that a trimmed text spells with a decimal sign, "." or ",", or None.

    Examples
    --------
    >>> read_number("1,234.5", ".").value, read_number("1.234,5", ",").value, read_number("1.5", ",")
    (1234.5, 1234.5, None)
    >>> read_number("(5 %)", ".")
    Numeral(value=-5.0, unit='%', plain=False)
    """
    if decimal == "." or "." not in text:
        number = plain_number(text)
        if number is not None:
            return Numeral(number, "", True)
    found = _PATTERNS[decimal].fullmatch(text)
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    signs = [sign for sign in (found["open"], found["sign"], found["inner"]) if sign]
    units = [unit.upper() for unit in (found["before"], found["after"]) if unit]
    # "+49 301 234" is a telephone number.
    if len(signs) > 1 or len(units) > 1 or (signs == ["+"] and found["group"]):
        return None
    value = float(found["body"].translate(_REMOVED[decimal]))
    negative = bool(signs) and signs[0] != "+"
    return Numeral(-value if negative else value, units[0] if units else "")


def is_open(text: str) -> bool:
    """Return True if the decimal sign decides which number a text spells.

    Examples
    --------
    >>> is_open("1.234"), is_open("1,234"), is_open("12.34"), is_open("1234")
    (True, True, False, False)
    """
    if "." not in text and "," not in text:
        return False
    point, comma = read_number(text, "."), read_number(text, ",")
    return point is not None and comma is not None and point.value != comma.value


def are_codes(texts: Sequence[str]) -> bool:
    """Return True if all texts are digits padded to one length, as postal codes are and numbers are not.

    Examples
    --------
    >>> are_codes(["00501", "94110"]), are_codes(["007", "12"]), are_codes(["501", "941"])
    (True, False, False)
    """
    if not any(text.startswith("0") and len(text) > 1 for text in texts):
        return False
    return len(set(map(len, texts))) == 1 and all(text.isascii() and text.isdigit() for text in texts)


def is_unit(text: str) -> bool:
    """Return True if a text is a unit that numbers may be written with.

    Examples
    --------
    >>> is_unit("%"), is_unit("EUR"), is_unit("km/h"), is_unit("a b")
    (True, True, True, False)
    """
    return text in _SIGNS or re.fullmatch(_WORD, text, re.IGNORECASE) is not None


def unit_of(text: str) -> str:
    """Return the word behind the number that a text is, or "" if it is not a number and a word.

    Examples
    --------
    >>> unit_of("1,5 kg"), unit_of("12km/h"), unit_of("5 %"), unit_of("size 12 M"), unit_of("5 PM")
    ('kg', 'km/h', '', '', '')
    """
    found = _MEASURE.fullmatch(text)
    if found is None or found["unit"].upper() in _SIGNS:
        return ""
    return found["unit"] if any(read_number(found["number"], sign) for sign in ".,") else ""


def without_unit(text: str, unit: str) -> str:
    """Return a text without the word at its end, and the blanks before it.

    Examples
    --------
    >>> without_unit("1,5 kg", "kg"), without_unit("1,5", "kg"), without_unit("2 g", "")
    ('1,5', '1,5', '2 g')
    """
    return text.removesuffix(unit).rstrip(_BLANKS) if unit else text
