"""What all searches share: scikit-learn's `fit` around a contest of candidates."""

from __future__ import annotations

import math
import time
import warnings
from abc import abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from sklearn.base import _fit_context, is_classifier
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import _check_method_params

from fastdense.search.contest import Contest
from fastdense.search.evaluation import Evaluation
from fastdense.search.makers import Data, EstimatorMaker, check_estimator, maker_of
from fastdense.search.progress import Progress
from fastdense.search.results import as_records, columns_of, report_failures

__all__ = ["BaseSearch"]

# The share of max_time that is kept for fitting the best candidate to all rows.
_FOR_REFIT = 0.1
_INTERRUPTED = "Ctrl-C was pressed"


class BaseSearch(BaseSearchCV):  # type: ignore[misc]
    """The searches' common part; use `GridSearch`, `RandomSearch` or `HalvingSearch`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{
            k: v
            for k, v in BaseSearchCV._parameter_constraints.items()
            if k not in ("n_jobs", "pre_dispatch")
        },
        "estimator": [HasMethods(["fit"])],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
    }

    @abstractmethod
    def _candidates(self) -> list[dict[str, Any]]:
        """Return all candidates' parameters."""

    def _limited(self, evaluation: Evaluation, candidates: list[dict[str, Any]]) -> Evaluation:
        """Return how candidates are fitted; here, each for as many epochs as it asks for."""
        return evaluation

    def _fits(self, candidates: int) -> int:
        """Return how often as many candidates are fitted and scored."""
        return candidates * int(self.n_splits_)

    def _run(self, contest: Contest) -> bool:
        """Fit the candidates; return False if time ran out."""
        return contest.advance(range(len(contest.candidates)))

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, **params: Any) -> Self:
        """Fit all candidates to all splits, and the best one to all rows.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
            Given to fits, and to scorers that take it.
        groups : array-like of shape (n_samples,), optional
            Given to ``cv``.
        **params : dict
            The weights of a pipeline's last step under that step's name, as scikit-learn has it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            A parameter, the space or the rows cannot be used, or all fits failed: the message has the causes.
            No candidate was finished before ``max_time``.
        KeyboardInterrupt
            Ctrl-C was pressed before any candidate was finished. After that it ends the search with a
            warning, and what is done is kept.
        """
        begun = time.monotonic()
        given = {"sample_weight": sample_weight, "groups": groups}
        params |= {name: value for name, value in given.items() if value is not None}
        evaluation = self.evaluation(X, y, params)
        candidates = self._candidates()
        evaluation.maker.check(candidates)
        evaluation = self._limited(evaluation, candidates)
        seconds = math.inf if self.max_time is None else float(self.max_time)
        share = 1.0 - _FOR_REFIT if self.refit else 1.0
        with Progress(type(self).__name__, self._fits(len(candidates)), self.verbose) as progress:
            contest = Contest(evaluation, candidates, self.n_threads, begun + share * seconds, progress.ended)
            reason = self._ran(contest)
        self._keep(contest, reason)
        if self.refit and reason != _INTERRUPTED:
            self._refit(evaluation.maker, begun + seconds)
        return self

    def evaluation(self, X: Any, y: Any, params: dict[str, Any]) -> Evaluation:
        """Return how candidates are fitted to rows and scored; set the number of splits."""
        check_estimator(self.estimator)
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = cv.get_n_splits(X, y, **routed.splitter.split)
        splits = list(cv.split(X, y, **routed.splitter.split))
        if len(splits) != self.n_splits_ or not splits:
            raise ValueError(f"cv says that it has {self.n_splits_} splits, but made {len(splits)}")
        data = Data(X, y, routed.estimator.fit)
        return Evaluation(
            maker_of(self.estimator, data),
            data,
            splits,
            self._get_scorers()[0],
            routed.scorer.score,
            self.return_train_score,
            self.error_score,
        )

    def _ran(self, contest: Contest) -> str:
        """Run the contest; return why it has not all outcomes, or ""."""
        try:
            return "" if self._run(contest) else f"max_time={self.max_time:g} s passed"
        except KeyboardInterrupt:
            if not any(map(contest.is_whole, range(len(contest.candidates)))):
                raise
            return _INTERRUPTED

    def _keep(self, contest: Contest, reason: str) -> None:
        """Set the attributes that tell what the candidates came to, and choose the best."""
        whole = sum(map(contest.is_whole, range(len(contest.candidates))))
        self.n_in_lanes_ = contest.in_lanes
        outcomes = contest.in_order(f"not finished: {reason}")
        if reason:
            text = f"{reason}: {whole} of {len(contest.candidates)} candidates were finished"
            if not whole:
                raise ValueError(f"{text}; give more time or fewer candidates")
            warnings.warn(f"{text}; the others score NaN", stacklevel=3)
        report_failures(contest)
        records, extra = as_records(outcomes), columns_of(outcomes, self.n_splits_)
        results = self._format_results(list(contest.candidates), self.n_splits_, records, extra)
        scorer, metric = self._get_scorers()
        self.multimetric_ = isinstance(records[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(records[0]["test_scores"])
            metric = self.refit
        self.cv_results_ = self._ranked(results)
        self.scorer_ = getattr(scorer, "_scorers", scorer)
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]

    def _ranked(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return the table of results with what a kind of search adds to it."""
        return results

    def _refit(self, maker: EstimatorMaker, until: float) -> None:
        """Fit the best candidate to all rows."""
        begun = time.perf_counter()
        self.best_estimator_ = maker.fitted(self.best_params_, until)
        self.refit_time_ = time.perf_counter() - begun
        if time.monotonic() > until:
            text = f"max_time={self.max_time:g} s passed while the best candidate was fitted to all rows"
            warnings.warn(f"{text}: it may have fewer epochs than it asks for", stacklevel=3)
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_
