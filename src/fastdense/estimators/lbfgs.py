"""L-BFGS: SciPy's, over the engine's loss and gradient of all rows at once, in float64."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.utils.optimize import _check_optimize_result

from fastdense import engines
from fastdense.core.arrays import Array
from fastdense.core.spec import SGDSpec, TrainingSpec
from fastdense.engines.jobs import watched_by
from fastdense.estimators.blueprint import Weights, flat, grouped
from fastdense.estimators.listeners import Listeners
from fastdense.estimators.problem import NON_FINITE, Problem
from fastdense.estimators.state import FitState

__all__ = ["lbfgs"]


def lbfgs(problem: Problem, state: FitState) -> Callable[[Listeners | None], None]:
    """Return what minimises the loss from the state's weights, compiled."""
    return partial(_minimise, problem, state, Objective(problem, (state.coefs, state.intercepts)))


class Objective:
    """The loss of all rows as a function of one vector, with its gradient."""

    def __init__(self, problem: Problem, weights: Weights) -> None:
        self.problem, self.shapes = problem, [array.shape for array in flat(weights)]
        self.row_weights, _ = problem.rows.as_one_batch()
        training = TrainingSpec(problem.rows.goal.loss, SGDSpec())
        engine = engines.choose(problem.parameters.engine)
        self.program = engine.compile(problem.network, grouped(problem.network, *weights), training)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Return the loss and its gradient at ``x``."""
        rows = self.problem.rows
        self.set(self.unpacked(x))
        loss, gradients = self.program.gradients(rows.X, rows.y, self.row_weights)
        return loss, pack(gradients)

    def set(self, weights: Weights) -> None:
        """Give the program these weights."""
        self.program.set_parameters(grouped(self.problem.network, *weights))

    def shown(self, loss: float) -> float:
        """Return the loss as scikit-learn has it."""
        rows = self.problem.rows
        return (loss + rows.constant(rows.numbers, rows.weights)) / rows.goal.shares

    def weights(self, x: Array) -> Weights:
        """Return the kernels and biases of a vector, read-only."""
        coefs, intercepts = self.unpacked(x)
        for array in (*coefs, *intercepts):
            array.flags.writeable = False
        return coefs, intercepts

    def unpacked(self, x: Array) -> Weights:
        """Return the kernels and biases of a vector: views of it."""
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])
        arrays = [
            part.reshape(shape) for part, shape in zip(np.split(x, ends[:-1]), self.shapes, strict=True)
        ]
        return arrays[::2], arrays[1::2]


def _minimise(problem: Problem, state: FitState, objective: Objective, listeners: Listeners | None) -> None:
    """Minimise from the state's weights; it keeps those of the last iteration."""
    p = problem.parameters
    latest = OptimizeResult(x=pack(flat((state.coefs, state.intercepts))), fun=math.nan)
    asked_to_stop = False

    def iteration_ended(intermediate_result: OptimizeResult) -> None:
        nonlocal asked_to_stop
        latest.update(intermediate_result)
        latest.x = latest.x.copy()
        state.coefs, state.intercepts = objective.weights(latest.x)
        loss = objective.shown(float(latest.fun))
        watched = None
        if problem.watch is not None and math.isfinite(loss):
            objective.set((state.coefs, state.intercepts))
            watched = watched_by(objective.program, problem.watch)
        state.record(loss, problem.validated(watched), p.verbose)
        if listeners:
            listeners.epoch_begins()  # SciPy calls back when an iteration is over
            asked_to_stop = listeners.epoch_ended(state, lambda: (state.coefs, state.intercepts))
        if asked_to_stop or problem.out_of_time():
            raise StopIteration

    options = {"maxfun": p.max_fun, "maxiter": p.max_iter, "gtol": p.tol}
    found = None
    try:
        found = minimize(
            objective, latest.x, method="L-BFGS-B", jac=True, options=options, callback=iteration_ended
        )
        latest.update(found)
        if not asked_to_stop:
            state.n_iter = _check_optimize_result("lbfgs", found, p.max_iter)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    state.loss = state.best_loss = objective.shown(float(latest.fun))
    state.coefs, state.intercepts = objective.weights(latest.x)
    if found is not None and not math.isfinite(latest.fun):
        raise ValueError(f"{NON_FINITE} The loss is {latest.fun}: scale X (StandardScaler).")


def pack(arrays: Sequence[Array]) -> Array:
    """Return arrays as one vector."""
    return np.concatenate([array.ravel() for array in arrays])
