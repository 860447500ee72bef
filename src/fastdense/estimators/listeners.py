"""scikit-learn's callbacks, which hear of the epochs of a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastdense.estimators.blueprint import Weights
from fastdense.estimators.state import FitState

__all__ = ["Listeners"]


class Listeners:
    """The callbacks that were set on an estimator or on what it is part of (`sklearn.callback`).

    Parameters
    ----------
    estimator : estimator with scikit-learn's CallbackSupportMixin
    X, y : array-like
        The rows of the fit, as the caller gave them.
    metadata : mapping
        What came with them, such as ``sample_weight``; None is left out.

    Attributes
    ----------
    any : bool
        Whether there are any, which then must hear of each epoch before the next one begins.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, metadata: Mapping[str, Any]) -> None:
        given = {name: value for name, value in metadata.items() if value is not None}
        self._given = {"estimator": estimator, "X": X, "y": y, "metadata": given}
        self._fit = estimator._init_callback_context(max_subtasks=estimator.max_iter)
        self.any = bool(getattr(estimator, "_skl_callbacks", []))
        self._fit.call_on_fit_task_begin(**self._given)
        self._epoch: Any = None

    def epoch_begins(self) -> None:
        """Call them as an epoch, or an iteration of L-BFGS, begins."""
        if self.any:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._given)

    def epoch_ended(self, state: FitState, weights: Callable[[], Weights]) -> bool:
        """Call them as an epoch ends; return True if one wants to stop.

        They see the epoch's records on the estimator, and can ask for a copy that is fitted up to here.
        """
        if not self.any:
            return False
        vars(self._given["estimator"]).update(state.attributes())

        def fitted() -> dict[str, Any]:
            coefs, intercepts = weights()
            curve = list(state.loss_curve)
            return {"coefs_": coefs, "intercepts_": intercepts, "loss_curve_": curve}

        return bool(self._epoch.call_on_fit_task_end(**self._given, reconstruction_attributes=fitted))

    def fit_ended(self) -> None:
        """Call them after the last epoch, when the estimator is fitted."""
        self._fit.call_on_fit_task_end(**self._given, reconstruction_attributes=dict)
