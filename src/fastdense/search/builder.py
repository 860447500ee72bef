"""An estimator whose network a function builds, so that a search can be over anything in a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from fastdense.core.arrays import Array
from fastdense.engines.jobs import alone
from fastdense.search.functions import FunctionTrial, goodness
from fastdense.training.sample import Sample

__all__ = ["Builder"]

_OWN = ("build", "epochs", "fit_options", "metric", "adapt")


class Builder(BaseEstimator):  # type: ignore[misc]
    """An estimator of scikit-learn's kind that fits the `fastdense.Sequential` that a function returns.

    The function's parameters are the estimator's: `GridSearch` and its like search over them, and over
    ``epochs``. Every fit has the bits of the function's model and its ``fit`` alone.

    Parameters
    ----------
    build : callable
        Returns a new compiled model for its parameters, which have names other than those below. Give the
        model a seed, or every fit has another one.
    epochs : int
    fit_options : mapping of str to value, optional
        Other arguments of `fastdense.Sequential.fit`: ``batch_size``, ``callbacks``, ``shuffle``,
        ``validation_split``, ``validation_data`` and ``class_weight``. Callbacks are copied for every fit.
    metric : str
        What `score` measures: "loss" or the name of one of the model's metrics. What is good when it is
        small, as a loss is, scores with the opposite sign.
    adapt : bool
        Let a `fastdense.layers.Normalization` that comes first take its statistics from the rows that the
        model trains on, and no others.
    **parameters
        Values for the function's parameters, in place of its defaults.

    Attributes
    ----------
    model_ : Sequential
        The fitted model.

    Examples
    --------
    >>> import fastdense as fd
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold
    >>> X, y = load_iris(return_X_y=True)
    >>> def build(units=8, rate=0.01):
    ...     layers = [fd.Normalization(), fd.Dense(units, "relu"), fd.Dense(3, "softmax")]
    ...     model = fd.Sequential(layers, seed=0)
    ...     model.compile(fd.optimizers.Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
    ...     return model
    >>> network = fd.search.Builder(build, epochs=20, metric="accuracy", adapt=True)
    >>> search = fd.search.GridSearch(network, {"rate": [1e-4, 1e-2]}, cv=StratifiedKFold(3)).fit(X, y)
    >>> search.best_params_
    {'rate': 0.01}
    """

    def __init__(
        self,
        build: Callable[..., Any],
        *,
        epochs: int = 1,
        fit_options: Mapping[str, Any] | None = None,
        metric: str = "loss",
        adapt: bool = False,
        **parameters: Any,
    ) -> None:
        self.build, self.epochs, self.fit_options = build, epochs, fit_options
        self.metric, self.adapt = metric, adapt
        self._parameters = parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters: its own, and the function's with their values or defaults."""
        declared = inspect.signature(self.build).parameters.values()
        defaults = {each.name: each.default for each in declared if each.default is not each.empty}
        return {**defaults, **self._parameters, **{name: getattr(self, name) for name in _OWN}}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, its own or the function's.

        Raises
        ------
        ValueError
            The function has no parameter of that name.
        """
        try:
            inspect.signature(self.build).bind_partial(
                **{name: value for name, value in params.items() if name not in _OWN}
            )
        except TypeError as error:
            raise ValueError(f"{error}: a Builder has {', '.join(self.get_params())}") from None
        for name, value in params.items():
            if name in _OWN:
                setattr(self, name, value)
            else:
                self._parameters = {**self._parameters, name: value}
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Build the model and fit it.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As of `fastdense.Sequential.fit`.

        Returns
        -------
        self
        """
        sample = Sample(X, y, sample_weight)
        trial = self.trial(sample, np.arange(len(X)))
        alone(trial.go_on())
        self.model_ = trial.model()
        return self

    def predict(self, X: Any) -> Array:
        """Return the model's outputs, of shape (m, n_out)."""
        outputs: Array = self.model_.predict(X)
        return outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return how good the model is on rows, by the metric; a large number is good."""
        return goodness(self.model_, self.metric, X, y, sample_weight)

    def trial(self, sample: Sample, rows: NDArray[np.int64]) -> BuilderTrial:
        """Return a fit to some rows of a sample that can pause."""
        return BuilderTrial(self, sample, rows)


class BuilderTrial(FunctionTrial):
    """A `Builder` that is fitted to some rows of a sample; it can pause after any epoch."""

    def __init__(self, builder: Builder, sample: Sample, rows: NDArray[np.int64]) -> None:
        given = builder.get_params()
        own = {name: given.pop(name) for name in _OWN}
        options = {**(own["fit_options"] or {}), "epochs": own["epochs"]}
        super().__init__(own["build"], given, sample, rows, options, own["metric"], own["adapt"])
        self._builder = builder

    def model(self) -> Any:
        """Return the model."""
        return super().fitted()

    def fitted(self) -> Builder:
        """Return a fitted estimator."""
        fitted = Builder(**self._builder.get_params(deep=False))
        fitted.model_ = self.model()
        return fitted

    def score(self, rows: NDArray[np.int64], scorer: Callable[..., float] | None = None) -> float:
        """Return the score of rows of the sample: the estimator's own, or a scorer's."""
        fitted, (X, y) = self.fitted(), self._sample.part(rows)
        return float(fitted.score(X, y) if scorer is None else scorer(fitted, X, y))
