"""A library's functions for slopes that the library itself may differentiate once more."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

__all__ = ["smooth"]


def smooth(xp: Any, sigmoid: Callable[[Any], Any]) -> SimpleNamespace:
    """Return the functions of ``xp`` and the library's own sigmoid, whose derivative at 0 is right.

    `fastdense.array` takes it for slopes if there is one. Its own formula keeps more digits, and is what
    training goes by, but it is in two parts that meet at 0, where a library's way through it is wrong.
    """
    return SimpleNamespace(**{name: getattr(xp, name) for name in xp.__all__}, sigmoid=sigmoid)
