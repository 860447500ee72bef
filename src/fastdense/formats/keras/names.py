"""How Keras names the groups of its weights, which is not by the layers' own names."""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["Groups"]


class Groups:
    """The groups of the layers' weights: the classes' names, numbered where one comes again.

    Examples
    --------
    >>> groups = Groups()
    >>> [groups.next(name) for name in ("Dense", "BatchNormalization", "LeakyReLU", "Dense")]
    ['dense', 'batch_normalization', 'leaky_re_lu', 'dense_1']
    """

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def next(self, class_name: str) -> str:
        """Return the group of the next layer of a class."""
        stem = _snake_case(class_name)
        self._taken[stem] += 1
        count = self._taken[stem] - 1
        return f"{stem}_{count}" if count else stem


def _snake_case(name: str) -> str:
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
