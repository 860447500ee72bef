"""Optuna's samplers and pruners: a study's trials are asked for, trained and told by the batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastdense.core.checks import whole
from fastdense.search.contest import Contest
from fastdense.search.evaluation import Evaluation
from fastdense.search.grid import GridSearch
from fastdense.search.halving import rungs_of
from fastdense.search.progress import Progress
from fastdense.search.spaces import suggested

__all__ = ["optuna"]


def optuna(
    study: Any,
    estimator: Any,
    X: Any,
    y: Any,
    *,
    space: dict[str, Any] | Callable[[Any], dict[str, Any]],
    ask: int = 64,
    n_trials: int = 100,
    cv: Any = 5,
    scoring: Any = None,
    sample_weight: Any = None,
    groups: Any = None,
    min_epochs: int | None = None,
    max_epochs: int | None = None,
    factor: int = 3,
    n_threads: int | None = None,
    verbose: int = 0,
) -> Any:
    """Run trials of an Optuna study, many at a time; return the best estimator, fitted to all rows.

    ``ask`` trials are asked for, trained side by side on all splits, and told in their order: a sampler with
    a seed draws the same for any number of threads. Samplers learn from whole batches; a smaller ``ask`` lets
    them learn sooner.

    Parameters
    ----------
    study : optuna.Study
        Of one objective, with ``direction="maximize"``; any storage, sampler and pruner. It may have trials.
    estimator : estimator
        As of `GridSearch`.
    X, y : array-like
        As of `GridSearch.fit`.
    space : dict, or callable
        By the parameters' names, `fastdense.search.uniform` and its like, or lists; or a function that takes
        a trial of Optuna's and returns parameters.
    ask : int
        Trials per batch.
    n_trials : int
        Trials in all, of this call.
    cv, scoring, n_threads, verbose : optional
        As of `GridSearch`. ``scoring`` is one score.
    sample_weight, groups : array-like, optional
        As of `GridSearch.fit`.
    min_epochs, max_epochs, factor : int, optional
        As of `HalvingSearch`. With ``min_epochs`` a trial's mean score is reported to the study's pruner at
        every rung, with its epochs; without, nothing is pruned.

    Returns
    -------
    estimator : fitted estimator
        With the parameters of the study's best trial. What suggesting and training took is in the study's
        ``user_attrs``: ``seconds_suggesting`` and ``seconds_training``.

    Raises
    ------
    ModuleNotFoundError
        Optuna is not installed.
    ValueError
        The study minimizes or has several objectives, a parameter is unknown, or all trials failed.

    References
    ----------
    T. Akiba et al., "Optuna: a next-generation hyperparameter optimization framework", 2019.
    """
    library = _library()
    _check(library, study)
    ask, n_trials = whole("ask", ask, 1), whole("n_trials", n_trials, 1)
    search = GridSearch(estimator, {}, scoring=scoring, cv=cv, n_threads=n_threads)
    given = {"sample_weight": sample_weight, "groups": groups}
    evaluation = search.evaluation(X, y, {name: value for name, value in given.items() if value is not None})
    rungs: list[int | None] = [None]
    if min_epochs is not None or max_epochs is not None:
        maker = evaluation.maker.limited(max_epochs)
        evaluation = replace(evaluation, maker=maker)
        rungs = [
            *rungs_of(whole("min_epochs", min_epochs or maker.epochs, 1, maker.epochs), maker.epochs, factor)
        ]
    with Progress("Optuna", n_trials * search.n_splits_, verbose) as progress:
        batches = Batches(study, library.trial.TrialState, evaluation, space, rungs, n_threads, progress)
        for begin in range(0, n_trials, ask):
            batches.run(min(ask, n_trials - begin))
    if verbose:
        print(f"Optuna: {batches.suggesting:.1f}s suggesting - {batches.training:.1f}s training")
    best = library.trial.FixedTrial(_best(study).params)
    return evaluation.maker.fitted(_parameters(best, space), math.inf)


def _library() -> Any:
    try:
        import optuna as library
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "fastdense.search.optuna needs Optuna: pip install 'fastdense[optuna]'", name=error.name
        ) from error
    return library


def _check(library: Any, study: Any) -> None:
    if study.directions != [library.study.StudyDirection.MAXIMIZE]:
        raise ValueError(
            "scores are the better the higher they are: make the study of one objective, with "
            "optuna.create_study(direction='maximize')"
        )


def _best(study: Any) -> Any:
    try:
        return study.best_trial
    except ValueError:
        causes = {trial.user_attrs.get("error", "pruned") for trial in study.trials}
        raise ValueError(f"no trial was finished: {'; '.join(sorted(causes))}") from None


def _parameters(trial: Any, space: Any) -> dict[str, Any]:
    return dict(space(trial)) if callable(space) else suggested(trial, space)


@dataclass
class Batches:
    """Trials of a study by the batch, and the seconds that they took.

    Attributes
    ----------
    study : optuna.Study
    states : optuna.trial.TrialState
    evaluation : Evaluation
    space : dict or callable
    rungs : sequence of int or None
        The epochs after which trials are reported; None for a trial's own end.
    threads : int or None
    progress : Progress
    suggesting, training : float
        Seconds.
    """

    study: Any
    states: Any
    evaluation: Evaluation
    space: Any
    rungs: Sequence[int | None]
    threads: int | None
    progress: Progress
    suggesting: float = 0.0
    training: float = 0.0

    def run(self, count: int) -> None:
        """Ask for trials, train them, and tell the study what they came to."""
        begun = time.perf_counter()
        trials = [self.study.ask() for _ in range(count)]
        candidates = [_parameters(trial, self.space) for trial in trials]
        self.evaluation.maker.check(candidates)
        asked = time.perf_counter()
        contest = Contest(self.evaluation, candidates, self.threads, math.inf, self.progress.ended)
        running = list(range(count))
        for epochs in self.rungs:
            contest.advance(running, epochs, keep=epochs != self.rungs[-1])
            running = [c for c in running if not self._is_over(trials[c], contest, c, epochs)]
            contest.forget_all_but(running)
        trained = time.perf_counter()
        for c, trial in enumerate(trials):
            self._tell(trial, contest, c, c in running)
        self.suggesting += asked - begun + time.perf_counter() - trained
        self.training += trained - asked
        for name in ("suggesting", "training"):
            self.study.set_user_attr(f"seconds_{name}", getattr(self, name))

    def _is_over(self, trial: Any, contest: Contest, candidate: int, epochs: int | None) -> bool:
        """Report a trial's mean score at a rung; return True if it failed or is pruned."""
        mean = contest.mean(candidate)
        if not np.isfinite(mean):
            return True
        if epochs is None or epochs == self.rungs[-1]:
            return False
        trial.report(mean, epochs)
        return bool(trial.should_prune())

    def _tell(self, trial: Any, contest: Contest, candidate: int, finished: bool) -> None:
        mean, errors = contest.mean(candidate), contest.errors(candidate)
        if errors:
            trial.set_user_attr("error", errors[0])
        if finished:
            self.study.tell(trial, mean)
        else:
            self.study.tell(trial, state=self.states.PRUNED if np.isfinite(mean) else self.states.FAIL)
