"""A model of a table that predicts one row at a time, from raw cells, without a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import TableError
from fastdense.models.sequential import Sequential
from fastdense.network.joined import freeze_together
from fastdense.tables import Table
from fastdense.tabular.calibration import normalized
from fastdense.tabular.goals import Goal
from fastdense.tabular.row import encoder_of

__all__ = ["FrozenTabular"]


class FrozenTabular:
    """A `TabularModel` for single rows: a row's cells in, its label or number out, in microseconds.

    Any number of threads may predict at once, and it can be pickled.

    Parameters
    ----------
    table : Table
        An embedded one, with a target.
    goal : Goal
    networks : sequence of Sequential
    clamp : tuple of two floats, or None
        As of `TabularModel`.

    Attributes
    ----------
    columns : tuple of str
        The columns in the order in which a sequence has a row's cells: those of the frame that was learned
        from, without the target.

    Examples
    --------
    >>> from fastdense.tabular import Settings, learn
    >>> from fastdense.tabular.recipes import Recipe
    >>> frame = {"size": [1, 2, 3, 4] * 10, "colour": ["red", "blue"] * 20, "price": [2, 4, 6, 8] * 10}
    >>> settings = Settings(seed=0, verbose=0, recipe=Recipe(hidden=(8,), epochs=20, batch_size=8))
    >>> model = learn(frame, "price", task="regress", settings=settings)
    >>> frozen = model.freeze()
    >>> one = model.predict({"size": [3], "colour": ["red"]})[0]
    >>> bool(frozen.predict({"size": 3, "colour": "red"}) == frozen.predict([3, "red"]) == one)
    True
    """

    def __init__(
        self,
        table: Table,
        goal: Goal,
        networks: Sequence[Sequential],
        clamp: tuple[float, float] | None,
    ) -> None:
        self._made_of = table, goal, networks, clamp
        self._table, self._goal, self._clamp = table, goal, clamp
        self.columns = tuple(column.name for column in table.columns)
        self._encode = encoder_of(table)
        self._mean = freeze_together(networks).predict
        self._each = [network.freeze().predict for network in networks]

    def predict(self, row: Any) -> Any:
        """Return a row's most probable label, or its number in the target's own units.

        Parameters
        ----------
        row : mapping of column name to cell, or sequence of cells in the order of ``columns``
            Further entries of a mapping are ignored.

        Returns
        -------
        label or float
            As `TabularModel.predict` gives it for a frame of this row.

        Raises
        ------
        TableError
            The row lacks a column, or a cell cannot be read.
        """
        X = self._encode(row)
        if self._clamp is None:
            return self._table.classes[int(self._mean(X)[0].argmax())]
        low, high = self._clamp
        found = [min(max(float(predict(X)[0, 0]), low), high) for predict in self._each]
        return float(self._goal.decode(np.array(sum(found[1:], found[0]) / len(found))))

    def predict_proba(self, row: Any) -> NDArray[np.float64]:
        """Return the probability of each class, of shape (n_classes,), in the order of ``model.classes``.

        Parameters
        ----------
        row : mapping of column name to cell, or sequence of cells in the order of ``columns``

        Raises
        ------
        TableError
            As of `predict`; or the model does not classify.
        """
        if self._clamp is not None:
            raise TableError("only a model that classifies has probabilities; this one's task is to regress")
        chances: NDArray[np.float64] = normalized(self._mean(self._encode(row)))[0]
        return chances

    def __reduce__(self) -> tuple[type[FrozenTabular], tuple[Any, ...]]:
        """Be made again wherever a copy arrives."""
        return FrozenTabular, self._made_of

    def __repr__(self) -> str:
        return f"FrozenTabular({len(self.columns)} columns, {len(self._each)} networks)"
