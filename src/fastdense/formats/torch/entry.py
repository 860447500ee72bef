"""A chain of which the first steps may come before anything gives the number of its columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastdense.formats.chain import Chain
from fastdense.network.activations import ActivationFunction

__all__ = ["EntryChain"]


class EntryChain(Chain):
    """A chain that keeps what needs no number of columns until a step gives it: ``x / 255`` before a Linear.

    Attributes
    ----------
    has_columns : bool
        True once a step has given the number of columns, whether or not it was known.
    """

    def __init__(self, n_in: int | None, dtype: str) -> None:
        super().__init__(n_in, dtype)
        self.has_columns = False
        self._early: list[Callable[[], None]] = []

    def scale(self, factor: Any, shift: Any = 0.0) -> None:
        """Append ``x * factor + shift``; see `Chain.scale`."""
        if np.ndim(factor) or np.ndim(shift):
            super().scale(factor, shift)
        else:
            self._now_or_later(lambda: super(EntryChain, self).scale(factor, shift), self.width is None)

    def activate(self, activation: ActivationFunction | str) -> None:
        """Append ``g(x)``; see `Chain.activate`."""
        self._now_or_later(lambda: super(EntryChain, self).activate(activation))

    def dropout(self, rate: float, name: str | None = None) -> None:
        """Append a dropout; see `Chain.dropout`."""
        self._now_or_later(lambda: super(EntryChain, self).dropout(rate, name))

    def _now_or_later(self, step: Callable[[], None], later: bool = False) -> None:
        """Take a step, or keep it if it must wait or stand behind one that waits."""
        if later or self._early:
            self._early.append(step)
        else:
            step()

    def _meet(self, n_in: int | None) -> None:
        self.has_columns = True
        super()._meet(n_in)
        early, self._early = self._early, []
        for step in early:
            step()
