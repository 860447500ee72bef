"""Searches that fit every candidate in full: those of a grid, and some drawn at random."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils._param_validation import Interval

from fastdense.search.base import BaseSearch

__all__ = ["GridSearch", "RandomSearch"]


class GridSearch(BaseSearch):
    """Fits every combination of parameters on every split: scikit-learn's GridSearchCV, on many threads.

    Each thread trains whole networks, one after another, and nothing waits for another one's step. Every fit
    has the bits of the estimator fitted alone, for any number of threads, with GridSearchCV's scores.

    Parameters
    ----------
    estimator : estimator
        `MLPClassifier`, `MLPRegressor`, or a pipeline that ends in one. Any other estimator is fitted on one
        thread.
    param_grid : dict or list of dict
        Lists of values by the parameters' names.
    scoring, refit, cv, error_score, return_train_score : optional
        As of ``sklearn.model_selection.GridSearchCV``.
    n_threads : int, optional
        The threads that train; as many as `fastdense.get_threads` says, if None.
    max_time : float, optional
        Seconds after which the search ends with what it has. A tenth of them is kept for ``refit``.
    verbose : int
        0 shows nothing.

    Attributes
    ----------
    cv_results_ : dict of str to array
        scikit-learn's table with an entry per candidate, and ``n_epochs``, the most epochs of a split;
        ``curves``, for each split the training loss and the validation score of every epoch; and ``error``,
        for each split why it has no score, or None. A fit's seconds are those from its start to its end,
        while others were at work.
    n_in_lanes_ : int
        How often a small network shared the lanes of vectors with others of its shape. Only the time depends
        on it, and it on which threads were free.
    best_estimator_, best_params_, best_score_, best_index_, refit_time_, scorer_, n_splits_, multimetric_
        As of scikit-learn's search.

    Examples
    --------
    >>> import fastdense as fd
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> network = fd.MLPClassifier((8,), max_iter=20, tol=0.0, n_iter_no_change=1000, random_state=0)
    >>> grid = {"learning_rate_init": [0.001, 0.03]}
    >>> search = fd.search.GridSearch(network, grid, cv=3, refit=False)
    >>> search.fit(X, y).best_params_
    {'learning_rate_init': 0.03}
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearch._parameter_constraints,
        "param_grid": [dict, list],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        n_threads: int | None = None,
        max_time: float | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator, self.param_grid = estimator, param_grid
        self.scoring, self.refit, self.cv = scoring, refit, cv
        self.error_score, self.return_train_score = error_score, return_train_score
        self.n_threads, self.max_time, self.verbose = n_threads, max_time, verbose

    def _candidates(self) -> list[dict[str, Any]]:
        return list(ParameterGrid(self.param_grid))


class RandomSearch(BaseSearch):
    """Fits parameters drawn at random on every split: scikit-learn's RandomizedSearchCV, on many threads.

    Parameters
    ----------
    estimator : estimator
        As of `GridSearch`.
    param_distributions : dict or list of dict
        By the parameters' names, lists of values, `fastdense.search.uniform` and its like, or SciPy's
        distributions.
    n_iter : int
        How many candidates are drawn.
    random_state : int or RandomState instance, optional
        Where they are drawn from; the draws are scikit-learn's.
    scoring, refit, cv, error_score, return_train_score, n_threads, max_time, verbose : optional
        As of `GridSearch`.

    Attributes
    ----------
    cv_results_, best_estimator_, best_params_, best_score_, best_index_, refit_time_
        As of `GridSearch`.

    References
    ----------
    J. Bergstra and Y. Bengio, "Random search for hyper-parameter optimization", 2012.

    Examples
    --------
    >>> import fastdense as fd
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> network = fd.MLPClassifier((8,), max_iter=20, tol=0.0, n_iter_no_change=1000, random_state=0)
    >>> space = {"learning_rate_init": fd.search.log_uniform(1e-3, 1e-1)}
    >>> search = fd.search.RandomSearch(network, space, n_iter=4, cv=3, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"]), list(search.best_params_)
    (4, ['learning_rate_init'])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearch._parameter_constraints,
        "param_distributions": [dict, list],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = None,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        n_threads: int | None = None,
        max_time: float | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator, self.param_distributions = estimator, param_distributions
        self.n_iter, self.random_state = n_iter, random_state
        self.scoring, self.refit, self.cv = scoring, refit, cv
        self.error_score, self.return_train_score = error_score, return_train_score
        self.n_threads, self.max_time, self.verbose = n_threads, max_time, verbose

    def _candidates(self) -> list[dict[str, Any]]:
        return list(ParameterSampler(self.param_distributions, self.n_iter, random_state=self.random_state))
