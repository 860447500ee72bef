"""The rows that many estimators are fitted to parts of: validated once, and never copied for a part."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from fastdense.core.arrays import Array
from fastdense.estimators.goal import Goal, Numbers
from fastdense.estimators.mlp import BaseMLP
from fastdense.estimators.parameters import validated
from fastdense.estimators.rows import Given, Rows, are_crowded, as_matrix, within

__all__ = ["Fold", "Latest", "Sample", "Table"]

T = TypeVar("T")
_FOLDS = 64
_DRAWN = 16
_PREPROCESSED = 16  # which are copies of the rows


class Latest:
    """What was made for a key and an object, such as an array of row numbers, which is known by its identity.

    Parameters
    ----------
    count : int
        How many are kept: those that were asked for last.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: OrderedDict[object, tuple[object, Any]] = OrderedDict()

    def get(self, key: object, of: object, make: Callable[[], T]) -> T:
        """Return what there is, made if there is nothing."""
        place = (key, id(of))  # that of an object that is kept, so of no other one
        if place not in self._kept:
            self._kept[place] = of, make()
            if len(self._kept) > self._count:
                self._kept.popitem(last=False)
        self._kept.move_to_end(place)
        found: T = self._kept[place][1]
        return found


class Table:
    """Rows and targets that scikit-learn's validation for an estimator has passed.

    Raises
    ------
    ValueError
        They cannot be used: what `fit` raises.
    """

    def __init__(self, estimator: BaseMLP, given: Given) -> None:
        checked = clone(estimator)
        self.X, self.y = checked._checked(given, first_pass=True)
        self.weights = given.weights(self.X)
        seen = {"n_features_in_", "feature_names_in_"}
        self.attributes = {name: value for name, value in vars(checked).items() if name in seen}
        self._matrices: dict[str, Any] = {}

    def matrix(self, dtype: str) -> Any:
        """Return the rows in a network's dtype, made once."""
        if dtype not in self._matrices:
            self._matrices[dtype] = as_matrix(self.X, dtype)
        return self._matrices[dtype]

    @cached_property
    def fits_float32(self) -> bool:
        """Whether float32 can hold all rows, and so those of any part."""
        values = self.X.data if issparse(self.X) else self.X
        largest = max(values.max(), -values.min()) if values.size else 0.0
        return bool(largest < np.finfo(np.float32).max)


class Fold:
    """Some rows of a table, and what estimators that are fitted to them have in common.

    Parameters
    ----------
    table : Table
    numbers : int64 array
        The rows.
    """

    def __init__(self, table: Table, numbers: NDArray[np.int64]) -> None:
        self.table, self.numbers = table, numbers
        self.y = table.y[numbers]
        self._learned: Any = None
        self._encoded: dict[Hashable, Array] = {}

    @cached_property
    def repeats(self) -> bool:
        """Whether a row is there more than once."""
        return len(np.unique(self.numbers)) < len(self.numbers)

    @cached_property
    def _crowded(self) -> bool:
        return are_crowded(self.table.X[self.numbers], None)

    @cached_property
    def _crowded_targets(self) -> bool:
        return are_crowded(self.y, None)

    def goal(self, estimator: BaseMLP) -> Goal:
        """Return an estimator's goal, learned from these rows alone."""
        if self._learned is None:
            self._learned = estimator._learned(self.y)
        return estimator._goal_of(self._learned)

    def rows(self, estimator: BaseMLP, goal: Goal) -> Rows:
        """Return the rows as an estimator's network takes them.

        Targets and weights have a place for every row of the table, and those of other rows mean nothing.
        """

        def crowded() -> bool:
            return self._crowded or (isinstance(goal, Numbers) and self._crowded_targets)

        dtype = estimator._network_dtype(self.table.X.dtype, crowded, first_pass=True)
        key = dtype, type(goal.loss)
        if key not in self._encoded:
            y = within("y", self.y, dtype) if isinstance(goal, Numbers) else self.y
            self._encoded[key] = self._spread(goal.encode(y, dtype))
        weights = self._weights(estimator, goal)
        return Rows(self.table.matrix(dtype), self._encoded[key], weights, goal, self.numbers)

    def _weights(self, estimator: BaseMLP, goal: Goal) -> Array | None:
        own = None if self.table.weights is None else self.table.weights[self.numbers]
        of_targets = estimator._weigh_targets(goal, self.y, own, incremental=False)
        if of_targets is None:
            return self.table.weights
        return self._spread(of_targets(self.y) if own is None else own * of_targets(self.y))

    def _spread(self, values: Array) -> Array:
        """Return one value per row of the table, zeros for those that are not of the fold."""
        spread = np.zeros((self.table.y.shape[0], *values.shape[1:]), values.dtype)
        spread[self.numbers] = values
        return spread


class Sample:
    """Rows, targets and weights, as `fit` takes them, that many estimators are fitted to parts of.

    A part is an array of row numbers: a fold, a bootstrap, or all rows once more for another seed. What is
    learned from a part is shared by all that are given the same array.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), optional
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any = None) -> None:
        self.X, self.y = (each if hasattr(each, "shape") else np.asarray(each) for each in (X, y))
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        self._tables: dict[type[BaseMLP], Table | None] = {}
        self._folds = Latest(_FOLDS)
        self._valid: dict[type[BaseMLP], dict[str, Any]] = {}
        self.drawn = Latest(_DRAWN)
        self.preprocessed = Latest(_PREPROCESSED)

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def validate(self, estimator: BaseMLP) -> None:
        """Validate an estimator's parameters: those that another of its kind did not have before it.

        Raises
        ------
        ValueError
            What `fit` raises.
        """
        if not get_config()["skip_parameter_validation"]:
            kind = type(estimator)
            self._valid[kind] = validated(estimator, self._valid.get(kind, {}))

    def part(self, numbers: NDArray[np.int64]) -> Given:
        """Return some rows as they were given, copied."""
        weights = None if self.sample_weight is None else self.sample_weight[numbers]
        return Given(_safe_indexing(self.X, numbers), _safe_indexing(self.y, numbers), weights)

    def table(self, estimator: BaseMLP) -> Table | None:
        """Return all rows, validated for estimators of this kind; None if one of them cannot be used."""
        kind = type(estimator)
        if kind not in self._tables:
            self._tables[kind] = self._table(estimator)
        return self._tables[kind]

    def _table(self, estimator: BaseMLP) -> Table | None:
        try:
            table = Table(estimator, Given(self.X, self.y, self.sample_weight))
            estimator._learned(table.y)
        except ValueError:
            return None
        return table if table.fits_float32 else None

    def fold(self, estimator: BaseMLP, numbers: NDArray[np.int64]) -> Fold:
        """Return some rows for an estimator to be fitted to.

        They are copied, and validated by themselves, where that decides: a row elsewhere cannot be used; or a
        row is there twice and weighs something, which depends on the batch that it is in.

        Raises
        ------
        ValueError
            The rows cannot be used: what `fit` raises.
        """
        table = self.table(estimator)
        if table is not None:
            fold = self._folds.get(type(estimator), numbers, lambda: Fold(table, numbers))
            weighs = table.weights is not None or getattr(estimator, "class_weight", None) is not None
            if not (weighs and fold.repeats):
                return fold
        return self._folds.get((type(estimator), "copied"), numbers, lambda: self._copied(estimator, numbers))

    def _copied(self, estimator: BaseMLP, numbers: NDArray[np.int64]) -> Fold:
        return Fold(Table(estimator, self.part(numbers)), np.arange(len(numbers)))
