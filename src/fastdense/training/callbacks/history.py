"""The numbers of every epoch, which `fit` returns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.training.callbacks.base import Callback, Logs

__all__ = ["History"]


class History(Callback):
    """Keeps every epoch's numbers.

    Attributes
    ----------
    history : dict of str to list of float
        "loss", the metrics, and each again with ``val_`` before it where there is validation.
    epoch : list of int
        The epochs' numbers, from 0.
    seconds : list of float
        What each epoch took: its steps, its validation, and what callbacks did meanwhile.
    begun : list of int
        The steps that the optimizer had taken when each epoch began.
    steps : list of int
        The steps that it took in each.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.seconds: list[float] = []
        self.begun: list[int] = []
        self.steps: list[int] = []
        self._start, self._step = 0.0, 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._start, self._step = time.perf_counter(), self._taken()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add an epoch."""
        self.seconds.append(time.perf_counter() - self._start)
        self.begun.append(self._step)
        self.steps.append(self._taken() - self._step)
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return the numbers as arrays."""
        numbers = {
            f"history/{name}": np.array(values, dtype=np.float64) for name, values in self.history.items()
        }
        counts = {name: np.array(getattr(self, name), dtype=np.int64) for name in ("epoch", "begun", "steps")}
        return {**counts, "seconds": np.array(self.seconds, dtype=np.float64), **numbers}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back the numbers."""
        for name in ("epoch", "begun", "steps"):
            setattr(self, name, [int(count) for count in state[name]])
        self.seconds = [float(seconds) for seconds in state["seconds"]]
        self.history = {
            name.removeprefix("history/"): [float(value) for value in values]
            for name, values in state.items()
            if name.startswith("history/")
        }

    def _taken(self) -> int:
        return 0 if self.model is None else int(self.model.optimizer.iterations)

    def __repr__(self) -> str:
        last = {name: values[-1] for name, values in self.history.items() if values}
        return f"<History of {len(self.epoch)} epochs, last: {last}>"
