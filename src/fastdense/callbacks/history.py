"""The numbers of every epoch, which `fit` returns."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks.base import Callback, Logs
from fastdense.callbacks.state import counts, names

__all__ = ["History"]


class History(Callback):
    """Keeps every epoch's numbers.

    Attributes
    ----------
    history : dict of str to list of float
        "loss", the metrics, and each again with ``val_`` before it if there is validation.
    epoch : list of int
        The epochs' numbers, from 0.
    seconds : list of float
        What each epoch took: its steps, its validation, and what callbacks did meanwhile. Epochs that ran in
        one call share its time evenly.
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
        self._start, self._step = self._now()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add an epoch."""
        end, taken = self._now()
        self.seconds.append(end - self._start)
        self.begun.append(self._step)
        self.steps.append(taken - self._step)
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def certain_epochs(self) -> float:
        """Return infinity: it changes nothing."""
        return math.inf

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return the numbers as arrays."""
        numbers = {  # numbered, as a file's arrays have no order
            f"history/{i}/{name}": np.array(values, dtype=np.float64)
            for i, (name, values) in enumerate(self.history.items())
        }
        counts = {name: np.array(getattr(self, name), dtype=np.int64) for name in ("epoch", "begun", "steps")}
        return {**counts, "seconds": np.array(self.seconds, dtype=np.float64), **numbers}

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raise ValueError unless `set_state` can take this: an entry of each kind for every epoch."""
        numbers = _numbers(state)
        names(state, ["epoch", "begun", "steps", "seconds", *(field for _, field in numbers.values())])
        epochs, begun = counts(state, "epoch"), counts(state, "begun")
        steps = counts(state, "steps", signed=True)  # a callback may set the optimizer's count back
        if not len(begun) == len(steps) == len(epochs) or state["seconds"].shape != (len(epochs),):
            raise ValueError(f"begun, steps and seconds must have one entry per epoch, {len(epochs)} of them")
        if [epoch - epochs[0] for epoch in epochs] != list(range(len(epochs))):
            raise ValueError(f"epoch must be numbers one after another, got {epochs!s:.100}")
        if not (np.isfinite(state["seconds"]).all() and (state["seconds"] >= 0).all()):
            raise ValueError("seconds must be finite numbers from 0 up")
        for name, (_, field) in numbers.items():
            values = state[field]
            if values.ndim != 1 or values.dtype != np.float64 or not 0 < len(values) <= len(epochs):
                raise ValueError(
                    f"{field} must be up to {len(epochs)} numbers, one per epoch with {name!r}, got "
                    f"{values.dtype} of shape {values.shape}"
                )

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back the numbers."""
        for name in ("epoch", "begun", "steps"):
            setattr(self, name, [int(count) for count in state[name]])
        self.seconds = [float(seconds) for seconds in state["seconds"]]
        in_order = sorted(_numbers(state).items(), key=lambda item: item[1])
        self.history = {name: state[field].tolist() for name, (_, field) in in_order}

    def _now(self) -> tuple[float, int]:
        """Return the time, and the steps that the optimizer has taken."""
        if self.moment is not None:
            return self.moment.seconds, self.moment.steps
        return time.perf_counter(), 0 if self.model is None else int(self.model.optimizer.iterations)

    def __repr__(self) -> str:
        last = {name: values[-1] for name, values in self.history.items() if values}
        return f"<History of {len(self.epoch)} epochs, last: {last}>"


def _numbers(state: Mapping[str, NDArray[Any]]) -> dict[str, tuple[int, str]]:
    """Return the place in the history of each name, and the field that holds its numbers.

    Raises
    ------
    ValueError
        A field is not named as `History.get_state` names them.
    """
    found: dict[str, tuple[int, str]] = {}
    for field in state:
        head, _, rest = field.partition("/")
        place, _, name = rest.partition("/")
        if head == "history" and place.isdecimal() and name and name not in found:
            found[name] = int(place), field
    places = sorted(place for place, _ in found.values())
    if places != list(range(len(places))):
        raise ValueError(f"the history's fields are numbered {places!s:.100}, not one after another")
    return found
