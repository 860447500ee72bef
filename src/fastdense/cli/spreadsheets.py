"""Cells that a spreadsheet program would run: found, and made text.

A program such as Excel takes a cell of a CSV file for a formula by its first character, and a formula may
send other cells elsewhere or start programs (OWASP, "CSV Injection").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["count_formulas", "without_formulas"]

_FORMULA = re.compile(r"[=+\-@\t\r\uff0b\uff0d\uff1d\uff20]")  # the last four are wide forms, which count too
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def _is_formula(cell: Any) -> bool:
    return isinstance(cell, str) and bool(_FORMULA.match(cell)) and not _NUMBER.fullmatch(cell)


def count_formulas(cells: Sequence[Any]) -> int:
    """Return the number of cells that are texts and look like formulas.

    Examples
    --------
    >>> count_formulas(["=1+1", "-1.5", "yes", -1.5])
    1
    """
    return sum(map(_is_formula, cells))


def without_formulas(cells: Sequence[Any]) -> list[Any]:
    """Return cells with an apostrophe before each that looks like a formula, which is then shown as text.

    Examples
    --------
    >>> without_formulas(["=1+1", "yes", -1.5])
    ["'=1+1", 'yes', -1.5]
    """
    return [f"'{cell}" if _is_formula(cell) else cell for cell in cells]
