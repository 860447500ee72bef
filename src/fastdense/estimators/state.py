"""The state of a fit: what a solver changes, and what an estimator keeps of it as its fitted attributes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from fastdense.core.arrays import Array
from fastdense.engines.programs import Programs
from fastdense.estimators.blueprint import Weights
from fastdense.estimators.goal import Goal
from fastdense.estimators.optimization import Optimization

__all__ = ["FitState", "Fitted"]

_PRIVATE = {"best_coefs", "best_intercepts", "goal", "no_improvement_count", "optimizer"}


class Fitted:
    """What a fit leaves on an estimator, by scikit-learn's names: no parameters, so not a dataclass.

    Attributes
    ----------
    coefs_, intercepts_ : list of array
        The kernel, (n_in, n_units), and the biases of every layer: read-only. To change them, put another
        array in the list.
    loss_, best_loss_ : float
    loss_curve_, validation_loss_curve_, validation_scores_ : list of float
        An entry per epoch; the last two are None if no rows were held out. The training loss contains the
        penalty, the validation loss does not.
    best_validation_score_ : float or None
    n_iter_ : int
        The epochs of the last `fit`.
    t_ : int
        The rows trained on in all.
    n_layers_, n_outputs_, n_features_in_ : int
    out_activation_ : str
    feature_names_in_ : array of str
        The names of the columns of ``X``, if it has names.
    stopped_ : bool
        Whether early stopping has ended the training: `partial_fit` then changes nothing.
    """

    coefs_: list[Array]
    intercepts_: list[Array]
    classes_: Any
    feature_names_in_: Array
    n_features_in_: int
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    loss_: float
    best_loss_: float | None
    best_validation_score_: float | None
    loss_curve_: list[float]
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    n_iter_: int
    t_: int
    stopped_: bool
    _goal: Any
    _programs: Programs


@dataclass
class FitState:
    """The weights, the records of every epoch and the optimizer, as they are while an estimator is fitted.

    Attributes
    ----------
    goal : Goal
    coefs, intercepts : list of array
        Kernels and biases; those in training are the solver's until it hands them over.
    best_coefs, best_intercepts : list of array
        The weights of the best validation score.
    loss, best_loss, best_validation_score : float or None
        The last loss, None before the first epoch; the least one, None with early stopping; the best score,
        None without.
    loss_curve, validation_scores, validation_loss_curve : list of float
        An entry per epoch; None for the validation rows if there are none.
    n_iter, t : int
        Epochs of this call, and rows trained on in all.
    no_improvement_count : int
        Epochs without progress, one after another.
    stopped : bool
        Whether early stopping has ended the training.
    optimizer : Optimization or None
        None for L-BFGS.
    """

    goal: Goal
    coefs: list[Array]
    intercepts: list[Array]
    best_coefs: list[Array]
    best_intercepts: list[Array]
    best_loss: float | None = None
    best_validation_score: float | None = None
    loss: float | None = None
    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] | None = None
    validation_loss_curve: list[float] | None = None
    n_iter: int = 0
    t: int = 0
    no_improvement_count: int = 0
    stopped: bool = False
    optimizer: Optimization | None = None

    @classmethod
    def start(cls, goal: Goal, weights: Weights, early_stopping: bool) -> FitState:
        """Return the state before the first epoch."""
        state = cls(goal, *weights, *weights)
        if early_stopping:
            state.best_validation_score = -math.inf
        else:
            state.best_loss = math.inf
        return state

    @classmethod
    def of(cls, estimator: Any, goal: Goal) -> FitState:
        """Return the state that goes on from a fitted estimator, ours or scikit-learn's."""
        state = cls.start(goal, (estimator.coefs_, estimator.intercepts_), estimator.early_stopping)
        attributes = {**vars(estimator), "_goal": goal, "stopped_": False}
        for name, attribute in _ATTRIBUTES.items():
            value = attributes.get(attribute, getattr(state, name))
            setattr(state, name, [*value] if isinstance(value, list) else value)
        best = state.best_validation_score
        if best is None or not math.isfinite(best):
            state.best_coefs, state.best_intercepts = state.coefs, state.intercepts
        return state

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of an estimator that is fitted up to here."""
        found = {attribute: getattr(self, name) for name, attribute in _ATTRIBUTES.items()}
        for name in ("loss_", "_optimizer"):
            if found[name] is None:
                del found[name]
        found["n_layers_"], found["n_outputs_"] = len(self.coefs) + 1, self.goal.n_outputs
        found["out_activation_"] = self.goal.out_activation
        return found

    def record(self, loss: float, validated: tuple[float, float] | None, verbose: Any) -> None:
        """Write an epoch down: its loss, and the loss and the score of the rows held out."""
        self.n_iter += 1
        self.loss = loss
        self.loss_curve.append(loss)
        if verbose:
            print(f"Iteration {self.n_iter}, loss = {loss:.8f}")
        if validated is None:
            return
        self.validation_loss_curve = self.validation_loss_curve or []
        self.validation_scores = self.validation_scores or []
        self.validation_loss_curve.append(validated[0])
        self.validation_scores.append(validated[1])
        if verbose:
            print(f"Validation score: {validated[1]:f}")

    def judge(self, early_stopping: bool, tol: float, weights: Callable[[], Weights]) -> None:
        """Count whether the epoch improved on the best one by ``tol``, and keep the best score's weights."""
        if early_stopping:
            score = self.validation_scores[-1] if self.validation_scores else math.nan
            best = -math.inf if self.best_validation_score is None else self.best_validation_score
            stuck = score < best + tol
            if score > best:
                self.best_validation_score = score
                self.best_coefs, self.best_intercepts = weights()
        else:
            loss = self.loss_curve[-1]
            best = math.inf if self.best_loss is None else self.best_loss
            stuck = loss > best - tol
            self.best_loss = min(loss, best)
        self.no_improvement_count = self.no_improvement_count + 1 if stuck else 0


_ATTRIBUTES = {
    each.name: f"_{each.name}" if each.name in _PRIVATE else f"{each.name}_" for each in fields(FitState)
}
"""The estimator's attribute that keeps a field, by the field's name."""
