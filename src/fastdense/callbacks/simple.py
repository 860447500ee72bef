"""The small callbacks: a CSV log, a stop at NaN, a rate by epoch, functions in place of a class."""

from __future__ import annotations

import csv
import inspect
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks.base import Callback, Logs
from fastdense.callbacks.state import count, names
from fastdense.core.checks import number

__all__ = ["CSVLogger", "LambdaCallback", "LearningRateScheduler", "TerminateOnNaN"]


class CSVLogger(Callback):
    """Writes every epoch's numbers as a row of a CSV file, at once, so that a killed run keeps its rows.

    Parameters
    ----------
    filename : path-like
    separator : str
    append : bool
        Go on with an existing file. A run that resumes from a later epoch always does, and a row that
        was written after the backup it resumes from is taken back.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = Path(filename), separator, append

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the columns of an earlier fit."""
        self._columns: list[str] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add a row."""
        if self._columns is None:
            self._columns = self._begin(epoch, list(logs or {}))
        row = {"epoch": epoch, **(logs or {})}
        self._write("a", [row.get(column, "") for column in self._columns])

    def certain_epochs(self) -> float:
        """Return infinity: it changes nothing."""
        return math.inf

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return how long the file is."""
        return {"size": np.array(self.filename.stat().st_size)}

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raise ValueError unless `set_state` can take this."""
        names(state, ["size"])
        count(state, "size")

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what was written since."""
        size = int(state["size"])
        if self.filename.exists() and self.filename.stat().st_size > size:
            os.truncate(self.filename, size)

    def _begin(self, epoch: int, names: list[str]) -> list[str]:
        """Return the columns: those of the file that is gone on with, or new ones, written as its head."""
        if (self.append or epoch > 0) and self.filename.exists():
            with self.filename.open(newline="", encoding="utf-8") as file:
                head = next(csv.reader(file, delimiter=self.separator), None)
            if head:
                return head
        columns = ["epoch", *names]
        self._write("w", columns)
        return columns

    def _write(self, mode: str, row: list[Any]) -> None:
        with self.filename.open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator).writerow(row)


class TerminateOnNaN(Callback):
    """Ends training quietly at a loss that is not finite, where `fit` would raise `NonFiniteLossError`.

    Either way the weights are those of the last good step.
    """

    def certain_epochs(self) -> float:
        """Return infinity: a loss that is not finite ends the call."""
        return math.inf


class LearningRateScheduler(Callback):
    """Sets the learning rate before every epoch to ``schedule(epoch, rate)``, or to ``schedule(epoch)``.

    Parameters
    ----------
    schedule : function of the epoch (from 0) and the rate so far, or of the epoch alone
    verbose : 0 or 1

    Raises
    ------
    TypeError
        The schedule is not a function that can be called so.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes(schedule, 0, 0.0)
        if not (self._takes_rate or _takes(schedule, 0)):
            raise TypeError(
                f"schedule must be a function of the epoch, or of the epoch and the rate, got {schedule!r}"
            )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        if callable(optimizer.learning_rate):
            raise ValueError(
                "LearningRateScheduler sets a number, but the optimizer's rate is a schedule already"
            )
        rate = self.schedule(epoch, *([optimizer.learning_rate] if self._takes_rate else []))
        optimizer.learning_rate = number("what the schedule returned", rate, minimum=0.0)
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {rate:g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the rate in the history."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class LambdaCallback(Callback):
    """Calls functions: ``LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs["loss"]))``.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end, on_train_begin, on_train_end : function, optional
        What `Callback`'s methods of those names take.
    on_train_batch_begin, on_train_batch_end : function, optional
        The same; they make training report after every step, which costs time.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Logs | None], Any] | None = None,
        on_epoch_end: Callable[[int, Logs | None], Any] | None = None,
        on_train_begin: Callable[[Logs | None], Any] | None = None,
        on_train_end: Callable[[Logs | None], Any] | None = None,
        on_train_batch_begin: Callable[[int, Logs | None], Any] | None = None,
        on_train_batch_end: Callable[[int, Logs | None], Any] | None = None,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for hook, function in given.items():
            if function is not None:
                if not callable(function):
                    raise TypeError(f"{hook} must be a function, got {function!r}")
                setattr(self, hook, function)


def _takes(function: Any, *arguments: Any) -> bool:
    """Return True if a function can be called with these arguments, or does not say what it takes."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # some functions of compiled modules
        return True
    return True
