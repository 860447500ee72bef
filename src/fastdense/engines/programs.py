"""The compiled programs of a model, each kept for as long as it is what the model would compile now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

__all__ = ["Compiled", "Programs"]

T = TypeVar("T")
Use = Literal["predict", "evaluate", "train"]


class Compiled(NamedTuple):
    """A program, or a way into it, and what it was made from: versions and specs, compared by ``==``."""

    program: Any
    made_from: tuple[Any, ...]


class Programs:
    """The programs of one model, one for each use. A copy starts without any and compiles its own.

    A program that trains is ahead of its model until the model takes over what it has come to, and is taken
    out for as long. So a call that fails drops it, and a process forked meanwhile does not find it: both go
    on from the last state that the model has.
    """

    def __init__(self) -> None:
        self._kept: dict[Use, Compiled] = {}

    def __reduce__(self) -> tuple[type[Programs], tuple[()]]:
        return Programs, ()

    def current(self, use: Use, made_from: tuple[Any, ...]) -> Any:
        """Return the program for a use, None unless it was made from the same; another one is dropped."""
        kept = self._kept.get(use)  # another thread may put a newer one in its place at any time
        if kept is not None and kept.made_from == made_from:
            return kept.program
        self._kept.pop(use, None)
        return None

    def get(self, use: Use, made_from: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return the program for a use, made and kept if there is none that was made from the same."""
        found: T | None = self.current(use, made_from)
        if found is None:
            found = make()
            self.keep(use, Compiled(found, made_from))
        return found

    def keep(self, use: Use, compiled: Compiled) -> None:
        """Keep a program for a use."""
        self._kept[use] = compiled

    def drop(self, use: Use) -> None:
        """Let go of the program for a use, and of all that it was made from."""
        self._kept.pop(use, None)

    def take(self, use: Use, made_from: tuple[Any, ...], make: Callable[[], Any]) -> Compiled:
        """Return what `get` does with what it was made from, and keep it no more."""
        kept = self._kept.pop(use, None)
        if kept is not None and kept.made_from == made_from:
            return kept
        del kept  # freed before another is made: both are large
        return Compiled(make(), made_from)
