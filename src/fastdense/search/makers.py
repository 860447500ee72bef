"""What makes trials: from an estimator, its candidates' parameters and numbers of rows."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing

from fastdense.engines.jobs import Fitting
from fastdense.engines.lanes import MOST_WEIGHTS
from fastdense.estimators.mlp import BaseMLP
from fastdense.estimators.sample import Latest, Sample
from fastdense.estimators.trials import has_epochs, trial_of
from fastdense.search.builder import Builder
from fastdense.training.sample import Sample as ModelSample

__all__ = ["Data", "EstimatorMaker", "Rows", "Trial", "check_estimator", "maker_of"]

Rows = NDArray[np.int64]
_CANDIDATES = 64


class Trial(Protocol):
    """One candidate that is fitted to some rows; it can pause after any epoch, and go on."""

    @property
    def epochs(self) -> int:
        """The epochs trained so far."""

    @property
    def ended(self) -> bool:
        """Whether it came to its own end: no progress, or as many epochs as it asks for."""

    @property
    def losses(self) -> Sequence[float]:
        """The training loss of every epoch."""

    @property
    def validation(self) -> Sequence[float]:
        """The validation score of every epoch, if there are any."""

    def go_on(self, epochs: int | None = None) -> Fitting[None]:
        """Train until there are ``epochs`` in all, or to the trial's own end."""

    def fitted(self) -> Any:
        """Return the estimator as it is after fitting these rows alone for as many epochs."""

    def score(self, rows: Rows, scorer: Callable[..., float] | None = None) -> float:
        """Return what the estimator's own ``score`` gives for some rows."""

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return all that going on needs: arrays, and values that JSON can hold."""

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""


class Data:
    """What a search was given to fit: rows, targets and what goes with each row.

    Parameters
    ----------
    X, y : array-like
    params : dict
        What else ``fit`` was given: ``sample_weight``, of a pipeline that of its last step.

    Raises
    ------
    TypeError
        There is something else.
    """

    def __init__(self, X: Any, y: Any, params: dict[str, Any]) -> None:
        self.X, self.y, self.params = X, y, params
        weights = {name: value for name, value in params.items() if name.split("__")[-1] == "sample_weight"}
        if unknown := params.keys() - weights.keys():
            raise TypeError(f"fit takes X, y, sample_weight and groups, but it was given {sorted(unknown)}")
        rows = X, y, next(iter(weights.values()), None)
        self.sample, self.for_models = Sample(*rows), ModelSample(*rows)

    def part(self, rows: Rows) -> tuple[Any, Any]:
        """Return some of the rows and their targets."""
        return _safe_indexing(self.X, rows), _safe_indexing(self.y, rows)


class EstimatorMaker:
    """Makes trials of an estimator of scikit-learn's kind.

    Parameters
    ----------
    estimator : estimator
        It is cloned, and never changed.
    data : Data
    """

    def __init__(self, estimator: Any, data: Data) -> None:
        self._estimator, self._data = clone(estimator), data
        self._parameters = self._estimator.get_params()
        steps = getattr(estimator, "steps", None)
        network = steps[-1][1] if steps else estimator
        self._is_network, self._trains_in_jobs = isinstance(network, BaseMLP), has_epochs(network)
        self._prefix = f"{steps[-1][0]}__" if steps else ""
        self._candidates = Latest(_CANDIDATES)

    def check(self, candidates: Sequence[Mapping[str, Any]]) -> None:
        """Raise ValueError if a candidate has a parameter that there is not."""
        known: set[tuple[str, ...]] = set()
        for parameters in candidates:
            swaps_parts = any(hasattr(value, "get_params") for value in parameters.values())
            if swaps_parts or tuple(parameters) not in known:
                known.add(tuple(parameters))
                self.built(parameters)

    def cost(self, parameters: Mapping[str, Any]) -> float:
        """Return epochs times weights, where the parameters tell."""
        given = {**self._parameters, **parameters}
        try:
            return float(given[f"{self._prefix}max_iter"] * sum(self._kernels(given, 1)))
        except (KeyError, TypeError, ValueError):  # another estimator; or a candidate that will say so itself
            return 0.0

    def is_small(self, parameters: Mapping[str, Any]) -> bool:
        """Return True if a candidate's network is one of those that may share lanes, as far as is known."""
        if not self._trains_in_jobs:
            return False
        try:
            kernels = self._kernels({**self._parameters, **parameters}, self._data.X.shape[1])
        except (AttributeError, KeyError, TypeError, IndexError):
            return False
        return max(kernels) <= MOST_WEIGHTS

    def _kernels(self, given: Mapping[str, Any], n_in: int) -> list[float]:
        """Return the number of weights of each layer."""
        sizes = np.ravel(given[f"{self._prefix}hidden_layer_sizes"]).tolist()
        return [a * b for a, b in pairwise([n_in, *sizes, 1])]

    @property
    def limit(self) -> str:
        """The name of the parameter that says how many epochs a trial has at most.

        Raises
        ------
        ValueError
            The estimator cannot pause between epochs.
        """
        if isinstance(self._estimator, Builder):
            return "epochs"
        if not self._is_network:
            raise ValueError(
                f"{type(self._estimator).__name__} cannot pause after some epochs: give an MLPClassifier, an "
                "MLPRegressor, a pipeline that ends in one or a Builder, or search with RandomSearch"
            )
        return f"{self._prefix}max_iter"

    @property
    def epochs(self) -> int:
        """The most epochs of a trial, where no candidate says otherwise."""
        return int(self._parameters[self.limit])

    def limited(self, epochs: int | None) -> Self:
        """Return what makes trials of as many epochs at most; of the estimator's own, if None."""
        changes = {} if epochs is None else {self.limit: epochs}
        return type(self)(clone(self._estimator).set_params(**changes), self._data)

    def built(self, parameters: Mapping[str, Any]) -> Any:
        """Return a new estimator with a candidate's parameters."""
        return clone(self._estimator).set_params(**clone(dict(parameters), safe=False))

    def _read(self, parameters: Mapping[str, Any]) -> Any:
        """Return an estimator with a candidate's parameters that is only read."""
        if not has_epochs(self._estimator) or not parameters.keys() <= self._parameters.keys():
            return self.built(parameters)
        made = object.__new__(type(self._estimator))  # no clone, which copies all parameters and their values
        vars(made).update(self._parameters, **parameters)
        return made

    def trial(self, parameters: Mapping[str, Any], rows: Rows) -> Trial:
        """Return a new trial, not yet trained."""
        # The splits of a candidate share an estimator, which trials only read.
        estimator = self._candidates.get("", parameters, lambda: self._read(parameters))
        if isinstance(estimator, Builder):
            return estimator.trial(self._data.for_models, rows)
        return trial_of(estimator, self._data.sample, rows)

    def fitted(self, parameters: Mapping[str, Any], until: float) -> Any:
        """Return an estimator fitted to all rows; a network has until a time of `time.monotonic`."""
        estimator, name = self.built(parameters), f"{self._prefix}max_time"
        own = estimator.get_params().get(name)
        if self._is_network and until < math.inf:
            left = max(until - time.monotonic(), sys.float_info.min)
            estimator.set_params(**{name: left if own is None else min(own, left)})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimator.fit(self._data.X, self._data.y, **self._data.params)
        return estimator.set_params(**{name: own}) if self._is_network else estimator


def check_estimator(estimator: Any) -> None:
    """Raise TypeError unless there is an estimator of scikit-learn's kind; a model needs a `Builder`."""
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        found = repr(estimator) if isinstance(estimator, type) else type(estimator).__name__
        raise TypeError(
            f"estimator must be one such as MLPClassifier(), got {found}; for a Sequential give "
            "fastdense.search.Builder a function that returns a new compiled one"
        )


def maker_of(estimator: Any, data: Data) -> EstimatorMaker:
    """Return what makes trials of an estimator."""
    return EstimatorMaker(estimator, data)
