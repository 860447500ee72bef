"""What the classifier and the regressor share: fitting, in scikit-learn's steps, and what is kept of it."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context, is_regressor
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from fastdense import engines
from fastdense.core.arrays import Array
from fastdense.engines.programs import Programs
from fastdense.estimators import exports
from fastdense.estimators.blueprint import check_combinations, first_weights, hidden_sizes
from fastdense.estimators.goal import Goal, Numbers
from fastdense.estimators.inference import is_plain, ready
from fastdense.estimators.lbfgs import lbfgs
from fastdense.estimators.listeners import Listeners
from fastdense.estimators.parameters import SharedParameters
from fastdense.estimators.problem import NON_FINITE, Problem, drawn, problem_of
from fastdense.estimators.rows import Given, Rows, are_crowded, as_matrix
from fastdense.estimators.state import FitState, Fitted
from fastdense.estimators.stochastic import Training, train
from fastdense.models.sequential import Sequential

__all__ = ["BaseMLP", "adopt"]


class BaseMLP(SharedParameters, Fitted, CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """The estimators' common part; use `MLPClassifier` or `MLPRegressor`."""

    @abstractmethod
    def _learn(self, y: Array, given: Given, first_pass: bool, incremental: bool) -> Goal:
        """Return what is learned from validated targets, which must fit what was learned before."""

    @abstractmethod
    def _learned(self, y: Array) -> Any:
        """Return what validated targets say whatever the parameters are; it raises if they cannot be used."""

    @abstractmethod
    def _goal_of(self, learned: Any) -> Goal:
        """Return the goal of targets that were learned from."""

    def _checked(self, given: Given, first_pass: bool) -> tuple[Any, Array]:
        """Return rows and targets that scikit-learn's validation has passed, one column as a vector."""
        X, y = validate_data(
            self,
            given.X,
            given.y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=is_regressor(self),
            dtype=(np.float64, np.float32),
            reset=first_pass,
        )
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _weigh_targets(
        self, goal: Any, y: Array, rows: Array | None, incremental: bool
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
        before, begun, listeners = self._as_it_is(incremental), False, None
        try:
            problem, state = self._prepared(given, held_out, incremental)
            if self.solver == "lbfgs":
                solve = lbfgs(problem, state)
            else:
                solve = partial(train, Training(problem, state))
            adopt(self, state)
            if not incremental:
                listeners = Listeners(self, given.X, given.y, {"sample_weight": given.sample_weight})
            begun = True
            try:
                with engines.at_most(self.n_threads), np.errstate(all="ignore"):
                    solve(listeners)
            finally:
                adopt(self, state)
            if not all(np.isfinite(array).all() for array in (*state.coefs, *state.intercepts)):
                raise ValueError(NON_FINITE)
            if listeners:
                listeners.fit_ended()
        except BaseException:
            if "coefs_" in before or not begun:
                self._go_back(before)
            raise
        return self

    def _as_it_is(self, incremental: bool) -> dict[str, Any]:
        """Return the attributes; an optimizer that ``incremental`` training changes is copied."""
        attributes = vars(self).copy()
        if incremental and "_optimizer" in attributes:
            attributes["_optimizer"] = copy.copy(attributes["_optimizer"])
        return attributes

    def _go_back(self, attributes: dict[str, Any]) -> None:
        """Put all attributes back, except for those of callbacks: scikit-learn tears those down."""
        of_callbacks = {name: value for name, value in vars(self).items() if "callback" in name}
        self.__dict__.clear()
        self.__dict__.update(attributes | of_callbacks)

    def _prepared(self, given: Given, held_out: Given | None, incremental: bool) -> tuple[Problem, FitState]:
        """Return what the solvers are given, and the state that training starts from."""
        check_combinations(self)
        first_pass = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        X, y = self._checked(given, first_pass)
        goal = self._learn(y, given, first_pass, incremental)
        numbers = y if isinstance(goal, Numbers) else None
        dtype = self._network_dtype(X.dtype, partial(are_crowded, X, numbers), first_pass)
        random_state = check_random_state(self.random_state)
        widths = [X.shape[1], *hidden_sizes(self), goal.n_outputs]
        if first_pass:
            weights = first_weights(self, widths, random_state, dtype)
            state = FitState.start(goal, weights, self.early_stopping)
        else:
            state = FitState.of(self, goal)
            state.n_iter, state.optimizer = 0, state.optimizer if incremental else None
        _check_widths(state.coefs, widths)
        weigh = self._weigh_targets(goal, y, given.weights(X), incremental)
        rows = Rows.of(goal, weigh, given, X, y, dtype)
        validation = None
        if held_out is not None:
            X_val, y_val = self._checked(held_out, first_pass=False)
            goal.check(y_val, held_out.name)
            validation = Rows.of(goal, weigh, held_out, X_val, y_val, dtype)
        draws = drawn(self, rows, validation is None, random_state)
        return problem_of(self, rows, validation, widths, draws, incremental), state

    def _network_dtype(self, given: Any, crowded: Callable[[], bool], first_pass: bool) -> str:
        """Return what the network computes in, for rows of the dtype ``given``.

        L-BFGS compares losses that differ in their last digits. Columns that float32 cannot tell apart need
        float64, whose weights are then scikit-learn's; a network in float64 stays in it.
        """
        if self.solver == "lbfgs":
            return "float64"
        if self.dtype == "auto":
            return str(given if first_pass else self.coefs_[0].dtype)
        wide = self.dtype == "float64" or not (first_pass or self.coefs_[0].dtype == np.float32)
        return "float64" if wide or crowded() else self.dtype

    def _check_solver(self) -> bool:
        """Return True, or raise AttributeError if the solver has no `partial_fit`."""
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

    def _outputs(self, X: Any) -> Array:
        """Return the network's outputs for rows, validated as scikit-learn does.

        Validation is skipped for rows that it would return as they are: for one row it takes ten times as
        long as all the rest.
        """
        if "coefs_" not in self.__dict__:
            check_is_fitted(self, "coefs_")
        weights = self.coefs_, self.intercepts_
        network = ready(self._programs, self, self.n_features_in_, weights, self._goal)
        if is_plain(X, self.n_features_in_) and "feature_names_in_" not in self.__dict__:
            matrix = X.astype(network.dtype, copy=False)
        else:
            X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
            matrix = as_matrix(X, str(network.dtype))
        if self.n_threads is None:
            return network.run(matrix)
        with engines.at_most(self.n_threads):
            return network.run(matrix)

    def to_network(self) -> Sequential:
        """Return the fitted network: to freeze and serve, to save, or to compile and train on.

        Its outputs are what ``predict_proba`` returns (for two classes the second one's probability), or a
        regressor's predictions as a matrix.

        Raises
        ------
        NotFittedError
        """
        check_is_fitted(self)
        return exports.to_network(self, (self.coefs_, self.intercepts_), self._goal)

    def to_sklearn(self) -> Any:
        """Return scikit-learn's estimator, fitted alike.

        Raises
        ------
        NotFittedError
        ValueError
            scikit-learn's has no such activation, loss or labels; it is named.
        """
        check_is_fitted(self)
        return exports.to_sklearn(self, FitState.of(self, self._goal))

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


def adopt(estimator: BaseMLP, state: FitState) -> None:
    """Give an estimator the attributes that a fit has come to."""
    estimator.__dict__.update(state.attributes(), _programs=Programs())


def _check_widths(coefs: list[Array], widths: list[int]) -> None:
    """Raise ValueError unless the weights are those of layers of these widths."""
    found = [coefs[0].shape[0], *(coef.shape[1] for coef in coefs)]
    if found != widths:
        raise ValueError(
            f"the fitted network's layers have {found} units, from the input on, but hidden_layer_sizes "
            f"and the data ask for {widths}: fit it again with warm_start=False, or keep to its sizes"
        )
