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
        What each epoch took, with its validation.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.seconds: list[float] = []
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add an epoch."""
        self.seconds.append(time.perf_counter() - self._start)
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return the numbers as arrays."""
        numbers = {
            f"history/{name}": np.array(values, dtype=np.float64) for name, values in self.history.items()
        }
        seconds = np.array(self.seconds, dtype=np.float64)
        return {"epoch": np.array(self.epoch, dtype=np.int64), "seconds": seconds, **numbers}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back the numbers."""
        self.epoch = [int(epoch) for epoch in state["epoch"]]
        self.seconds = [float(seconds) for seconds in state["seconds"]]
        self.history = {
            name.removeprefix("history/"): [float(value) for value in values]
            for name, values in state.items()
            if name.startswith("history/")
        }

    def __repr__(self) -> str:
        last = {name: values[-1] for name, values in self.history.items() if values}
        return f"<History of {len(self.epoch)} epochs, last: {last}>"
