"""The callbacks that watch one number: stop early, lower the learning rate."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks.base import Callback, Logs
from fastdense.callbacks.state import count, names, real, weights
from fastdense.core.checks import flag, number, one_of, whole
from fastdense.core.printable import printable

__all__ = ["EarlyStopping", "Monitor", "ReduceLROnPlateau"]

_MAXIMISED = ("accuracy", "acc", "auc", "precision", "recall", "f1", "fbeta", "r2", "true_", "similarity")
_MINIMISED = ("loss", "error", "mse", "mae", "mape", "msle", "crossentropy", "divergence", "false_")


def _sign_of(mode: str | None) -> float:
    """Return 1 for "min" and -1 for "max"; what is not known yet counts as "min"."""
    return -1.0 if mode == "max" else 1.0


def _by_name(monitor: str) -> str | None:
    """Return whether a number of that name should be small or large, None if the name does not say."""
    if any(word in monitor for word in _MAXIMISED):
        return "max"
    return "min" if any(word in monitor for word in _MINIMISED) else None


class Monitor(Callback):
    """Base of the callbacks that watch one of an epoch's numbers for improvement.

    Parameters
    ----------
    monitor : str
        A key of the epoch's logs, such as "val_loss".
    min_delta : float
        An improvement must be larger than this.
    mode : "auto", "min" or "max"
        Whether small or large is good. "auto" asks the metric of that name; if there is none, or it is
        a function, words in the name decide, such as "error", and `fit` raises ValueError without one.
    """

    def __init__(self, monitor: str, min_delta: float, mode: str) -> None:
        self.monitor = monitor
        self.min_delta = abs(number("min_delta", min_delta))
        self.mode = one_of("mode", mode, ("auto", "min", "max"))
        self._sign = _sign_of(_by_name(monitor) if mode == "auto" else mode)
        self.best = self._sign * math.inf
        self.wait = 0

    def set_model(self, model: Any) -> None:
        """Receive the model; with mode "auto" its metric says whether small or large is good."""
        super().set_model(model)
        if self.mode != "auto":
            return
        mode = model.mode_of(self.monitor) or _by_name(self.monitor)
        if mode is None:
            raise ValueError(f"is a small or a large {self.monitor!r} good? say mode='min' or mode='max'")
        self._sign = _sign_of(mode)
        if math.isinf(self.best):
            self.best = self._sign * math.inf

    def read(self, logs: Logs | None) -> float | None:
        """Return the watched number, or warn and return None if this epoch has none."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            found = ", ".join(logs or {}) or "nothing"
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, but this epoch has {found}",
                UserWarning,
                stacklevel=2,
            )
        return value

    def improves(self, value: float, than: float | None = None) -> bool:
        """Return True if ``value`` is better than another, the best so far, by more than ``min_delta``.

        The two are compared in the model's dtype, as Keras does: in float32 0.49 is not better than 0.5 by
        more than 0.01.
        """
        round_ = np.dtype(self.model.dtype).type
        with np.errstate(over="ignore"):
            found, other = (
                round_(value + self._sign * self.min_delta),
                round_(self.best if than is None else than),
            )
        return bool(found < other if self._sign > 0 else found > other)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return the best value and how long ago it was."""
        return {"best": np.array(self.best), "wait": np.array(self.wait)}

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raise ValueError unless `set_state` can take this."""
        own = {name: array for name, array in self.get_state().items() if not name.startswith("weights/")}
        names(state, own)
        real(state, "best")
        for name, array in own.items():
            if array.shape == () and array.dtype.kind == "i":
                count(state, name)

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take these back."""
        self.best, self.wait = float(state["best"]), int(state["wait"])


class EarlyStopping(Monitor):
    """Stops training when a number has not improved for ``patience`` epochs.

    Parameters
    ----------
    monitor : str
    min_delta : float
    patience : int
    verbose : 0 or 1
        1 prints a line when training is stopped.
    mode : "auto", "min" or "max"
    baseline : float, optional
        Epochs that are not better than this count as waiting, even if they improve.
    restore_best_weights : bool
        At the end, go back to the weights of the best epoch.
    start_from_epoch : int
        Do not watch before this epoch.

    Attributes
    ----------
    stopped_epoch : int
        The epoch at whose end training was stopped; 0 if it was not.
    best_epoch : int
    restored_epoch : int or None
        The epoch whose weights the model went back to at the end, None if it did not.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, min_delta, mode)
        self.patience = whole("patience", patience)
        self.verbose = verbose
        self.baseline = None if baseline is None else number("baseline", baseline)
        self.restore_best_weights = self.wants_weights = flag("restore_best_weights", restore_best_weights)
        self.start_from_epoch = whole("start_from_epoch", start_from_epoch)
        self._start()

    def _start(self) -> None:
        self.best = self._sign * math.inf
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best_weights: list[NDArray[Any]] | None = None
        self.restored_epoch: int | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget what an earlier fit did."""
        self._start()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the number; stop if it has not improved for too long."""
        value = self.read(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.improves(value):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.moment.weights if self.moment else self.model.get_weights()
            if self.baseline is None or self.improves(value, than=self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def certain_epochs(self) -> float:
        """Return how many epochs run even if none of them improves."""
        unwatched: int = max(0, self.start_from_epoch - self.model.next_epoch)
        return unwatched + max(1, self.patience - self.wait)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights and say what was done."""
        if self.stopped_epoch and self.verbose:
            what = f"no better {printable(self.monitor)} than {self.best:g}"
            print(f"Stopped after epoch {self.stopped_epoch + 1}: {what}")
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            self.best_weights, self.restored_epoch = None, self.best_epoch

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return what is watched and the best weights."""
        best = {f"weights/{i}": w for i, w in enumerate(self.best_weights or [])}
        epochs = {"best_epoch": np.array(self.best_epoch), "stopped_epoch": np.array(self.stopped_epoch)}
        return {**super().get_state(), **epochs, **best}

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raise ValueError unless `set_state` can take this: its weights must fit the model."""
        head = "weights/"
        best = {name.removeprefix(head): array for name, array in state.items() if name.startswith(head)}
        if best and not self.restore_best_weights:
            raise ValueError("there are weights, but restore_best_weights is False")
        if best:
            weights(best, self.model)
        super().check_state({name: array for name, array in state.items() if not name.startswith(head)})

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take these back."""
        super().set_state(state)
        self.best_epoch, self.stopped_epoch = int(state["best_epoch"]), int(state["stopped_epoch"])
        count = sum(name.startswith("weights/") for name in state)
        self.best_weights = [state[f"weights/{i}"] for i in range(count)] or None


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by ``factor`` when a number has not improved for ``patience`` epochs.

    Parameters
    ----------
    monitor : str
    factor : float
        Above 0 and below 1.
    patience : int
    verbose : 0 or 1
    mode : "auto", "min" or "max"
    min_delta : float
    cooldown : int
        Epochs to wait after a reduction before watching again.
    min_lr : float
        The rate is never lowered below this.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, min_delta, mode)
        self.factor = number("factor", factor, above=0.0, below=1.0)
        self.patience = whole("patience", patience)
        self.verbose = verbose
        self.cooldown = whole("cooldown", cooldown)
        self.min_lr = number("min_lr", min_lr, minimum=0.0)
        self._cooling = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget what an earlier fit did."""
        if callable(self.model.optimizer.learning_rate):
            raise ValueError(
                "ReduceLROnPlateau cannot lower a schedule: give the optimizer a number as its rate"
            )
        self.best, self.wait, self._cooling = self._sign * math.inf, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the number; lower the rate if it has not improved for too long."""
        rate = float(self.model.optimizer.learning_rate)
        if logs is not None:
            logs["learning_rate"] = rate
        value = self.read(logs)
        if value is None:
            return
        if self._cooling:
            self._cooling, self.wait = self._cooling - 1, 0
        if self.improves(value):
            self.best, self.wait = value, 0
        elif not self._cooling:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                self._lower(max(rate * self.factor, self.min_lr))

    def certain_epochs(self) -> float:
        """Return how many epochs have this rate even if none of them improves."""
        if float(self.model.optimizer.learning_rate) <= self.min_lr:
            return math.inf
        return max(0, self._cooling - 1) + max(1, self.patience - self.wait)

    def _lower(self, rate: float) -> None:
        self.model.optimizer.learning_rate = rate
        self._cooling, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"Learning rate lowered to {rate:g}")

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return what is watched and the epochs left to wait."""
        return {**super().get_state(), "cooling": np.array(self._cooling)}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take these back."""
        super().set_state(state)
        self._cooling = int(state["cooling"])
