"""Numbers with units that read well."""

from __future__ import annotations

import numpy as np

__all__ = ["count", "digits", "duration", "ratio", "size_text"]


def duration(seconds: float) -> str:
    """Return a time with its unit, to three digits.

    Examples
    --------
    >>> duration(0.0123), duration(4.56e-6), duration(7.8e-10)
    ('12.3 ms', '4.56 us', '0.78 ns')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= 0.9995 * size:
            return f"{digits(seconds / size)} {unit}"
    return f"{digits(seconds / 1e-9)} ns"


def count(number: int, noun: str) -> str:
    """Return a number of things with their noun.

    Examples
    --------
    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ratio(value: float) -> str:
    """Return a speed-up.

    Examples
    --------
    >>> ratio(1.0), ratio(3.14159), ratio(12345.6)
    ('1.0x', '3.1x', '12,346x')
    """
    return f"{value:.1f}x" if value < 99.95 else f"{value:,.0f}x"


def size_text(size: int) -> str:
    """Return a size in bytes with its unit, to three digits.

    Examples
    --------
    >>> size_text(100), size_text(16384), size_text(2**28), size_text(1234567)
    ('100 B', '16 KB', '256 MB', '1.18 MB')
    """
    for unit, each in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if size >= each:
            return f"{size / each:.3g} {unit}" if size < 1000 * each else f"{size / each:,.0f} {unit}"
    return f"{size} B"


def digits(value: float) -> str:
    """Return a positive number to three digits, or two below one, never as a power of ten.

    Examples
    --------
    >>> digits(1234.5), digits(1.5), digits(0.0000123)
    ('1,234', '1.50', '0.000012')
    """
    if value >= 99.95:
        return f"{value:,.0f}"
    text = f"{value:#.3g}" if value >= 0.9995 else f"{value:#.2g}"
    return np.format_float_positional(float(text)) if "e" in text else text
