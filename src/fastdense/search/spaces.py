"""What a parameter may be: ranges and choices that random searches and Optuna draw from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

from fastdense.core.checks import LARGEST, number, whole

__all__ = ["Choice", "Range", "choice", "integers", "log_uniform", "suggested", "uniform"]


@dataclass(frozen=True)
class Range:
    """Numbers between two ends; scikit-learn's samplers draw from it as from a distribution of SciPy.

    Attributes
    ----------
    low, high : float
        The ends; of whole numbers, both belong to the range.
    log : bool
        True if the logarithm is spread evenly, and not the number.
    whole : bool
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def rvs(self, *, random_state: Any) -> float | int:
        """Return a number drawn with a RandomState or a Generator of NumPy."""
        share = random_state.uniform()
        low, high = self.low, self.high + self.whole
        drawn = low * (high / low) ** share if self.log else low + (high - low) * share
        drawn = min(max(drawn, self.low), high)
        return min(math.floor(drawn), int(self.high)) if self.whole else float(drawn)

    def suggest(self, trial: Any, name: str) -> float | int:
        """Return what a trial of Optuna suggests."""
        if self.whole:
            return int(trial.suggest_int(name, int(self.low), int(self.high), log=self.log))
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))

    def __repr__(self) -> str:
        if self.whole:
            return f"integers({self.low}, {self.high}{', log=True' if self.log else ''})"
        return f"{'log_uniform' if self.log else 'uniform'}({self.low!r}, {self.high!r})"


class Choice(Sequence[Any]):
    """Some values, each as likely as the others; a list to scikit-learn's grids and samplers.

    Parameters
    ----------
    values : sequence
        Not empty.
    """

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = tuple(values)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        return self._values[place]

    def __len__(self) -> int:
        return len(self._values)

    def suggest(self, trial: Any, name: str) -> Any:
        """Return what a trial of Optuna suggests; values that are not plain are given to it as text."""
        plain = all(isinstance(value, bool | int | float | str | None) for value in self._values)
        labels = list(self._values) if plain else [repr(value) for value in self._values]
        return self._values[labels.index(trial.suggest_categorical(name, labels))]

    def __repr__(self) -> str:
        return f"choice({list(self._values)!r})"


def uniform(low: float, high: float) -> Range:
    """Return the numbers between two ends, all equally likely.

    Parameters
    ----------
    low, high : float
        ``low`` is below ``high``.

    Examples
    --------
    >>> import fastdense as fd
    >>> fd.search.uniform(0.0, 0.5)
    uniform(0.0, 0.5)
    """
    return Range(*_ends("uniform", float(number("low", low)), float(number("high", high))))


def log_uniform(low: float, high: float) -> Range:
    """Return the numbers between two ends, each decade as likely as the others.

    Parameters
    ----------
    low, high : float
        Above 0; ``low`` is below ``high``.

    Examples
    --------
    >>> import fastdense as fd
    >>> fd.search.log_uniform(1e-4, 1e-1)
    log_uniform(0.0001, 0.1)
    """
    ends = _ends("log_uniform", float(number("low", low)), float(number("high", high)))
    if not ends[0] > 0:
        raise ValueError(f"log_uniform needs a low end above 0, got {low!r}")
    return Range(*ends, log=True)


def integers(low: int, high: int, log: bool = False) -> Range:
    """Return the whole numbers from ``low`` to ``high``, both among them.

    Parameters
    ----------
    low, high : int
        ``low`` is below ``high``.
    log : bool
        True if each decade is as likely as the others; ``low`` is then at least 1.

    Examples
    --------
    >>> import fastdense as fd
    >>> fd.search.integers(8, 256, log=True)
    integers(8, 256, log=True)
    """
    ends = _ends("integers", whole("low", low, 1 if log else -LARGEST), whole("high", high, -LARGEST))
    return Range(*ends, log=log, whole=True)


def choice(values: Iterable[Any]) -> Choice:
    """Return some values, each as likely as the others.

    Parameters
    ----------
    values : iterable
        Not empty.

    Examples
    --------
    >>> import fastdense as fd
    >>> fd.search.choice([(32,), (64, 64)])
    choice([(32,), (64, 64)])
    """
    if isinstance(values, str) or not (found := list(values)):
        raise ValueError(f"choice needs a list of values that is not empty, got {values!r}")
    return Choice(found)


def _ends(kind: str, low: Any, high: Any) -> tuple[Any, Any]:
    if not low < high:
        raise ValueError(f"{kind} needs a low end below the high one, got {low!r} and {high!r}")
    return low, high


def suggested(trial: Any, space: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that a trial of Optuna suggests for a space."""
    return {
        name: (values if isinstance(values, Range | Choice) else choice(values)).suggest(trial, name)
        for name, values in space.items()
    }
