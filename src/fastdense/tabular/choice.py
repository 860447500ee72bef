"""Which epoch of a training is the best, and what it predicts for rows that did not choose it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.tabular.scores import Score

__all__ = ["Choice"]


class Choice:
    """Keeps the best epoch so far by the rows held out, a later one of two equals.

    Each half of these rows also chooses an epoch by itself, which predicts the other half: these predictions
    are as good as those for new rows, which the best epoch's own are not.

    Parameters
    ----------
    score : Score
    y : array of shape (m,) or (m, 1)
        The targets of the rows held out.
    weights : float64 array of shape (m,)
    first_half : bool array of shape (m,)

    Attributes
    ----------
    scores : list of float
        One per epoch; lower is better.
    best : int
        The best epoch, from 0; -1 before the first has ended.
    parameters : list of tuple of array, or None
        The best epoch's.
    """

    def __init__(
        self, score: Score, y: Array, weights: NDArray[np.float64], first_half: NDArray[np.bool_]
    ) -> None:
        self.scores: list[float] = []
        self.best = -1
        self.parameters: list[tuple[Array, ...]] | None = None
        self._all = _Judge(score, y, weights, slice(None))
        self._halves = [_Judge(score, y, weights, chosen) for chosen in (first_half, ~first_half)]

    def hear(self, outputs: Array, parameters: list[tuple[Array, ...]]) -> None:
        """Take an epoch's outputs for the rows held out, of shape (m, n_out), and its parameters."""
        for half in self._halves:
            half.hear(outputs)
        if self._all.hear(outputs):
            self.best, self.parameters = len(self.scores), parameters
        self.scores.append(self._all.last)

    def honest(self) -> Array:
        """Return predictions for the rows held out, each by the epoch that the other half chose."""
        first, second = self._halves
        assert first.outputs is not None
        assert second.outputs is not None
        outputs: Array = second.outputs.copy()
        outputs[second.rows] = first.outputs[second.rows]
        return outputs


class _Judge:
    """The best outputs so far by the score of some of the rows."""

    def __init__(self, score: Score, y: Array, weights: NDArray[np.float64], rows: Any) -> None:
        self.rows = rows
        self.outputs: Array | None = None
        self.last = self._least = np.inf
        self._score, self._y, self._weights = score, y[rows], weights[rows]

    def hear(self, outputs: Array) -> bool:
        self.last = self._score(outputs[self.rows], self._y, self._weights)
        if not self.last <= self._least:
            return False
        self._least, self.outputs = self.last, outputs
        return True
