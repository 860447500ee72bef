"""What the classifier and the regressor share: fitting, in scikit-learn's steps, and what is kept of it."""

from __future__ import annotations

import math
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastdense import engines
from fastdense.core.spec import ActivationSpec
from fastdense.estimators import exchange
from fastdense.estimators.blueprint import (
    activation_spec,
    first_weights,
    hidden_sizes,
    network_spec,
    optimizer_spec,
)
from fastdense.estimators.goal import Goal, Numbers
from fastdense.estimators.inference import Inference
from fastdense.estimators.lbfgs import Objective, fit_lbfgs
from fastdense.estimators.listeners import Listeners
from fastdense.estimators.optimization import Optimization
from fastdense.estimators.parameters import SharedParameters, with_parameters
from fastdense.estimators.records import Records, Snapshot
from fastdense.estimators.rows import Rows, as_matrix, is_crowded, within
from fastdense.estimators.stochastic import NON_FINITE, Job, compiled, fit_stochastic
from fastdense.models.sequential import Sequential

__all__ = ["BaseMLP", "Given"]

Array = NDArray[Any]


class Given(NamedTuple):
    """The rows that `fit` was given: to train on, or to validate on; messages call the targets ``name``."""

    X: Any
    y: Any
    sample_weight: Any = None
    name: str = "y"
    classes: Any = None

    @property
    def rows(self) -> str:
        """What messages call the rows."""
        return self.name.replace("y", "X", 1)

    @classmethod
    def to_validate(cls, X: Any, y: Any, sample_weight: Any) -> Self | None:
        """Return the caller's validation rows, None where there are none.

        Raises
        ------
        ValueError
            There are rows without targets, or the other way round.
        """
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val go together: one of them was given without the other")
        return cls(X, y, sample_weight, "y_val")


@with_parameters
class BaseMLP(SharedParameters, Records, CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """The estimators' common part; use `MLPClassifier` or `MLPRegressor`."""

    @abstractmethod
    def _validated(self, given: Given, first_pass: bool, incremental: bool) -> tuple[Any, Array]:
        """Return rows and targets as scikit-learn validates them, and learn what classes there are."""

    def _checked(self, given: Given, first_pass: bool, **how: Any) -> tuple[Any, Array]:
        """Return rows and targets that scikit-learn's validation has passed, one column as a vector."""
        X, y = validate_data(
            self,
            given.X,
            given.y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=first_pass,
            **how,
        )
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    @abstractmethod
    def _goal(self, y: Array) -> Goal:
        """Return what is learned from validated targets."""

    def _weigh_targets(
        self, y: Array, rows: Array | None, incremental: bool
    ) -> Callable[[Array], Array] | None:
        """Return what gives each row the weight of its targets, or None for no weights.

        It is learned from these targets and the weights that their rows have already.
        """
        return None

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the network to rows and targets.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        X_val, y_val, sample_weight_val : the same, optional
            Rows to validate on after each epoch: with early_stopping they decide when to stop, in place of a
            ``validation_fraction``; without, they are only watched.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            The rows or a parameter cannot be used, or the loss became infinite. A fitted estimator is as it
            was before the call, after any error. One that was not fitted keeps the last finite weights of a
            training that had begun.
        """
        return self._fit(
            Given(X, y, sample_weight), Given.to_validate(X_val, y_val, sample_weight_val), False
        )

    @available_if(lambda self: self._check_solver())  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train one epoch more, on these rows.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        X_val, y_val, sample_weight_val : as in `fit`
            Needed by early_stopping, which then works over calls: once it has ended the training and gone
            back to the best weights, ``stopped_`` is True and later calls change nothing.

        Returns
        -------
        self
        """
        return self._continue(Given(X, y, sample_weight), Given.to_validate(X_val, y_val, sample_weight_val))

    def _fit(self, given: Given, held_out: Given | None, incremental: bool) -> Self:
        """Fit, or with ``incremental`` take one epoch more."""
        before = Snapshot.of(self, incremental)
        listeners = None
        try:
            solve = self._solver(self._prepared(given, held_out, incremental))
            if not incremental:
                listeners = Listeners(self, given.X, given.y, {"sample_weight": given.sample_weight})
        except BaseException:
            before.restore(self)
            raise
        try:
            with engines.at_most(self.n_threads), np.errstate(all="ignore"):
                solve(listeners)
            if not all(np.isfinite(array).all() for array in (*self.coefs_, *self.intercepts_)):
                raise ValueError(NON_FINITE)
            if listeners:
                listeners.fit_ended()
        except BaseException:
            if before.fitted:
                before.restore(self)
            raise
        return self

    def _prepared(self, given: Given, held_out: Given | None, incremental: bool) -> Job:
        """Return what the solvers are told, and leave the attributes as training starts from them."""
        self._check_combinations()
        first_pass = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        X, y = self._validated(given, first_pass, incremental)
        goal = self._goal(y)
        dtype = self._network_dtype(X, y if isinstance(goal, Numbers) else None, first_pass)
        random_state = check_random_state(self.random_state)
        self.n_outputs_, self.out_activation_ = goal.n_outputs, goal.out_activation
        widths = [X.shape[1], *hidden_sizes(self), goal.n_outputs]
        if first_pass:
            self.coefs_, self.intercepts_ = first_weights(self, widths, random_state, dtype)
            self._start_records()
        self._check_widths(widths)
        best = getattr(self, "best_validation_score_", None)
        if best is None or not math.isfinite(best):
            self._best_coefs, self._best_intercepts = self.coefs_, self.intercepts_
        self.n_layers_, self.stopped_, self._inference = len(widths), False, Inference()
        weigh = self._weigh_targets(y, _row_weights(given, X), incremental)
        rows = _rows(goal, weigh, given, X, y, dtype)
        if held_out is not None:
            X_val, y_val = self._validated(held_out, first_pass=False, incremental=True)
            held_out_rows = _rows(goal, weigh, held_out, X_val, y_val, dtype)
            self._check_held_out(len(held_out_rows), held_out_rows.weights)
            return self._job(rows, held_out_rows, widths, random_state, incremental)
        return self._job(rows, None, widths, random_state, incremental)

    def _check_combinations(self) -> None:
        """Raise ValueError where parameters exclude each other."""
        optimizer_spec(self)
        if self.solver != "lbfgs":
            return
        if self.dropout:
            raise ValueError("dropout needs solver='adam' or 'sgd': L-BFGS wants a loss that stays the same")
        if self.global_clipnorm is not None:
            raise ValueError("global_clipnorm needs solver='adam' or 'sgd': L-BFGS chooses its own steps")

    def _check_widths(self, widths: list[int]) -> None:
        """Raise ValueError unless the weights are those of layers of these widths."""
        found = [self.coefs_[0].shape[0], *(coef.shape[1] for coef in self.coefs_)]
        if found != widths:
            raise ValueError(
                f"the fitted network's layers have {found} units, from the input on, but hidden_layer_sizes "
                f"and the data ask for {widths}: fit it anew with warm_start=False, or keep to its sizes"
            )

    def _check_held_out(self, count: int, weights: Array | None) -> None:
        """Raise ValueError where rows have no score: they are too few, or weigh nothing."""
        if self.early_stopping and count < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        if weights is not None and not weights.sum() > 0:
            raise ValueError("the weights of the validation rows must have a sum above 0, with class_weight")

    def _out_curve(self) -> ActivationSpec:
        """Return the last layer's activation."""
        return activation_spec(self.out_activation_)

    def _solver(self, job: Job) -> Callable[[Listeners | None], None]:
        """Return what trains, compiled."""
        if self.solver == "lbfgs":
            return partial(fit_lbfgs, self, job, Objective(self, job))
        if not job.once or not hasattr(self, "_optimizer"):
            self._optimizer = Optimization(self)
        return partial(fit_stochastic, self, job, compiled(self, job), self._batch_rows(len(job.train)))

    def _job(
        self,
        rows: Rows,
        held_out: Rows | None,
        widths: list[int],
        random_state: np.random.RandomState,
        once: bool,
    ) -> Job:
        """Return what the solvers are told; dropout's seed is drawn, and rows are held out."""
        l2 = 0.5 * self.alpha * (rows.as_one_batch()[1] if self.solver == "lbfgs" else 1.0)
        network = network_spec(self, widths, self._out_curve(), l2, str(rows.X.dtype))
        seed = int(random_state.randint(2**31)) if self.dropout else 0
        train = np.arange(len(rows))
        if self.early_stopping and held_out is None and self.solver != "lbfgs":
            train, held = self._split(rows, random_state)
            held_out = rows.take(held)
        deadline = math.inf if self.max_time is None else time.monotonic() + self.max_time
        return Job(rows, train, held_out, network, seed, random_state, deadline, once)

    def _split(self, rows: Rows, random_state: np.random.RandomState) -> tuple[Array, Array]:
        """Return the numbers of the rows to train on and of those to validate on: scikit-learn's choice."""
        binary = rows.goal.loss.name == "binary_crossentropy" and self.n_outputs_ == 1
        train, held = train_test_split(
            np.arange(len(rows)),
            random_state=random_state,
            test_size=self.validation_fraction,
            stratify=rows.y.astype(bool) if binary else None,
        )
        self._check_held_out(len(held), None if rows.weights is None else rows.weights[held])
        return train, held

    def _network_dtype(self, X: Any, numbers: Array | None, first_pass: bool) -> str:
        """Return what the network computes in; ``numbers`` are the targets, if they are not classes.

        L-BFGS compares losses that differ in their last digits. Columns that float32 cannot tell apart need
        float64, whose weights are then scikit-learn's; a network in float64 stays in it.
        """
        if self.solver == "lbfgs":
            return "float64"
        if self.dtype == "auto":
            return str(X.dtype if first_pass else self.coefs_[0].dtype)
        wide = is_crowded(X) or (numbers is not None and is_crowded(numbers))
        wide = wide or not (first_pass or self.coefs_[0].dtype == np.float32)
        return "float64" if wide else self.dtype

    def _batch_rows(self, count: int) -> int:
        """Return the rows of a step, of so many."""
        if self.batch_size == "auto":
            return min(200, count)
        if self.batch_size > count:
            warnings.warn(
                f"Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: from "
                f"{self.batch_size} to {count}",
                stacklevel=2,
            )
        return int(min(self.batch_size, count))

    def _as_of_now(self) -> dict[str, Any]:
        """Return the fitted attributes as they are in the midst of a fit."""
        coefs, intercepts = (
            (self.coefs_, self.intercepts_) if self.solver == "lbfgs" else self._optimizer.weights()
        )
        return {"coefs_": coefs, "intercepts_": intercepts, "loss_curve_": list(self.loss_curve_)}

    def _check_solver(self) -> bool:
        """Return True, or raise AttributeError where the solver has no `partial_fit`."""
        if self.solver == "lbfgs":
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )
        return True

    def _continue(self, given: Given, held_out: Given | None) -> Self:
        """Take one epoch more."""
        if self.early_stopping and held_out is None:
            raise ValueError(
                "partial_fit does not support early_stopping=True without rows to validate on: give it X_val "
                "and y_val"
            )
        if self.early_stopping and getattr(self, "stopped_", False):
            return self
        return self._fit(given, held_out, True)

    def to_network(self) -> Sequential:
        """Return the fitted network as a `fastdense.Sequential`; see ``fastdense.estimators.exchange``."""
        return exchange.to_network(self)

    def to_sklearn(self) -> Any:
        """Return scikit-learn's own estimator, fitted; ValueError names what it has no equal of."""
        return exchange.to_sklearn(self)

    def __setstate__(self, state: Any) -> None:
        """Take the state of a pickle; NumPy's do not keep that arrays are read-only."""
        super().__setstate__(state)
        for name in ("coefs_", "intercepts_", "_best_coefs", "_best_intercepts"):
            for array in self.__dict__.get(name, ()):
                array.flags.writeable = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _row_weights(given: Given, X: Any) -> NDArray[np.float64] | None:
    """Return the caller's weights, checked."""
    if given.sample_weight is None:
        return None
    weights: NDArray[np.float64] = _check_sample_weight(given.sample_weight, X, dtype=np.float64)
    return weights


def _rows(
    goal: Goal, weigh: Callable[[Array], Array] | None, given: Given, X: Any, y: Array, dtype: str
) -> Rows:
    """Return validated rows as the engines take them, weighed by the caller and by their targets."""
    weights = _row_weights(given, X)
    if weigh is not None:
        weights = weigh(y) if weights is None else weights * weigh(y)
    if isinstance(goal, Numbers):
        y = within(given.name, y, dtype)
    return Rows(as_matrix(X, dtype, given.rows), goal.encode(y, dtype), weights, goal)
