"""What may be stated about a table's cells: the decimal sign, what means missing, the order of dates."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

from fastdense.errors import TableError
from fastdense.tables.strict import check, record

__all__ = ["DECIMALS", "FIRST_MARKERS", "ORDERS", "Cells"]

DECIMALS: Final = (".", ",")
ORDERS: Final = ("ymd", "dmy", "mdy")

FIRST_MARKERS: Final = frozenset({"", "?", "na", "n/a", "nan", "nat", "null", "<na>"})
"""What meant missing in tables of description version 1, whatever the case and the blanks around it."""

_ERRORS: Final = {"#n/a", "#na", "#n/v", "#div/0!", "#value!", "#wert!", "#ref!", "#name?", "#num!", "#null!"}
_NANS: Final = {"-nan", "+nan", "nan(ind)", "-nan(ind)", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind"}
_MARKERS: Final = FIRST_MARKERS | _ERRORS | _NANS

_DASHES: Final = {"-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}"}
_DOTS: Final = {".", "..", "...", "\N{HORIZONTAL ELLIPSIS}", "*"}
_WORDS: Final = {"none", "nil", "missing", "unknown", "n.a.", "n.a", "nd", "n.d.", "k.a."}
_AMONG_NUMBERS: Final = _DASHES | _DOTS | _WORDS
"""What means missing in a column that otherwise holds numbers or dates; elsewhere each is a real answer."""

_MAX_MARKERS: Final = 1000


@dataclass(frozen=True, slots=True)
class Cells:
    """How the texts in a table's cells are to be read, if that should not be found from the data.

    Attributes
    ----------
    decimal : {".", ","} or None
        The decimal sign of numbers; None finds each column's, from the whole table if a column leaves
        it open.
    missing : tuple of str
        Further texts that mean a missing value, whatever their case.
    default_missing : bool
        Whether the usual texts mean a missing value: blanks, "?", "NA", "N/A", "NaN", "NaT", "null",
        "<NA>" and the errors of spreadsheets, such as "#N/A" and "#DIV/0!"; among numbers and dates also
        "None", "-", "." and the like. If False, only blanks and `missing` do, so that "NA" is a label.
    date_order : {"dmy", "mdy", "ymd"} or None
        The order of day, month and year in dates such as 01/02/2024; None finds each column's.
    plain : bool
        True only for tables of description version 1: numbers have a point, dates are categories, and
        a category is known by its exact spelling alone.

    Raises
    ------
    TableError
        A value is not one of these.

    Examples
    --------
    >>> Cells(missing=("n.v.",)).is_missing("N.V."), Cells(default_missing=False).is_missing("NA")
    (True, False)
    """

    decimal: str | None = None
    missing: tuple[str, ...] = ()
    default_missing: bool = True
    date_order: str | None = None
    plain: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in (None, *DECIMALS):
            raise TableError(f"decimal is '.' or ',', not {self.decimal!r}")
        if self.date_order not in (None, *ORDERS):
            raise TableError(f"date_order is 'dmy', 'mdy' or 'ymd', not {self.date_order!r}")
        given: object = self.missing
        if not isinstance(given, (tuple, list)) or not all(isinstance(text, str) for text in given):
            raise TableError(f"missing is a tuple of texts, not {given!r}")
        object.__setattr__(self, "missing", tuple(text.strip() for text in given))

    def given(self) -> dict[str, Any]:
        """Return what was stated, by name."""
        own, default = asdict(self), asdict(Cells())
        return {name: value for name, value in own.items() if value != default[name]}

    @property
    def markers(self) -> frozenset[str]:
        """The texts that mean a missing value in any column, case-folded; "" is one of them."""
        return _markers(self)[0]

    @property
    def number_markers(self) -> frozenset[str]:
        """The texts that mean a missing value in a column of numbers or dates, case-folded."""
        return _markers(self)[1]

    def is_missing(self, text: str) -> bool:
        """Return True if a trimmed text means a missing value in any column."""
        return text.casefold() in self.markers

    def is_missing_number(self, text: str) -> bool:
        """Return True if a trimmed text means a missing value in a column of numbers or dates."""
        return text.casefold() in self.number_markers

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {
            "decimal": self.decimal or "",
            "missing": list(self.missing),
            "default_missing": self.default_missing,
            "date_order": self.date_order or "",
            "plain": self.plain,
        }

    @classmethod
    def from_dict(cls, value: object) -> Cells:
        """Read what `to_dict` wrote; FormatError for anything else."""
        keys = {"decimal": str, "missing": list, "default_missing": bool, "date_order": str, "plain": bool}
        decimal, missing, default, order, plain = record(value, "cells", keys)
        check(decimal in ("", *DECIMALS), "cells: unknown decimal sign")
        check(order in ("", *ORDERS), "cells: unknown order of dates")
        texts = all(type(text) is str and text == text.strip() for text in missing)
        check(texts and len(missing) <= _MAX_MARKERS, "cells: what means missing is not a list of texts")
        return cls(decimal or None, tuple(missing), default, order or None, plain)


@lru_cache(maxsize=16)
def _markers(cells: Cells) -> tuple[frozenset[str], frozenset[str]]:
    """Return the markers of any column, and of one of numbers; asked for each text."""
    usual = (FIRST_MARKERS if cells.plain else _MARKERS) if cells.default_missing else frozenset({""})
    stated = {text.casefold() for text in cells.missing}
    among_numbers = _AMONG_NUMBERS if cells.default_missing and not cells.plain else set()
    return usual | stated, usual | stated | among_numbers
