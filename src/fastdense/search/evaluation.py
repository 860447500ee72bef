"""A candidate on a split: fitted, scored, and what it came to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics._scorer import _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._validation import _score
from sklearn.utils.validation import _check_method_params

from fastdense.engines.jobs import Fitting
from fastdense.search.makers import Data, EstimatorMaker, Rows, Trial

__all__ = ["Evaluation", "Outcome", "Scores"]

Scores = Any  # a number, or numbers by the scorers' names
State = tuple[dict[str, NDArray[Any]], dict[str, Any]]


@dataclass
class Outcome:
    """What a candidate came to on a split.

    Attributes
    ----------
    test_scores, train_scores : float or dict of str to float
    fit_time, score_time : float
        Seconds from begin to end; other fits were at work meanwhile.
    epochs : int
    losses, validation : sequence of float
    error : str or None
        Why there is no score.
    ended : bool
        Whether more epochs would change nothing.
    state : (arrays, values) or None
        What going on needs.
    """

    test_scores: Scores
    train_scores: Scores = None
    fit_time: float = 0.0
    score_time: float = 0.0
    epochs: int = 0
    losses: Sequence[float] = ()
    validation: Sequence[float] = ()
    error: str | None = None
    ended: bool = True
    state: State | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Evaluation:
    """How all candidates of a search are fitted and scored.

    Attributes
    ----------
    maker : EstimatorMaker
    data : Data
    splits : sequence of (train, test)
        Numbers of rows.
    scorer : callable
    score_params : dict
        What the scorer takes beside rows and targets.
    return_train_score : bool
    error_score : float or "raise"
    """

    maker: EstimatorMaker
    data: Data
    splits: Sequence[tuple[Rows, Rows]]
    scorer: Any
    score_params: dict[str, Any]
    return_train_score: bool
    error_score: Any

    def fitting(
        self,
        parameters: Mapping[str, Any],
        split: int,
        epochs: int | None = None,
        before: Outcome | None = None,
        keep: bool = False,
    ) -> Fitting[Outcome]:
        """Fit a candidate to a split's rows and score it.

        Parameters
        ----------
        parameters : mapping
        split : int
        epochs : int, optional
            How many in all; as many as the candidate has by itself, if None.
        before : Outcome, optional
            Of fewer epochs, with its state: training goes on from there.
        keep : bool
            Whether the outcome has the state that going on needs.

        Raises
        ------
        Exception
            What fitting or scoring raised, if ``error_score`` is "raise".
        """
        begun, (train, test) = time.perf_counter(), self.splits[split]
        earlier = 0.0 if before is None else before.fit_time
        try:
            trial = self.maker.trial(parameters, train)
            if before is not None and before.state is not None:
                trial.restore(*before.state)
            yield from trial.go_on(epochs)
            fitted = time.perf_counter()
        except Exception as error:
            if self.error_score == "raise":
                error.add_note(f"The candidate is {dict(parameters)}, the split is {split}.")
                raise
            seconds = earlier + time.perf_counter() - begun
            return self.failed(f"{type(error).__name__}: {error}", fit_time=seconds)
        found = self._scores(trial, test)
        scored = time.perf_counter()
        trained = self._scores(trial, train) if self.return_train_score else None
        return self._outcome(trial, found, trained, earlier + fitted - begun, scored - fitted, keep)

    def _outcome(
        self, trial: Trial, found: Scores, trained: Scores, fit_time: float, score_time: float, keep: bool
    ) -> Outcome:
        state = trial.state() if keep else None
        curves = [*trial.losses], [*(trial.validation or ())]
        return Outcome(
            found, trained, fit_time, score_time, trial.epochs, *curves, ended=trial.ended, state=state
        )

    def _scores(self, trial: Trial, rows: Rows) -> Scores:
        if isinstance(self.scorer, _PassthroughScorer) and not self.score_params:
            return trial.score(rows)
        estimator = trial.fitted()
        X, y = self.data.part(rows)
        params = _check_method_params(self.data.X, params=self.score_params, indices=rows)
        return _score(estimator, X, y, self.scorer, params, self.error_score)

    def failed(self, error: str, fit_time: float = 0.0) -> Outcome:
        """Return the outcome of a fit that came to nothing."""
        score = self.error_score if isinstance(self.error_score, Number) else np.nan
        return Outcome(self._alike(score), self._alike(score), fit_time, error=error)

    def unfinished(self, reason: str) -> Outcome:
        """Return what stands for an outcome that there is none of."""
        return Outcome(self._alike(np.nan), self._alike(np.nan), error=reason)

    def _alike(self, score: Any) -> Scores:
        if isinstance(self.scorer, _MultimetricScorer):
            return dict.fromkeys(self.scorer._scorers, score)
        return score
