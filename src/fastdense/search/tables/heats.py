"""Successive halving in heats: candidates get a few epochs, the better ones more, the best all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from fastdense.engines.jobs import Fitting, together
from fastdense.errors import FastdenseError
from fastdense.native import get_threads
from fastdense.search.tables.folds import Fold
from fastdense.search.tables.ledger import Entry, Ledger, Place
from fastdense.search.tables.measures import Measure
from fastdense.search.tables.trial import TableTrial
from fastdense.tabular import Recipe

__all__ = ["Heats", "Rung", "Watcher", "rungs_of"]

_FACTOR: Final = 3
"""A candidate in three goes on, for three times as many epochs."""

_RUNGS: Final = 3
"""Three at most: after less than a ninth of its epochs a network is still warming up."""

_HEAT: Final = _FACTOR**_RUNGS
"""The most candidates of a heat."""


@dataclass
class Rung:
    """What all heats together came to after so many epochs.

    Attributes
    ----------
    epochs : int
    candidates : int
        That have been scored on all folds.
    best : int or None
        The number of the best of them.
    score : float
        Its mean score.
    seconds : float
    """

    epochs: int
    candidates: int = 0
    best: int | None = None
    score: float = math.nan
    seconds: float = 0.0


class Watcher:
    """What a search tells of its progress; this one shows nothing."""

    def begin(self, measure: Measure) -> None:
        """Be told what candidates are compared by."""

    def scored(self, rungs: Sequence[Rung], rung: int) -> None:
        """Be told that a candidate has been scored on a fold, in a rung numbered from 0."""

    def rung_ended(self, rungs: Sequence[Rung], rung: int) -> None:
        """Be told that a heat has come to the end of a rung."""


def rungs_of(epochs: int) -> list[int]:
    """Return the epochs of every rung: those of the last one, a third, and a ninth, in rising order.

    Examples
    --------
    >>> rungs_of(60), rungs_of(2)
    ([7, 20, 60], [1, 2])
    """
    return sorted({max(1, round(epochs / _FACTOR**k)) for k in range(_RUNGS)})


class Heats:
    """Candidates in heats of up to 27, each halved on its own.

    The first heat ends long before the last one begins, so that there are candidates with all of their
    epochs whenever time runs out; and few networks are kept at a time. Candidate 0 is promoted whatever it
    scores, and so can be compared with the best.

    Parameters
    ----------
    folds : sequence of Fold
    recipes : sequence of Recipe
        The candidates, all of the same epochs.
    measure : Measure
    ledger : Ledger
    seed : int
    threads : int, optional
    watcher : Watcher

    References
    ----------
    K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization",
    2016.
    """

    def __init__(
        self,
        folds: Sequence[Fold],
        recipes: Sequence[Recipe],
        measure: Measure,
        ledger: Ledger,
        seed: int,
        threads: int | None,
        watcher: Watcher,
    ) -> None:
        self._folds, self._recipes, self._measure, self._ledger = folds, recipes, measure, ledger
        self._seed, self._threads, self._watcher = seed, threads, watcher
        self.rungs = [Rung(epochs) for epochs in rungs_of(recipes[0].times(1))]
        self._trials: dict[tuple[int, int], TableTrial] = {}
        self._spent, self._work = 0.0, 0.0  # the seconds of all rungs, and what they cost

    def run(self, until: float = math.inf) -> bool:
        """Run all heats; return False if time ran out before.

        Parameters
        ----------
        until : float
            When the best one must be trained again, by `time.monotonic`; the time for that is kept.
        """
        heats = np.array_split(np.arange(len(self._recipes)), -(-len(self._recipes) // _HEAT))
        for heat in heats:
            running = [int(candidate) for candidate in heat]
            for number in range(len(self.rungs)):
                if not self._climb(running, number, until):
                    return False
                self._watcher.rung_ended(self.rungs, number)
                running = self._promoted(running, self.rungs[number].epochs)
            self._trials.clear()
        return True

    @property
    def best(self) -> int | None:
        """The number of the best candidate of those with the most epochs, None without any."""
        return next((rung.best for rung in reversed(self.rungs) if rung.best is not None), None)

    def seconds_of_best(self) -> float:
        """Return about how long one thread takes to train the best candidate on the rows of all folds."""
        if self.best is None or not self._work:
            return 0.0
        rows = len(self._folds) / (len(self._folds) - 1)  # as many times those of a fold
        one = self._spent * (self._threads or get_threads()) / self._work
        return one * rows * self._cost(self.best, self.rungs[-1].epochs)

    def _climb(self, running: Sequence[int], number: int, until: float) -> bool:
        """Train candidates up to a rung, and score them on all folds; return False if time ran out.

        A candidate's folds come one after another, so that time that runs out leaves whole candidates; the
        longest come first, so that no thread is left with a long one at the end.
        """
        rung, clock = self.rungs[number], time.monotonic()
        ordered = sorted(running, key=lambda candidate: (candidate > 0, -self._cost(candidate, 1)))
        every = [Place(c, fold, rung.epochs) for c in ordered for fold in range(len(self._folds))]
        places = [place for place in every if place not in self._ledger]
        left, gained = len(places), rung.epochs - (self.rungs[number - 1].epochs if number else 0)
        for candidate in ordered:
            self._stand(rung, candidate)
        for at, found in together(self._fittings(places), self._threads, until - self.seconds_of_best()):
            if isinstance(found, Exception):
                raise found
            self._ledger.add(places[at], found)
            left -= 1
            self._stand(rung, places[at].candidate)
            self._work += self._cost(places[at].candidate, gained)
            seconds, clock = time.monotonic() - clock, time.monotonic()
            rung.seconds += seconds
            self._spent += seconds
            self._watcher.scored(self.rungs, number)
            if left and clock > until - self.seconds_of_best():  # known only since the first has ended
                break
        return not left

    def _fittings(self, places: Sequence[Place]) -> Iterator[Fitting[Entry]]:
        for place in places:
            yield self._fitting(place)

    def _fitting(self, place: Place) -> Fitting[Entry]:
        """Train a candidate on a fold up to a number of epochs, and score it."""
        key, recipe = place[:2], self._recipes[place.candidate]
        try:
            trial = self._trials.pop(key, None) or TableTrial(self._folds[place.fold], recipe, self._seed)
            yield from trial.go_on(place.epochs)
            score = trial.measured(self._measure)
        except FastdenseError as error:
            return Entry(math.nan, str(error))
        if not trial.ended:
            self._trials[key] = trial
        return Entry(score)

    def _stand(self, rung: Rung, candidate: int) -> None:
        """Count a candidate that has just been scored on its last fold."""
        if not self._ledger.is_whole(candidate, rung.epochs):
            return
        rung.candidates += 1
        score = float(self._ledger.scores(candidate, rung.epochs).mean())
        if self._measure.order(score) < self._measure.order(rung.score):
            rung.best, rung.score = candidate, score

    def _promoted(self, running: Sequence[int], epochs: int) -> list[int]:
        """Return who goes on, and let go of the others' networks."""
        order = {c: self._measure.order(float(self._ledger.scores(c, epochs).mean())) for c in running}
        sound = sorted((c for c in running if math.isfinite(order[c])), key=lambda c: order[c])
        chosen = set(sound[: max(1, len(running) // _FACTOR)]) | ({0} & set(sound))
        self._trials = {key: trial for key, trial in self._trials.items() if key[0] in chosen}
        return sorted(chosen)

    def _cost(self, candidate: int, epochs: int) -> float:
        """Return what a candidate's epochs on a fold cost, in products."""
        table, recipe = self._folds[0].table, self._recipes[candidate]
        widths = [len(table.feature_names), *recipe.hidden, 1]
        return epochs * len(self._folds[0].training.X) * math.fsum(map(math.prod, pairwise(widths)))
