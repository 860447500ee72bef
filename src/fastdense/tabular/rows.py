"""The rows of a table as networks take them: those with a target and a weight, as one matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastdense.core.arrays import Array
from fastdense.errors import TableError
from fastdense.tables import Cells, Table
from fastdense.tables.frames import Frame
from fastdense.tables.targets import Classes, Task, find_task, learn_target, without_value
from fastdense.tables.values import Column
from fastdense.tabular.goals import Goal
from fastdense.tabular.settings import Settings
from fastdense.tabular.split import places_with_target

__all__ = ["Known", "Rows", "class_weights", "known", "learned", "rows_of"]


@dataclass(frozen=True, eq=False)
class Known:
    """The rows of a frame that can be learned from, before a table is learned of them.

    Attributes
    ----------
    data : Frame
    column : Column
        The target.
    weights : float64 array of shape (m,)
    numbers : int64 array of shape (m,)
        The rows' numbers in the frame, from 0.
    task : "classify" or "regress"
    """

    data: Frame
    column: Column
    weights: NDArray[np.float64]
    numbers: NDArray[np.int64]
    task: Literal["classify", "regress"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to train on or to choose by.

    Attributes
    ----------
    X : float32 array of shape (m, n_in)
    y : int64 array of shape (m,) or float32 array of shape (m, 1)
    weights : float64 array of shape (m,)
        Those of the rows, as the caller gave them, with the mean 1.
    emphasis : float64 array of shape (m,)
        These times the classes' weights, with the mean 1: what training and the choice of the epoch use.
    numbers : int64 array of shape (m,)
    """

    X: Array
    y: Array
    weights: NDArray[np.float64]
    emphasis: NDArray[np.float64]
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)


def known(frame: Any, target: Any, task: Task, cells: Cells | None, sample_weight: ArrayLike | None) -> Known:
    """Return the rows that have a target and a weight above 0.

    Parameters
    ----------
    frame : data frame
    target : str, int or array-like of shape (m,)
        A column's name, or the values.
    task : "auto", "classify" or "regress"
    cells : Cells, optional
    sample_weight : array-like of shape (m,), optional

    Raises
    ------
    TableError
        The target is not there, or no row has one; the weights are not one number from 0 per row.
    """
    whole = Frame(frame, cells)
    column = _target_of(whole, target)
    weights = _checked(sample_weight, len(whole))
    found = find_task(column, task)
    kept = places_with_target(column, without_value(column, found))
    kept = kept[weights[kept] > 0.0]
    if not len(kept):
        raise TableError(f"target {column.name!r} has no value in any row with a weight above 0")
    return Known(whole.take(kept), column.take(kept), weights[kept], kept, found)


def learned(rows: Known, target: Any, types: Mapping[Any, str] | None, cells: Cells | None) -> Table:
    """Return what turns the rows' columns into features, and their target into what to learn."""
    weights = None if np.ptp(rows.weights) == 0 else rows.weights
    how: dict[str, Any] = {"types": types, "cells": cells, "embedded": True, "weights": weights}
    if _is_name(target):
        return Table.learn(rows.data, str(target), task=rows.task, **how)
    table = Table.learn(rows.data, **how)
    return replace(table, target=learn_target(rows.column, rows.task, weights))


def rows_of(rows: Known, table: Table, goal: Goal, settings: Settings) -> Rows:
    """Return rows as networks take them."""
    X, y = table.features(rows.data), goal.encode(rows.column)
    weights = rows.weights / rows.weights.mean()
    emphasis = weights * class_weights(goal, y, weights, settings.class_weight)
    return Rows(X, y, weights, emphasis / emphasis.mean(), rows.numbers)


def class_weights(goal: Goal, y: Array, weights: NDArray[np.float64], given: Any) -> NDArray[np.float64]:
    """Return what each row's weight is multiplied by for its class.

    Raises
    ------
    TableError
        Weights of classes are given to regress, for a label that is unknown, or not above 0.
    """
    if given is None:
        return np.ones(len(y))
    if not isinstance(goal.target, Classes):
        raise TableError("class_weight is of classes, and the task is to regress: use sample_weight")
    labels = goal.target.labels
    if given == "balanced":
        of_class = len(y) / np.maximum(np.bincount(y, weights, len(labels)), 1e-12)
        return np.asarray(of_class[y] / len(labels), dtype=np.float64)
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise TableError(f"class_weight: {unknown[0]!r} is not a label of target {goal.target.name!r}")
    values = np.array([float(given.get(label, 1.0)) for label in labels])
    if not (np.isfinite(values).all() and (values > 0.0).all()):
        raise TableError(f"class_weight: weights are numbers above 0, not {dict(given)!r:.200}")
    return np.asarray(values[y], dtype=np.float64)


def _is_name(target: Any) -> bool:
    return isinstance(target, str | int | np.integer)


def _target_of(whole: Frame, target: Any) -> Column:
    """Return the column of a name, or one of values under a name that no column has."""
    if _is_name(target):
        return whole.column(target)
    name = "target"
    while name in whole.names:
        name += "_"
    column = Frame({name: target}, whole.cells).column(name)
    if len(column) != len(whole):
        raise TableError(f"there are {len(column):,} targets for {len(whole):,} rows")
    return column


def _checked(sample_weight: ArrayLike | None, rows: int) -> NDArray[np.float64]:
    if sample_weight is None:
        return np.ones(rows)
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (rows,):
        raise TableError(f"sample_weight is one number per row, of shape ({rows},), not {weights.shape}")
    if not (np.isfinite(weights).all() and (weights >= 0.0).all()):
        raise TableError("sample_weight: weights are finite numbers from 0")
    return weights
