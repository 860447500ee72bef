"""The names of a model's layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fastdense.layers.base import Layer

__all__ = ["Names"]


class Names:
    """The names that a model's layers have taken, and the next free ones."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.taken = {layer.name: layer for layer in layers}
        self._numbers: Counter[str] = Counter()  # below which all are taken, of each stem

    def free(self, stem: str) -> str:
        """Return the stem, or the first of ``stem_1``, ``stem_2``... that is free."""
        while (name := f"{stem}_{number}" if (number := self._numbers[stem]) else stem) in self.taken:
            self._numbers[stem] += 1
        return name
