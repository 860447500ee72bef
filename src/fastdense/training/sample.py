"""Rows that many models train on: each takes some of them by number, and none are copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import engines
from fastdense.core.spec import LossSpec
from fastdense.engines.arrays import in_memory
from fastdense.training.crowding import note_crowded
from fastdense.training.data import Data, prepare, split, validation, weigh_classes
from fastdense.training.model import Trainable

__all__ = ["Sample"]


class Sample:
    """Rows and targets, converted once for every dtype and engine that models compute in.

    Parameters
    ----------
    X : array-like of shape (m, n_in)
        As `fit` takes it; never modified.
    y : array-like of shape (m, n_out) or (m,)
    sample_weight : array-like of shape (m,), optional
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any = None) -> None:
        self.X, self.y, self.sample_weight = X, y, sample_weight
        self._converted: dict[tuple[str, object], Any] = {}
        self._noted = False

    def part(self, rows: NDArray[np.int64]) -> tuple[Any, Any]:
        """Return copies of some rows and their targets."""
        X, y = (np.asarray(in_memory(name, each, "auto")) for name, each in (("X", self.X), ("y", self.y)))
        return X[rows], y[rows]

    def to_train(
        self,
        model: Trainable,
        loss: LossSpec,
        rows: NDArray[np.int64],
        validation_data: Any = None,
        validation_split: float = 0.0,
        class_weight: Mapping[int, float] | None = None,
    ) -> tuple[Data, Data | None]:
        """Return some of the rows for a model to train on, and those held out, as `fit` would.

        All rows are checked, those that the model does not take among them.
        """
        data, held_out = replace(self._data(model, loss), rows=rows), validation(model, loss, validation_data)
        if held_out is None:
            data, held_out = split(data, validation_split)
        return weigh_classes(data, loss, class_weight, model.dtype), held_out

    def _data(self, model: Trainable, loss: LossSpec) -> Data:
        """Return all rows, checked, and converted unless that was done for another model of this kind."""
        kind = model.dtype, engines.placed(model.engine)
        X = self._converted.get(kind)
        if X is not None:
            model.as_rows(X[:1])  # builds the model, so that its centre is known
        shares = model.table is None and model.centre is None
        data = prepare(model, loss, X if shares and X is not None else self.X, self.y, self.sample_weight)
        if model.table is None and model.centre is None:
            self._converted[kind] = data.X
        if not self._noted:
            note_crowded(model, loss, self.X, self.y)
            self._noted = True
        return data
