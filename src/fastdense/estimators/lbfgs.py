"""L-BFGS: SciPy's, over the engine's loss and gradient of all rows at once, in float64."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize
from sklearn.utils.optimize import _check_optimize_result

from fastdense import engines
from fastdense.core.spec import OptimizerSpec, TrainingSpec
from fastdense.estimators.blueprint import Weights, flat, grouped
from fastdense.estimators.listeners import Listeners
from fastdense.estimators.stochastic import NON_FINITE, Job, validate

if TYPE_CHECKING:
    from fastdense.estimators.mlp import BaseMLP

__all__ = ["Objective", "fit_lbfgs"]

Array = NDArray[Any]


class Objective:
    """The loss of all rows as a function of one vector, with its gradient."""

    def __init__(self, estimator: BaseMLP, job: Job) -> None:
        weights = estimator.coefs_, estimator.intercepts_
        self.job, self.shapes = job, [array.shape for array in flat(weights)]
        self.row_weights, _ = job.rows.as_one_batch()
        training = TrainingSpec(job.rows.goal.loss, OptimizerSpec("sgd"))
        engine = engines.choose(estimator.engine)
        self.program = engine.compile(job.network, grouped(job.network, *weights), training)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Return the loss and its gradient at ``x``."""
        self.program.set_parameters(grouped(self.job.network, *self.unpacked(x)))
        loss, gradients = self.program.gradients(self.job.rows.X, self.job.rows.y, self.row_weights)
        return loss, pack(gradients)

    def shown(self, loss: float) -> float:
        """Return the loss as scikit-learn has it."""
        rows = self.job.rows
        return (loss + rows.constant(slice(None), rows.weights)) / rows.goal.shares

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


def fit_lbfgs(estimator: BaseMLP, job: Job, objective: Objective, listeners: Listeners | None) -> None:
    """Minimise from the estimator's weights; it keeps those of the last iteration."""
    latest = OptimizeResult(x=pack(flat((estimator.coefs_, estimator.intercepts_))), fun=math.nan)
    asked_to_stop = False
    estimator.n_iter_ = 0

    def iteration_ended(intermediate_result: OptimizeResult) -> None:
        nonlocal asked_to_stop
        latest.update(intermediate_result)
        latest.x = latest.x.copy()
        _record(estimator, job, objective, latest)
        if listeners:
            listeners.epoch_begins()  # SciPy tells of an iteration when it is over
            asked_to_stop = listeners.epoch_ended(estimator._as_of_now)
        if asked_to_stop or job.out_of_time():
            raise StopIteration

    options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
    found = None
    try:
        found = minimize(
            objective, latest.x, method="L-BFGS-B", jac=True, options=options, callback=iteration_ended
        )
        latest.update(found)
        if not asked_to_stop:
            estimator.n_iter_ = _check_optimize_result("lbfgs", found, estimator.max_iter)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    estimator.loss_ = estimator.best_loss_ = objective.shown(float(latest.fun))
    estimator.coefs_, estimator.intercepts_ = objective.weights(latest.x)
    if found is not None and not math.isfinite(latest.fun):
        raise ValueError(f"{NON_FINITE} The loss is {latest.fun}: scale X (StandardScaler).")


def _record(estimator: BaseMLP, job: Job, objective: Objective, latest: OptimizeResult) -> None:
    """Write an iteration down, and validate."""
    estimator.n_iter_ += 1
    estimator.loss_ = objective.shown(float(latest.fun))
    estimator.loss_curve_.append(estimator.loss_)
    estimator.coefs_, estimator.intercepts_ = objective.weights(latest.x)
    if estimator.verbose:
        print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
    if job.held_out is not None:
        weights = estimator.coefs_, estimator.intercepts_
        objective.program.set_parameters(grouped(job.network, *weights))
        validate(estimator, objective.program, job.held_out)


def pack(arrays: Sequence[Array]) -> Array:
    """Return arrays as one vector."""
    return np.concatenate([array.ravel() for array in arrays])
