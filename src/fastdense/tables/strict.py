"""Checks on descriptions that come from untrusted files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastdense.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check", "record"]


def record(value: object, what: str, keys: Mapping[str, type]) -> list[Any]:
    """Return a JSON object's values in the order of `keys`, which it must have exactly.

    Types are compared exactly: True is not a number and 1 is not a float, so what loads is what was saved.

    Raises
    ------
    FormatError
        It is not an object, lacks a key, has one more, or holds a value of another type.

    Examples
    --------
    >>> record({"name": "age", "center": 37.0}, "column", {"name": str, "center": float})
    ['age', 37.0]
    """
    if type(value) is not dict:
        raise FormatError(f"table, {what}: expected an object, found {type(value).__name__}")
    if value.keys() != keys.keys():
        wrong = sorted(map(repr, value.keys() ^ keys.keys()))
        raise FormatError(f"table, {what}: unknown or absent keys {', '.join(wrong)[:200]}")
    for key, kind in keys.items():
        found = type(value[key])
        check(found is kind, f"{what}: {key!r} should be {kind.__name__}, is {found.__name__}")
    return [value[key] for key in keys]


def check(holds: bool, message: str) -> None:
    """Refuse a description that breaks a rule.

    Raises
    ------
    FormatError
        `holds` is false.
    """
    if not holds:
        raise FormatError(f"table, {message}")
