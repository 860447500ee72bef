"""The callback that saves models, or their weights, while they are trained."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks.base import Logs
from fastdense.callbacks.monitor import Monitor
from fastdense.core.checks import flag, number, whole
from fastdense.core.printable import printable

__all__ = ["ModelCheckpoint"]

_ENDINGS = {False: (".safetensors", ".keras"), True: (".weights.h5", ".safetensors")}


class ModelCheckpoint(Monitor):
    """Saves the model or its weights: after every epoch, each that improves, or every ``save_freq`` steps.

    Parameters
    ----------
    filepath : path-like
        Ends in ".safetensors" or ".keras"; for weights alone in ".weights.h5" or ".safetensors". It may hold
        the epoch and its numbers, as in ``"m-{epoch:02d}-{val_loss:.2f}.safetensors"``, and the step of the
        epoch as ``{batch}`` if ``save_freq`` counts steps; both count from 1 here. Its folder is made.
    monitor : str
    verbose : 0 or 1
    save_best_only : bool
        Save only if the monitored number improves. An epoch without that number is saved, with a warning.
    save_weights_only : bool
        Save by `Sequential.save_weights`, for `Sequential.load_weights`.
    mode : "auto", "min" or "max"
    save_freq : "epoch" or int
        Save at the end of every epoch, or whenever this many steps were taken since the last time; then the
        only number to monitor is the loss so far in the epoch, and training reports after every step.
    initial_value_threshold : float, optional
        What the first number must improve on.

    Raises
    ------
    ValueError
        The path has another ending.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Literal["epoch"] | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, 0.0, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = flag("save_best_only", save_best_only)
        self.save_weights_only = flag("save_weights_only", save_weights_only)
        self.save_freq = "epoch" if save_freq == "epoch" else whole("save_freq", save_freq, 1)
        self.initial_value_threshold = initial_value_threshold
        if initial_value_threshold is not None:
            self.best = number("initial_value_threshold", initial_value_threshold)
        endings = _ENDINGS[self.save_weights_only]
        if not self.filepath.lower().endswith(endings):
            what = "weights alone" if self.save_weights_only else "a model"
            raise ValueError(f"filepath of {what} must end in {' or '.join(endings)}, got {self.filepath!r}")
        self._epoch, self._steps = 0, 0
        if self.save_freq != "epoch":  # of a class with this hook, every fit would report after every step
            setattr(self, "on_train_batch_end", self._count_step)  # noqa: B010

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if it is time to."""
        if self.save_freq == "epoch":
            self._save({"epoch": epoch + 1}, logs)

    def _count_step(self, batch: int, logs: Logs | None = None) -> None:
        self._steps += 1
        if self._steps == self.save_freq:
            self._steps = 0
            self._save({"epoch": self._epoch + 1, "batch": batch + 1}, logs)

    def _save(self, counts: Mapping[str, int], logs: Logs | None) -> None:
        value = self.read(logs) if self.save_best_only else None
        if value is not None:
            if not self.improves(value):
                return
            self.best = value
        path = self._path({**(logs or {}), **counts})
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Saved {printable(path)}")

    def _path(self, numbers: Mapping[str, float]) -> Path:
        try:
            return Path(self.filepath.format(**numbers))
        except (KeyError, IndexError) as error:
            found = ", ".join(sorted(numbers, key=lambda name: name not in ("epoch", "batch")))
            raise ValueError(f"filepath {self.filepath!r} names {error}, but there are {found}") from None

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return the best value and the steps since the last file."""
        return {**super().get_state(), "steps": np.array(self._steps)}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take these back."""
        super().set_state(state)
        self._steps = int(state["steps"])
