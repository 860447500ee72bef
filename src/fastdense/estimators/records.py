"""What an estimator writes down while it is fitted, and whether it has stopped getting better."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.estimators.blueprint import Weights

if TYPE_CHECKING:
    from fastdense.estimators.inference import Inference
    from fastdense.estimators.optimization import Optimization

__all__ = ["Records", "Snapshot"]

Array = NDArray[Any]


class Snapshot(NamedTuple):
    """An estimator as it is before a fit, to go back to if that fails.

    Attributes
    ----------
    attributes : dict
    lengths : dict of str to int
        How long its lists are: a fit that goes on appends to them.
    """

    attributes: dict[str, Any]
    lengths: dict[str, int]

    @classmethod
    def of(cls, estimator: Any, incremental: bool) -> Snapshot:
        """Return an estimator's attributes; what ``incremental`` training changes in place is copied."""
        attributes = estimator.__dict__.copy()
        if incremental and "_optimizer" in attributes:
            attributes["_optimizer"] = copy.copy(attributes["_optimizer"])
        return cls(attributes, {name: len(own) for name, own in attributes.items() if isinstance(own, list)})

    @property
    def fitted(self) -> bool:
        """Whether the estimator had been fitted."""
        return "coefs_" in self.attributes

    def restore(self, estimator: Any) -> None:
        """Put everything back, except for callbacks' own attributes: scikit-learn tears those down."""
        of_callbacks = {name: value for name, value in estimator.__dict__.items() if "callback" in name}
        for name, length in self.lengths.items():
            del self.attributes[name][length:]
        estimator.__dict__.clear()
        estimator.__dict__.update(self.attributes | of_callbacks)


class Records:
    """The attributes of a fit, by scikit-learn's names: no parameters, so no fields of a dataclass.

    Attributes
    ----------
    loss_, best_loss_, best_validation_score_ : float
        The last loss; the least one, None with early stopping; the best score, None without.
    loss_curve_, validation_scores_, validation_loss_curve_ : list of float
        An entry an epoch; of the validation rows, None where there are none.
    n_iter_, t_ : int
        Epochs of the last call, and rows trained on in all.
    """

    coefs_: list[Array]
    intercepts_: list[Array]
    classes_: Any
    n_features_in_: int
    n_outputs_: int
    n_layers_: int
    out_activation_: str
    stopped_: bool
    tol: float
    early_stopping: bool
    n_iter_no_change: float
    loss_: float
    best_loss_: float | None
    best_validation_score_: float | None
    loss_curve_: list[float]
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    n_iter_: int
    t_: int
    _no_improvement_count: int
    _best_coefs: list[Array]
    _best_intercepts: list[Array]
    _label_kind: str
    _sparse_labels: bool
    _optimizer: Optimization
    _inference: Inference

    def _start_records(self) -> None:
        """Begin anew."""
        self.n_iter_ = self.t_ = self._no_improvement_count = 0
        self.loss_curve_ = []
        self.validation_scores_ = self.validation_loss_curve_ = None
        self.best_loss_ = None if self.early_stopping else np.inf
        self.best_validation_score_ = -np.inf if self.early_stopping else None

    def _record_validation(self, loss: float, score: float) -> None:
        """Write an epoch's validation down."""
        self.validation_scores_ = self.validation_scores_ or []
        self.validation_loss_curve_ = self.validation_loss_curve_ or []
        self.validation_scores_.append(score)
        self.validation_loss_curve_.append(loss)

    def _better_loss(self) -> None:
        """Count whether the last loss improved on the best one by `tol`."""
        loss = self.loss_curve_[-1]
        best = np.inf if self.best_loss_ is None else self.best_loss_
        self._no_improvement_count = self._no_improvement_count + 1 if loss > best - self.tol else 0
        self.best_loss_ = min(loss, best)

    def _better_score(self, weights: Callable[[], Weights]) -> None:
        """Count whether the last score improved on the best one by `tol`, and keep the best one's weights."""
        score = self.validation_scores_[-1] if self.validation_scores_ else np.nan
        best = -np.inf if self.best_validation_score_ is None else self.best_validation_score_
        self._no_improvement_count = self._no_improvement_count + 1 if score < best + self.tol else 0
        if score > best:
            self.best_validation_score_ = score
            self._best_coefs, self._best_intercepts = weights()

    @property
    def _why_stuck(self) -> str | None:
        """Why training should stop, None where it should not."""
        if self._no_improvement_count <= self.n_iter_no_change:
            return None
        what = "Validation score" if self.early_stopping else "Training loss"
        patience = f"{self.n_iter_no_change} consecutive epochs"
        return f"{what} did not improve more than tol={self.tol:f} for {patience}."
