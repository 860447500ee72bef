"""What trained networks come to: the model, its temperature, its residuals and its honest scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastdense.layers import Dense
from fastdense.models.sequential import Sequential
from fastdense.tables import Table
from fastdense.tabular.calibration import log_loss, logs_of, scaled, sharpness
from fastdense.tabular.fitting import Course
from fastdense.tabular.intervals import thinned
from fastdense.tabular.model import OutOfFold, TabularModel, TrainingRecord
from fastdense.tabular.scores import area
from fastdense.tabular.subject import Subject

__all__ = ["model_of"]

Float = NDArray[np.float64]


def model_of(courses: Sequence[Course], table: Table, subject: Subject) -> TabularModel:
    """Return the model of trained networks."""
    return (_classifier if subject.goal.classify else _regressor)(courses, table, subject)


class _Pool:
    """The honest predictions for the rows held out, the mean where several networks held a row out."""

    def __init__(self, courses: Sequence[Course], subject: Subject) -> None:
        rows = subject.judges
        total, count = np.zeros((len(rows), subject.goal.n_out)), np.zeros(len(rows))
        for course in courses:
            if len(course.part.held_out):
                total[course.part.held_out] += course.choice.honest()
                count[course.part.held_out] += 1.0
        places = np.flatnonzero(count)
        self.outputs: Float = total[places] / count[places, np.newaxis]
        self.y, self.numbers = rows.y[places], rows.numbers[places]
        self.weights, self.emphasis = rows.weights[places], rows.emphasis[places]

    def __len__(self) -> int:
        return len(self.y)

    def out_of_fold(self, predictions: Float) -> OutOfFold | None:
        """Return predictions of the rows, None if no row was held out."""
        return OutOfFold(self.numbers, predictions) if len(self) else None


def _classifier(courses: Sequence[Course], table: Table, subject: Subject) -> TabularModel:
    pool = _Pool(courses, subject)
    logs = logs_of(pool.outputs)
    b = sharpness(logs, pool.y, pool.emphasis) if len(pool) else 1.0
    chances = scaled(logs, b)
    return TabularModel(
        table,
        tuple(_sharpened(course.finish(), b) for course in courses),
        subject.goal.metric,
        temperature=1.0 / b,
        honest=_chances_scores(chances, pool) if len(pool) else {},
        out_of_fold=pool.out_of_fold(chances),
        histories=_histories(courses),
    )


def _regressor(courses: Sequence[Course], table: Table, subject: Subject) -> TabularModel:
    pool, goal, rows = _Pool(courses, subject), subject.goal, subject.judges
    found = goal.decode(pool.outputs[:, 0])
    return TabularModel(
        table,
        tuple(course.finish() for course in courses),
        goal.metric,
        goal.quantile,
        clamp=subject.clamp,
        residuals=tuple(
            thinned(goal.decode(rows.y[course.part.held_out, 0]) - goal.decode(course.choice.honest()[:, 0]))
            for course in courses
            if len(course.part.held_out)
        ),
        honest=_numbers_scores(found, goal.decode(pool.y[:, 0]), pool.weights) if len(pool) else {},
        out_of_fold=pool.out_of_fold(found),
        histories=_histories(courses),
    )


def _histories(courses: Sequence[Course]) -> tuple[TrainingRecord, ...]:
    return tuple(
        TrainingRecord(np.array(each.losses), np.array(each.choice.scores), each.choice.best)
        for each in courses
    )


def _sharpened(network: Sequential, by: float) -> Sequential:
    """Return a network once its logits are multiplied."""
    last = network.layers[-1]
    assert isinstance(last, Dense)
    last.set_weights([array * by for array in last.arrays])
    return network


def _chances_scores(chances: Float, pool: _Pool) -> dict[str, float]:
    right = chances.argmax(axis=1) == pool.y
    return {
        "log_loss": log_loss(logs_of(chances), pool.y, pool.weights),
        "accuracy": float(np.average(right, weights=pool.weights)),
        "auc": area(chances, pool.y, pool.weights),
    }


def _numbers_scores(found: Float, y: Float, weights: Float) -> dict[str, float]:
    """Return the scores of numbers, in their own units."""
    mean = np.average(y, weights=weights)
    square = float(np.average((found - y) ** 2, weights=weights))
    variance = float(np.average((y - mean) ** 2, weights=weights))
    return {
        "rmse": float(np.sqrt(square)),
        "mae": float(np.average(np.abs(found - y), weights=weights)),
        "r2": 1.0 - square / variance if variance else 0.0,
    }
