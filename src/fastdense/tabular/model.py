"""What is learned of a table: networks whose mean predicts, and how sure they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.checks import number
from fastdense.errors import TableError
from fastdense.exchange.tabular import TabularContent, write
from fastdense.models.saving import check_free, content_of
from fastdense.models.sequential import Sequential
from fastdense.network.joined import FrozenEnsemble, freeze_together
from fastdense.tables import Table
from fastdense.tabular.calibration import normalized
from fastdense.tabular.frozen import FrozenTabular
from fastdense.tabular.goals import Goal
from fastdense.tabular.intervals import intervals

__all__ = ["OutOfFold", "TabularModel", "TrainingRecord"]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What networks predicted for rows that they were neither trained on nor chosen by.

    Attributes
    ----------
    rows : int64 array of shape (m,)
        The rows' numbers in the frame learned from (or in the validation's, if one was given), from 0.
    predictions : float64 array of shape (m, n_classes) or (m,)
        Probabilities, or numbers in the target's own units.
    """

    rows: NDArray[np.int64]
    predictions: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """The epochs of one network.

    Attributes
    ----------
    losses : float64 array of shape (epochs,)
        The mean training loss of each epoch.
    scores : float64 array of shape (epochs,)
        Of the rows held out, by the metric that chose the epoch, turned so that lower is better.
    best : int
        The epoch that was kept, from 0.
    """

    losses: NDArray[np.float64]
    scores: NDArray[np.float64]
    best: int


@dataclass(frozen=True, eq=False)
class TabularModel:
    """What `learn` learns of a table.

    Attributes
    ----------
    table : Table
    networks : tuple of Sequential
        Features to probabilities, or to standardised numbers. The temperature is a part of their last layers.
    metric : str
    quantile : float
        Of the metric "pinball".
    temperature : float
        What the networks' logits were divided by; 1 to regress.
    clamp : tuple of two floats, or None
        The range of the networks' numbers, that of the rows trained on; None to classify.
    residuals : tuple of float64 arrays
        For each network, sorted: target less prediction, in the target's units, of rows that it did not see.
    honest : dict of str to float
        The scores of the predictions in `out_of_fold`: "log_loss", "accuracy" and "auc", or "rmse", "mae" and
        "r2". A row of these is predicted by the networks that held it out, mostly one: the mean of all does
        better on new rows. Empty if no rows could be held out.
    out_of_fold : OutOfFold or None
        Not in files.
    histories : tuple of TrainingRecord
        Not in files.
    """

    table: Table
    networks: tuple[Sequential, ...]
    metric: str
    quantile: float = 0.5
    temperature: float = 1.0
    clamp: tuple[float, float] | None = None
    residuals: tuple[NDArray[np.float64], ...] = ()
    honest: Mapping[str, float] = field(default_factory=dict)
    out_of_fold: OutOfFold | None = None
    histories: Sequence[TrainingRecord] = ()

    @property
    def classes(self) -> list[Any]:
        """The labels; TableError for a model that does not classify."""
        return self.table.classes

    def predict(self, frame: Any) -> list[Any] | NDArray[np.float64]:
        """Return the most probable label of each row, or its number in the target's own units.

        Parameters
        ----------
        frame : data frame
            With the columns that were learned from.

        Returns
        -------
        list of label, or float64 array of shape (m,)

        Raises
        ------
        TableError
            The frame lacks a column, or a cell cannot be read.
        """
        outputs = self.outputs(self.table.features(frame))
        return self.table.labels(outputs.argmax(axis=1)) if self._goal.classify else outputs

    def predict_proba(self, frame: Any) -> NDArray[np.float64]:
        """Return the probability of each class, of shape (m, n_classes), in the order of `classes`.

        Raises
        ------
        TableError
            As of `predict`; or the model does not classify.
        """
        if not self._goal.classify:
            raise TableError("only a model that classifies has probabilities; this one's task is to regress")
        return self.outputs(self.table.features(frame))

    def predict_interval(self, frame: Any, coverage: float = 0.9) -> NDArray[np.float64]:
        """Return for each row a range that its target is in with a probability of about ``coverage``.

        The CV+ interval: around each network's prediction lie the errors that it made in rows that it had not
        seen.

        Parameters
        ----------
        frame : data frame
        coverage : float
            Above 0 and below 1.

        Returns
        -------
        float64 array of shape (m, 2)
            In the target's own units.

        Raises
        ------
        TableError
            As of `predict`; or the model classifies, or no rows were held out.

        References
        ----------
        R. F. Barber, E. J. Candes, A. Ramdas and R. J. Tibshirani, "Predictive inference with the
        jackknife+", 2021.
        """
        number("coverage", coverage, above=0.0, below=1.0)
        if self._goal.classify:
            raise TableError("only a model that regresses has intervals; this one classifies")
        if not self.residuals:
            raise TableError("there are no intervals: the table was too small to hold rows out")
        found = np.stack([self._goal.decode(each) for each in self._each(self.table.features(frame))])
        return intervals(found, self.residuals, coverage)

    def outputs(self, features: Array) -> NDArray[np.float64]:
        """Return the predictions for rows of features, as ``table.features`` gives them.

        Returns
        -------
        float64 array of shape (m, n_classes) or (m,)
            Probabilities, or numbers in the target's own units.
        """
        if self._goal.classify:
            return normalized(self._frozen.predict(features))
        found = self._each(features)
        # Added in order, so that a row's bits do not depend on how many rows there are.
        return self._goal.decode(sum(found[1:], start=found[0]) / len(found))

    def freeze(self) -> FrozenTabular:
        """Return what predicts one row at a time, from raw cells, in microseconds."""
        return FrozenTabular(self.table, self._goal, self.networks, self.clamp)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file, which `fastdense.load` reads.

        Parameters
        ----------
        path : path-like
            Ends in ".safetensors".

        Raises
        ------
        FormatError
            Another ending.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        check_free(path, True)
        content = TabularContent(
            self.table,
            [content_of(network) for network in self.networks],
            self.metric,
            self.quantile,
            self.temperature,
            self.clamp,
            self.residuals,
            self.honest,
        )
        write(content, path)

    @cached_property
    def _goal(self) -> Goal:
        assert self.table.target is not None
        return Goal(self.table.target, self.metric, self.quantile)

    @cached_property
    def _frozen(self) -> FrozenEnsemble:
        return freeze_together(self.networks)

    def _each(self, features: Array) -> list[Array]:
        """Return every network's numbers, of shape (m,), within the range trained on."""
        assert self.clamp is not None
        found = self._frozen.each(features)
        return [np.clip(outputs[:, 0].astype(np.float64), *self.clamp) for outputs in found]

    def __repr__(self) -> str:
        count = len(self.networks)
        scores = "".join(f", {name} {value:.4g}" for name, value in self.honest.items())
        return f"TabularModel({self.table!r}, {count} network{'s' * (count > 1)}{scores})"
