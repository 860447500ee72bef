"""The regressor."""

from __future__ import annotations

from dataclasses import KW_ONLY
from numbers import Real
from typing import Any

from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import Interval

from fastdense.core.arrays import Array
from fastdense.core.parameters import parameter
from fastdense.core.spec import LOSSES, LossSpec
from fastdense.estimators.goal import Numbers, columns_of
from fastdense.estimators.mlp import BaseMLP
from fastdense.estimators.parameters import Allowed, LossParameters
from fastdense.estimators.rows import Given

__all__ = ["MLPRegressor", "loss_of"]

_LOSSES = {"squared_error": "mean_squared_error", "absolute_error": "mean_absolute_error"}


class MLPRegressor(RegressorMixin, BaseMLP, LossParameters):  # type: ignore[misc]
    """A dense network that predicts numbers: scikit-learn's MLPRegressor on fastdense's engines.

    Attributes
    ----------
    <attributes>

    Notes
    -----
    The losses of several outputs are summed and the loss that is shown is their mean, as in scikit-learn. Its
    L-BFGS is handed the mean's value beside the sum's gradient; here both are the sum's.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from fastdense import MLPRegressor
    >>> X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> model = MLPRegressor(random_state=1, max_iter=2000, tol=0.1).fit(X, y)
    >>> round(model.score(X, y), 2)
    1.0
    """

    _: KW_ONLY
    quantile: float = parameter(
        Allowed(Interval(Real, 0, 1, closed="neither")),
        "The quantile that loss='quantile' predicts.",
        default=0.5,
    )
    delta: float = parameter(
        Allowed(Interval(Real, 0, None, closed="neither")),
        "The error from which on loss='huber' is a line.",
        default=1.0,
    )

    def _learn(self, y: Array, given: Given, first_pass: bool, incremental: bool) -> Numbers:
        numbers = self._goal_of(columns_of(y) if first_pass else self.n_outputs_)
        numbers.check(y)
        return numbers

    def _learned(self, y: Array) -> int:
        columns = columns_of(y)
        self._goal_of(columns).check(y)
        return columns

    def _goal_of(self, learned: int) -> Numbers:
        return Numbers.of(learned, loss_of(self))

    def predict(self, X: Any) -> Array:
        """Return the network's outputs.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs), the network's dtype
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs


def loss_of(regressor: MLPRegressor) -> LossSpec:
    """Return what a regressor minimises, by its parameters."""
    settings = {"huber": {"delta": regressor.delta}, "quantile": {"quantile": regressor.quantile}}
    kind = LOSSES[_LOSSES.get(regressor.loss, regressor.loss)]
    found: LossSpec = kind(**settings.get(regressor.loss, {}))
    return found
