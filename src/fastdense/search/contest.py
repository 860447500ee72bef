"""Candidates on all splits, side by side, for as many epochs as somebody decides."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from fastdense.engines.jobs import Fitting, together
from fastdense.engines.lanes import LaneCrew
from fastdense.search.evaluation import Evaluation, Outcome

__all__ = ["Contest", "Place"]

# Candidates that train on a split together, if they are small: so many fill the lanes of two threads or more.
_BLOCK = 32

Place = tuple[int, int]
"""The numbers of a candidate and of a split."""


class Contest:
    """Candidates and what each came to on each split.

    Parameters
    ----------
    evaluation : Evaluation
    candidates : sequence of dict
    threads : int, optional
        As many as the engine has, if None.
    until : float
        When to stop, by `time.monotonic`.
    listeners : callable
        Called with a place and its outcome whenever one ends.

    Attributes
    ----------
    outcomes : dict of (candidate, split) to Outcome
    in_lanes : int
        The jobs so far that shared the lanes of vectors with others.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        candidates: Sequence[Mapping[str, Any]],
        threads: int | None = None,
        until: float = math.inf,
        *listeners: Callable[[Place, Outcome], None],
    ) -> None:
        self.evaluation, self.candidates = evaluation, candidates
        self.outcomes: dict[Place, Outcome] = {}
        self.listeners = list(listeners)
        self.in_lanes = 0
        self._threads, self._until = threads, until

    def advance(self, running: Sequence[int], epochs: int | None = None, keep: bool = False) -> bool:
        """Train candidates on all splits until each has as many epochs; return False if time ran out.

        The longest come first, so that no thread is left with a long one at the end; where time may run out,
        they come in their own order. A candidate's splits come one after another, so that a search that is
        broken off has whole candidates. Small networks come in blocks, split by split: those that share the
        order of rows share lanes.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C was pressed; what had ended is in ``outcomes``.
        """
        ordered = list(running)
        if self._until == math.inf:
            ordered.sort(key=lambda c: -self.evaluation.maker.cost(self.candidates[c]))
        places = [place for place in self._places(ordered) if self._goes_on(place, epochs)]
        left, crew = set(places), LaneCrew(self._threads)
        fittings = self._fittings(places, epochs, keep)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs tells who was stopped
            for number, found in together(fittings, until=self._until, crew=crew):
                if isinstance(found, Exception):
                    raise found
                place = places[number]
                self.outcomes[place] = found
                left.discard(place)
                for listener in self.listeners:
                    listener(place, found)
        self.in_lanes += crew.shared
        return not left

    def _places(self, ordered: Sequence[int]) -> Iterator[Place]:
        """Yield the places of candidates, in the order that they are to be trained in."""
        small = all(self.evaluation.maker.is_small(self.candidates[c]) for c in ordered)
        size = _BLOCK if small else 1
        for first in range(0, len(ordered), size):
            for split in range(len(self.evaluation.splits)):
                yield from ((candidate, split) for candidate in ordered[first : first + size])

    def _goes_on(self, place: Place, epochs: int | None) -> bool:
        before = self.outcomes.get(place)
        return before is None or not (before.ended or (epochs is not None and before.epochs >= epochs))

    def _fittings(
        self, places: Sequence[Place], epochs: int | None, keep: bool
    ) -> Iterator[Fitting[Outcome]]:
        for candidate, split in places:
            before = self.outcomes.get((candidate, split))
            yield self.evaluation.fitting(self.candidates[candidate], split, epochs, before, keep)

    def in_order(self, reason: str) -> list[Outcome]:
        """Return the outcomes, a candidate's splits together; a reason stands where there is none."""
        splits, missing = range(len(self.evaluation.splits)), self.evaluation.unfinished(reason)
        return [self.outcomes.get((c, s), missing) for c in range(len(self.candidates)) for s in splits]

    def is_whole(self, candidate: int) -> bool:
        """Return True if a candidate has an outcome on every split."""
        return all((candidate, s) in self.outcomes for s in range(len(self.evaluation.splits)))

    def is_at(self, candidate: int, epochs: int) -> bool:
        """Return True if a candidate has that many epochs on every split, or came to its end before."""
        found = [self.outcomes.get((candidate, s)) for s in range(len(self.evaluation.splits))]
        return all(each is not None and (each.ended or each.epochs >= epochs) for each in found)

    def mean(self, candidate: int, name: str | None = None) -> float:
        """Return the mean of a candidate's test scores, of one that has a name; NaN counts as the worst."""
        found = [self.outcomes[candidate, s].test_scores for s in range(len(self.evaluation.splits))]
        scores = [each[name] if isinstance(each, dict) else each for each in found]
        mean = float(np.mean(scores))
        return -math.inf if math.isnan(mean) else mean

    def errors(self, candidate: int) -> list[str]:
        """Return why a candidate has no scores, by split."""
        found = [self.outcomes[candidate, s].error for s in range(len(self.evaluation.splits))]
        return [error for error in found if error is not None]

    def forget_all_but(self, going_on: Sequence[int]) -> None:
        """Drop the states of candidates that will not go on."""
        kept = set(going_on)
        for (candidate, _), outcome in self.outcomes.items():
            if candidate not in kept:
                outcome.state = None

    def take_back(self, candidate: int, before: Mapping[Place, Outcome]) -> None:
        """Put a candidate's outcomes of before in the place of later ones."""
        for place in [place for place in self.outcomes if place[0] == candidate]:
            del self.outcomes[place]
        self.outcomes.update({place: each for place, each in before.items() if place[0] == candidate})
