"""A training that pauses, as arrays and plain values, and back: another process goes on to the same bits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.estimators.blueprint import Weights, flat
from fastdense.estimators.optimization import Optimization
from fastdense.estimators.orders import Orders
from fastdense.estimators.problem import Problem
from fastdense.estimators.state import FitState
from fastdense.estimators.stochastic import Training

__all__ = ["restored", "saved"]

_CURVES = ("loss_curve", "validation_scores", "validation_loss_curve")
_NUMBERS = ("loss", "best_loss", "best_validation_score")  # which JSON may be unable to say
_COUNTS = ("n_iter", "t", "no_improvement_count", "stopped")


def saved(training: Training) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return all that going on needs, besides the rows and the estimator."""
    problem, state, optimizer = training.problem, training.state, training.optimizer
    slots = training.program.slots()
    order, (_, generator, place, has_gauss, gauss) = problem.orders.state()
    arrays = {
        **_numbered("weights", flat(optimizer.weights())),
        **_numbered("best", flat((state.best_coefs, state.best_intercepts))),
        **_numbered("slots", [array for group in slots for array in group]),
        "train": problem.rows.numbers,
        "order": order,
        "generator": np.asarray(generator),
        "gauss": np.float64(gauss),
        "learning_rate": np.float64(optimizer.learning_rate),
        "seconds_left": np.float64(problem.deadline - time.monotonic()),
    }
    if problem.held_out is not None:
        arrays["held_out"] = problem.held_out.numbers
    for name in (*_CURVES, *_NUMBERS):
        if (value := getattr(state, name)) is not None:
            arrays[name] = np.array(value, np.float64)
    values = {name: getattr(state, name) for name in _COUNTS} | {
        "seed": problem.seed,
        "steps": optimizer.steps,
        "over": training.over,
        "generator": [int(place), int(has_gauss)],
    }
    return {name: np.asarray(array) for name, array in arrays.items()}, values


def restored(
    problem: Problem, state: FitState, arrays: Mapping[str, Array], values: Mapping[str, Any]
) -> Training:
    """Return the training that was saved, from that of the same rows and estimator before its first epoch."""
    generator = ("MT19937", arrays["generator"], *values["generator"], float(arrays["gauss"]))
    held_out = problem.held_out and replace(problem.held_out, numbers=arrays["held_out"])
    rows = replace(problem.rows, numbers=arrays["train"])
    deadline = time.monotonic() + float(arrays["seconds_left"])
    problem = replace(
        problem,
        rows=rows,
        held_out=held_out,
        seed=values["seed"],
        orders=Orders.at((arrays["order"], generator)),
        deadline=deadline,
    )
    for name in (*_CURVES, *_NUMBERS):
        setattr(state, name, arrays[name].tolist() if name in arrays else None)
    for name in _COUNTS:
        setattr(state, name, values[name])
    state.coefs, state.intercepts = _weights(arrays, "weights")
    state.best_coefs, state.best_intercepts = _weights(arrays, "best")
    state.optimizer = Optimization(problem.parameters)
    state.optimizer.resume(values["steps"], float(arrays["learning_rate"]), _slots(arrays))
    training = Training(problem, state)
    training.over = values["over"]
    training.finish()
    return training


def _numbered(name: str, arrays: Sequence[Array]) -> dict[str, Array]:
    return {f"{name}.{i}": array for i, array in enumerate(arrays)}


def _all(arrays: Mapping[str, Array], name: str) -> list[Array]:
    """Return the arrays that `_numbered` named, copied and read-only."""
    found: list[Array] = []
    while (key := f"{name}.{len(found)}") in arrays:
        found.append(np.array(arrays[key]))
        found[-1].flags.writeable = False
    return found


def _weights(arrays: Mapping[str, Array], name: str) -> Weights:
    found = _all(arrays, name)
    return found[::2], found[1::2]


def _slots(arrays: Mapping[str, Array]) -> list[tuple[Array, ...]]:
    found, parameters = _all(arrays, "slots"), len(_all(arrays, "weights"))
    each = len(found) // parameters
    return [tuple(found[i * each : (i + 1) * each]) for i in range(parameters)]
