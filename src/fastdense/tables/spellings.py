"""Texts that spell one and the same category."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fastdense.tables.numerals import plain_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["merge", "places_of"]

_WHOLE: Final = re.compile(r"([+-]?)0*(\d+)(?:\.0*)?", re.ASCII)
_PADDED: Final = re.compile(r"[+-]?0\d.*", re.ASCII)


def _number(text: str) -> str | None:
    """Return one text for all spellings of a number or truth value, or None for other texts."""
    whole = _WHOLE.fullmatch(text)
    if whole is not None:  # exact, however many digits
        return whole[2] if whole[1] != "-" or whole[2] == "0" else f"-{whole[2]}"
    number = plain_number(text)
    if number is None:
        return None
    if text[:1] in "tTfF":
        return text.title()
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def merge(counts: Mapping[str, int]) -> dict[str, int]:
    """Add up the counts of texts that spell one number, under the most frequent spelling.

    Digits after a leading zero may be a code, so that "07" is another category than "7" if both are there.

    Examples
    --------
    >>> merge({"1": 2, "1.0": 3, "a": 1, "01": 1})
    {'1.0': 5, 'a': 1, '01': 1}
    """
    groups: dict[str, list[str]] = {}
    for text in counts:
        key = None if _PADDED.fullmatch(text) else _number(text)
        groups.setdefault(text if key is None else f"number {key}", []).append(text)
    return {
        max(texts, key=lambda text: (counts[text], text)): sum(counts[text] for text in texts)
        for texts in groups.values()
    }


def places_of(known: Iterable[str], texts: Sequence[str], *, exact: bool = False) -> list[int | None]:
    """Return each text's place among the known ones, by its spelling or else as a number; None if unknown.

    Examples
    --------
    >>> places_of(["00501", "a", "7"], ["501", "7.0", "b"]), places_of(["7"], ["7.0"], exact=True)
    ([0, 2, None], [None])
    """
    places = {text: place for place, text in enumerate(known)}
    numbers: dict[str | None, int | None] = {}
    for text, place in () if exact else places.items():
        key = _number(text)
        numbers[key] = None if key is None or key in numbers else place
    return [places[text] if text in places else numbers.get(_number(text)) for text in texts]
