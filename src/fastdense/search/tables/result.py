"""What a search of a table came to."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastdense.insight.figures import save_figure
from fastdense.insight.searched import Course, draw
from fastdense.models.sequential import Sequential
from fastdense.search.tables.heats import Rung
from fastdense.search.tables.ledger import Ledger
from fastdense.search.tables.measures import Measure
from fastdense.tabular import Recipe

__all__ = ["TableSearch"]


@dataclass(frozen=True, eq=False, repr=False)
class TableSearch:
    """What `search_table` returns.

    Attributes
    ----------
    target : str
    measure : Measure
        The score's ``name``, and whether a ``larger`` one is better.
    recipes : list of Recipe
        All candidates; the first is the plain recipe.
    rungs : list of Rung
        For each number of epochs how many candidates were scored after it, and the best.
    best : int
        The number of the best candidate of those with the most epochs.
    model : Sequential or None
        The best recipe, trained as by `train_table` with the same test; None if Ctrl-C came before it was.
    reason : str
        Why not all candidates were tried: "time" or "Ctrl-C"; "" if they were.
    ledger : Ledger
        Every score on every fold.
    """

    target: str
    measure: Measure
    recipes: Sequence[Recipe]
    rungs: Sequence[Rung]
    best: int
    model: Sequential | None
    reason: str
    ledger: Ledger

    @property
    def ranking(self) -> list[int]:
        """The candidates that were scored on all folds, by number: most epochs first, then by mean score."""
        last = {number: self.rung(number) for number in range(len(self.recipes))}
        scored = [number for number, rung in last.items() if rung is not None]
        return sorted(scored, key=lambda n: (-(last[n] or 0), self.measure.order(self.score(n)), n))

    def rung(self, number: int) -> int | None:
        """Return the last rung, from 0, after which a candidate was scored on all folds; None without any."""
        rungs = [k for k, rung in enumerate(self.rungs) if self.ledger.is_whole(number, rung.epochs)]
        return max(rungs, default=None)

    def score(self, number: int) -> float:
        """Return a candidate's mean score after its last rung, NaN without one."""
        rung = self.rung(number)
        return math.nan if rung is None else float(self.ledger.scores(number, self.rungs[rung].epochs).mean())

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for every candidate, those that were scored first and by their rank.

        Each has the rank, the candidate's number and recipe, the epochs and rung (from 1) that it came to,
        the score's mean and standard deviation over the folds and each fold's, and an error if there was one.
        """
        ranked = self.ranking
        others = [number for number in range(len(self.recipes)) if number not in set(ranked)]
        rows = [self._row(number, rank) for rank, number in enumerate(ranked, start=1)]
        return rows + [self._row(number, None) for number in others]

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Save a picture of every candidate's score against its epochs, as .png or .svg."""
        save_figure(self.draw, path)

    def draw(self) -> Any:
        """Return the picture as a figure of matplotlib's."""
        name = self.measure.name if self.measure.name == "log loss" else self.measure.name.upper()
        title, courses = f"Search for {self.target!r}", list(map(self._course, range(len(self.recipes))))
        return draw(title, courses, self.best, "the plain recipe", name, self.measure.larger)

    def __repr__(self) -> str:
        scored = f"{len(self.ranking):,} of {len(self.recipes):,} candidates"
        best = f"best {self.measure.name} {self.score(self.best):.6g}, of candidate {self.best}"
        return f"TableSearch({self.target!r}: {scored}, {best})"

    def _course(self, number: int) -> Course:
        epochs = [rung.epochs for rung in self.rungs if self.ledger.is_whole(number, rung.epochs)]
        return Course(epochs, [float(self.ledger.scores(number, each).mean()) for each in epochs])

    def _row(self, number: int, rank: int | None) -> dict[str, Any]:
        recipe, rung = self.recipes[number], self.rung(number)
        epochs = self.rungs[rung or 0].epochs
        scores, name = self.ledger.scores(number, epochs), self.measure.name
        return {
            "rank": rank,
            "candidate": number,
            "hidden": ",".join(map(str, recipe.hidden)),
            "learning_rate": recipe.learning_rate,
            "weight_decay": recipe.weight_decay,
            "dropout": recipe.dropout,
            "batch_size": recipe.batch_size,
            "epochs": None if rung is None else epochs,
            "rung": None if rung is None else rung + 1,
            f"mean {name}": self.score(number),
            f"std {name}": float(scores.std()),
            **{f"{name}, fold {k}": float(score) for k, score in enumerate(scores, start=1)},
            "error": self.ledger.error(number, epochs),
        }
