"""What a measured time is made of: calls, reading and arithmetic, the longest of which is its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["KEY", "Limit", "Limited", "longest"]

Limit = Literal["calls", "memory", "arithmetic"]
LETTERS: dict[Limit, str] = {"calls": "C", "memory": "M", "arithmetic": "A"}
KEY = "C: the calls take the time; M: reading the numbers; A: the arithmetic; in brackets: under half"
"""What a table says of `Limited.letter`."""


@dataclass(frozen=True, kw_only=True)
class Limited:
    """A measured time, and what it takes at least.

    Attributes
    ----------
    seconds : float
    calls, memory, arithmetic : float or None
        The seconds that each of them takes at least: the same calls on so little that nothing else takes
        time; the bytes that go through, at the measured rate of reading data of that size; the operations,
        at the measured peak. None if it is not known, as on an accelerator.
    """

    seconds: float
    calls: float | None = None
    memory: float | None = None
    arithmetic: float | None = None

    @property
    def limit(self) -> Limit | None:
        """The longest of them."""
        return longest(self.calls, self.memory, self.arithmetic)

    @property
    def explained(self) -> float:
        """The limit's part of the time; 0 if there is none."""
        bounds = [bound for bound in (self.calls, self.memory, self.arithmetic) if bound is not None]
        return min(1.0, max(bounds, default=0.0) / self.seconds)

    @property
    def letter(self) -> str:
        """The limit's letter, in brackets if it is less than half of the time."""
        letter = " " if self.limit is None else LETTERS[self.limit]
        return f"({letter})" if self.limit and self.explained < 0.5 else f" {letter} "


def longest(calls: float | None, memory: float | None, arithmetic: float | None) -> Limit | None:
    """Return the name of the longest time, or None if none is known.

    Examples
    --------
    >>> longest(1.0, 3.0, 2.0), longest(None, None, None)
    ('memory', None)
    """
    named: dict[Limit, float | None] = {"calls": calls, "memory": memory, "arithmetic": arithmetic}
    known = [(bound, name) for name, bound in named.items() if bound is not None]
    return max(known)[1] if known else None
