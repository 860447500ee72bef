"""Cross-validation: an estimator fitted to all folds side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from traceback import format_exc
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.model_selection._validation import (
    _aggregate_score_dicts,
    _insert_error_scores,
    _normalize_score_results,
    _score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import indexable
from sklearn.utils.validation import _num_samples

from fastdense.core.arrays import Array
from fastdense.core.checks import one_of
from fastdense.engines.jobs import Fitting, together
from fastdense.engines.lanes import LaneCrew
from fastdense.search.makers import Data, EstimatorMaker, check_estimator, maker_of

__all__ = ["cross_val"]

Rows = NDArray[np.int64]


def cross_val(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    scoring: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    n_threads: int | None = None,
    return_train_score: bool = False,
    return_estimator: bool = False,
    return_indices: bool = False,
    return_predictions: bool | str = False,
    error_score: Any = np.nan,
) -> dict[str, Any]:
    """Fit an estimator to all folds side by side, and score it on what each leaves out.

    The scores are those of ``sklearn.model_selection.cross_validate``: each fold's network has the bits of
    the estimator fitted alone, for any number of threads.

    Parameters
    ----------
    estimator : estimator
        `MLPClassifier`, `MLPRegressor`, a pipeline that ends in one, or a `Builder`. Any other estimator is
        fitted fold by fold.
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    cv : int, splitter or iterable of (train, test)
    scoring : str, callable, list, tuple or dict, optional
    groups : array-like of shape (n_samples,), optional
        For ``cv``.
    sample_weight : array-like of shape (n_samples,), optional
        For the fits, not for the scores.
    n_threads : int, optional
        The threads that train; as many as `fastdense.get_threads` says, if None.
    return_train_score, return_estimator, return_indices : bool
    return_predictions : bool, "predict" or "predict_proba"
        Whether, and by which method, each row is predicted by the estimator that has not seen it.
    error_score : float or "raise"
        What a fit or a score that fails counts as.

    Returns
    -------
    dict
        ``test_score``, ``fit_time`` and ``score_time``, float64 arrays of shape (n_splits,); the seconds are
        those from begin to end, while others were at work. With several scorers ``test_`` and the name of
        each. On request ``train_score``, ``estimator``, ``indices`` as in scikit-learn; and ``predictions``,
        with a place for each row in the order of ``X``.

    Raises
    ------
    ValueError
        The rows or an argument cannot be used, or all fits failed; or predictions are asked for, and the
        splits do not leave each row out once.

    Examples
    --------
    >>> import fastdense as fd
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> network = fd.MLPClassifier((16,), learning_rate_init=0.03, max_iter=500, random_state=0)
    >>> found = fd.search.cross_val(network, X, y, return_predictions=True)
    >>> bool(found["test_score"].mean() > 0.9), found["predictions"].shape
    (True, (150,))
    """
    check_estimator(estimator)
    X, y, groups = indexable(X, y, groups)
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    splits = list(cv.split(X, y) if groups is None else cv.split(X, y, groups))
    says = _method(return_predictions, splits, _num_samples(X))
    scorer = check_scoring(estimator, scoring=scoring, raise_exc=error_score == "raise")
    parts = ("test", "train") if return_train_score else ("test",)
    data = Data(X, y, {} if sample_weight is None else {"sample_weight": sample_weight})
    folds = _Folds(maker_of(estimator, data), data, scorer, parts, says, error_score)
    found = _in_order((folds.fitting(*split) for split in splits), n_threads)
    _warn_or_raise_about_fit_failures(found, error_score)
    if callable(scoring):
        _insert_error_scores(found, error_score)
    columns = _aggregate_score_dicts(found)
    result = {name: columns[name] for name in ("fit_time", "score_time")}
    if return_estimator:
        result["estimator"] = columns["estimator"]
    if return_indices:
        result["indices"] = dict(zip(("train", "test"), zip(*splits, strict=True), strict=True))
    for part in parts:
        scores = _normalize_score_results(columns[f"{part}_scores"])
        result |= {f"{part}_{name}": values for name, values in scores.items()}
    if says:
        result["predictions"] = folds.predictions(found, [test for _, test in splits])
    return result


def _method(asked: bool | str, splits: Sequence[tuple[Rows, Rows]], count: int) -> str:
    """Return the method that predicts rows left out, or "" if none is asked for."""
    if asked is False:
        return ""
    says = "predict" if asked is True else one_of("return_predictions", asked, ("predict", "predict_proba"))
    left_out = np.concatenate([np.arange(count)[test] for _, test in splits])
    if not np.array_equal(np.sort(left_out), np.arange(count)):
        raise ValueError(
            "predictions need a cv that leaves each row out once, such as KFold, and this one does not"
        )
    return says


def _in_order(fittings: Iterator[Fitting[dict[str, Any]]], threads: int | None) -> list[dict[str, Any]]:
    """Return what fittings that are run together came to; raise the first error."""
    found: dict[int, dict[str, Any]] = {}
    for place, came in together(fittings, crew=LaneCrew(threads)):
        if isinstance(came, Exception):
            raise came
        found[place] = came
    return [found[place] for place in sorted(found)]


@dataclass(frozen=True)
class _Folds:
    """How an estimator is fitted to each fold and scored; ``says`` is the method that predicts, or ""."""

    maker: EstimatorMaker
    data: Data
    scorer: Any
    parts: tuple[str, ...]
    says: str
    error_score: Any

    def fitting(self, train: Rows, test: Rows) -> Fitting[dict[str, Any]]:
        """Fit to a fold and score it, as scikit-learn's cross-validation does."""
        begun = time.perf_counter()
        try:
            trial = self.maker.trial({}, np.arange(len(self.data.sample))[train])
            yield from trial.go_on()
            estimator = trial.fitted()
        except Exception:
            if self.error_score == "raise":
                raise
            return self._failed(time.perf_counter() - begun, format_exc())
        fitted = time.perf_counter()
        rows = {"test": self.data.part(test)}
        found = {"test_scores": self._score(estimator, *rows["test"])}
        scored = time.perf_counter()
        if "train" in self.parts:
            found["train_scores"] = self._score(estimator, *self.data.part(train))
        found |= {"estimator": estimator, "fit_error": None}
        found |= {"fit_time": fitted - begun, "score_time": scored - fitted}
        said = getattr(estimator, self.says)(rows["test"][0]) if self.says else None
        return found | {"said": said}

    def _score(self, estimator: Any, X: Any, y: Any) -> Any:
        return _score(estimator, X, y, self.scorer, None, self.error_score)

    def _failed(self, seconds: float, error: str) -> dict[str, Any]:
        """Return what stands for a fold that no estimator could be fitted to."""
        names = getattr(self.scorer, "_scorers", None)
        score = self.error_score if names is None else dict.fromkeys(names, self.error_score)
        times = {"fit_time": seconds, "score_time": 0.0}
        nothing = {"estimator": None, "fit_error": error, "said": None}
        return {f"{part}_scores": score for part in self.parts} | times | nothing

    def predictions(self, found: Sequence[dict[str, Any]], tests: Sequence[Rows]) -> Array:
        """Return what was said of each row by the estimator that has not seen it."""
        if any(fold["fit_error"] for fold in found):
            raise ValueError("there are no predictions for all rows, as an estimator could not be fitted")
        said = [fold["said"] for fold in found]
        if self.says == "predict_proba":
            classes = np.unique(self.data.y)
            said = [
                _aligned(each, fold["estimator"], classes) for each, fold in zip(said, found, strict=True)
            ]
        rows = np.concatenate([np.arange(len(self.data.sample))[test] for test in tests])
        joined: Array = np.concatenate(said)[np.argsort(rows)]
        return joined


def _aligned(probabilities: Array, estimator: Any, classes: Array) -> Array:
    """Return probabilities of all classes: 0 for those that the estimator has not seen."""
    if len(estimator.classes_) == len(classes):
        return probabilities
    every = np.zeros((len(probabilities), len(classes)), probabilities.dtype)
    every[:, np.searchsorted(classes, estimator.classes_)] = probabilities
    return every
