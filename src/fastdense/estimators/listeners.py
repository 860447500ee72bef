"""scikit-learn's callbacks, told of the epochs of a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
    """

    def __init__(self, estimator: Any, X: Any, y: Any, metadata: Mapping[str, Any]) -> None:
        given = {name: value for name, value in metadata.items() if value is not None}
        self._told = {"estimator": estimator, "X": X, "y": y, "metadata": given}
        self._fit = estimator._init_callback_context(max_subtasks=estimator.max_iter)
        self._any = bool(getattr(estimator, "_skl_callbacks", []))
        self._fit.call_on_fit_task_begin(**self._told)
        self._epoch: Any = None

    def epoch_begins(self) -> None:
        """Tell them that an epoch, or an iteration of L-BFGS, begins."""
        if self._any:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._told)

    def epoch_ended(self, fitted: Callable[[], dict[str, Any]]) -> bool:
        """Tell them that it ended; return whether one wants to stop.

        ``fitted`` returns the attributes that an estimator fitted up to here has.
        """
        if not self._any:
            return False
        return bool(self._epoch.call_on_fit_task_end(**self._told, reconstruction_attributes=fitted))

    def fit_ended(self) -> None:
        """Tell them that all epochs are over, the estimator being fitted."""
        self._fit.call_on_fit_task_end(**self._told, reconstruction_attributes=dict)
