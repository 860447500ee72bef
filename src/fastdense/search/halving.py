"""Successive halving: all candidates get a few epochs, the better ones more, and the best ones all."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy.stats import rankdata
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils._param_validation import Interval, StrOptions

from fastdense.search.base import BaseSearch
from fastdense.search.contest import Contest
from fastdense.search.evaluation import Evaluation
from fastdense.search.resume import Records

__all__ = ["HalvingSearch", "rungs_of"]

_COUNT = Interval(Integral, 1, None, closed="left")


def rungs_of(least: int, most: int, factor: int) -> list[int]:
    """Return the epochs of every rung: each has ``factor`` times those of the one before, up to the most."""
    rungs = [least]
    while rungs[-1] < most:
        rungs.append(min(rungs[-1] * factor, most))
    return rungs


class HalvingSearch(BaseSearch):
    """Trains all candidates for a few epochs, and those that score best for ``factor`` times as many, again.

    A rung trains candidates on all splits until they have its epochs; one in ``factor`` is promoted to the
    next rung, by the mean score of the test rows, ties by the candidates' order. Networks pause between
    rungs with their weights and the optimizer's state: none is trained again from the start. A rung ends when
    all of its candidates have, so that nothing depends on the number of threads or on how long fits take.

    Parameters
    ----------
    estimator : estimator
        `MLPClassifier`, `MLPRegressor`, or a pipeline that ends in one.
    space : dict or list of dict
        As the ``param_distributions`` of `RandomSearch`.
    n_candidates : int, optional
        How many are drawn; None takes all combinations of a space of lists.
    resource : {'epochs'}
        What the better candidates get more of.
    min_epochs : int, optional
        The epochs of the first rung; by default so few that one candidate is left for the last one.
    max_epochs : int, optional
        The epochs of the last rung and of the final fit, in place of the estimator's ``max_iter``, which is
        the default.
    factor : int
        One candidate in as many is promoted.
    random_state : int or RandomState instance, optional
        Where candidates are drawn from.
    directory : path-like, optional
        Where each rung is written when it ends, and one that is under way now and then. A search that was
        killed goes on from there when it is started again with the same arguments, to the same bits.
    scoring, refit, cv, error_score, return_train_score, n_threads, max_time, verbose : optional
        As of `GridSearch`. Of several scores, ``refit`` names the one that decides.

    Attributes
    ----------
    cv_results_ : dict of str to array
        As of `GridSearch`, with ``rung``, the last one that a candidate ended, from 0, or -1. Scores are
        those after that rung, and who came further ranks higher.
    n_resources_, n_candidates_ : list of int
        The epochs and the candidates of every rung.
    best_estimator_, best_params_, best_score_, best_index_, refit_time_
        As of `GridSearch`.

    Raises
    ------
    FormatError
        In `fit`: the directory holds another search, and the message says what differs; or a damaged file.

    References
    ----------
    K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization",
    2016. L. Li et al., "Hyperband: a novel bandit-based approach to hyperparameter optimization", 2018; "A
    system for massively parallel hyperparameter tuning", 2020, which promotes before a rung has ended.

    Examples
    --------
    >>> import fastdense as fd
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> network = fd.MLPClassifier(tol=0.0, n_iter_no_change=1000, random_state=0)
    >>> space = {
    ...     "hidden_layer_sizes": fd.search.integers(4, 32, log=True),
    ...     "learning_rate_init": fd.search.log_uniform(1e-3, 1e-1),
    ... }
    >>> search = fd.search.HalvingSearch(network, space, n_candidates=9, max_epochs=18, random_state=0)
    >>> search.fit(X, y).n_resources_, search.n_candidates_
    ([2, 6, 18], [9, 3, 1])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearch._parameter_constraints,
        "space": [dict, list],
        "n_candidates": [_COUNT, None],
        "resource": [StrOptions({"epochs"})],
        "min_epochs": [_COUNT, None],
        "max_epochs": [_COUNT, None],
        "factor": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
        "directory": [str, os.PathLike, None],
    }

    def __init__(
        self,
        estimator: Any,
        space: Any,
        *,
        n_candidates: int | None = None,
        resource: str = "epochs",
        min_epochs: int | None = None,
        max_epochs: int | None = None,
        factor: int = 3,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = 5,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        n_threads: int | None = None,
        max_time: float | None = None,
        directory: str | os.PathLike[str] | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator, self.space, self.n_candidates = estimator, space, n_candidates
        self.resource, self.min_epochs, self.max_epochs = resource, min_epochs, max_epochs
        self.factor, self.scoring, self.refit, self.cv = factor, scoring, refit, cv
        self.random_state, self.error_score = random_state, error_score
        self.return_train_score, self.n_threads, self.max_time = return_train_score, n_threads, max_time
        self.directory, self.verbose = directory, verbose

    def _candidates(self) -> list[dict[str, Any]]:
        if self.n_candidates is None:
            return list(ParameterGrid(self.space))
        return list(ParameterSampler(self.space, self.n_candidates, random_state=self.random_state))

    def _limited(self, evaluation: Evaluation, candidates: list[dict[str, Any]]) -> Evaluation:
        """Return how candidates are fitted, for as many epochs as the last rung has at most."""
        maker = evaluation.maker.limited(self.max_epochs)
        if any(maker.limit in parameters for parameters in candidates):
            raise ValueError(
                f"space has {maker.limit!r}, which the rungs decide: leave it out, and give max_epochs"
            )
        halvings = math.ceil(round(math.log(len(candidates), self.factor), 9))
        least = self.min_epochs or max(1, maker.epochs // self.factor**halvings)
        if least > maker.epochs:
            raise ValueError(f"min_epochs is {least}, which is over the {maker.epochs} epochs of max_epochs")
        if self.refit and not isinstance(self.refit, bool | str):
            raise ValueError("refit has to be True, False or a score's name: it decides in every rung")
        self.n_resources_ = rungs_of(least, maker.epochs, self.factor)
        return replace(evaluation, maker=maker)

    def _fits(self, candidates: int) -> int:
        running, count = candidates, 0
        for _ in self.n_resources_:
            count, running = count + running, math.ceil(running / self.factor)
        return count * int(self.n_splits_)

    def _run(self, contest: Contest) -> bool:
        """Run rung after rung; return False if time ran out."""
        self._rung = np.full(len(contest.candidates), -1)
        self.n_candidates_: list[int] = []
        running = list(range(len(contest.candidates)))
        records = Records.of(self.directory, self, contest)
        contest.listeners.append(records.ended)
        for rung, epochs in enumerate(self.n_resources_):
            self.n_candidates_.append(len(running))
            if not self._climb(contest, running, rung, records):
                return False
            running = self._promoted(contest, running)
            contest.forget_all_but(running if epochs < self.n_resources_[-1] else [])
            records.rung_ended()
        return True

    def _climb(self, contest: Contest, running: list[int], rung: int, records: Records) -> bool:
        """Run one rung; if it is broken off, candidates that did not end it are as they were before."""
        before, epochs, whole = dict(contest.outcomes), self.n_resources_[rung], False
        records.begin(rung)
        try:
            whole = contest.advance(running, epochs, keep=epochs < self.n_resources_[-1])
        finally:
            ended = [c for c in running if contest.is_at(c, epochs)]
            self._rung[ended] = rung
            if not whole:
                records.save()
                for c in {*running}.difference(ended):
                    contest.take_back(c, before)
        return whole

    def _promoted(self, contest: Contest, running: list[int]) -> list[int]:
        """Return the candidates with the best mean scores, in their own order."""
        scores = [contest.mean(c, self._deciding) for c in running]
        ranked = sorted(zip(running, scores, strict=True), key=lambda each: (-each[1], each[0]))
        return sorted(c for c, _ in ranked[: math.ceil(len(running) / self.factor)])

    @property
    def _deciding(self) -> str | None:
        """The name of the score that decides, if there are several."""
        return self.refit if isinstance(self.refit, str) else None

    def _ranked(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return the table with every candidate's rung; who came further ranks higher."""
        for name in [name for name in results if name.startswith("rank_test_")]:
            means = np.nan_to_num(results[name.replace("rank", "mean", 1)], nan=-np.inf)
            _, places = np.unique(np.stack([self._rung, means]), axis=1, return_inverse=True)
            results[name] = rankdata(-places, method="min").astype(np.int32)
        return results | {"rung": self._rung}
