"""Resuming a killed run: everything that the next epoch depends on, in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import files
from fastdense.errors import FormatError
from fastdense.training.callbacks.base import Callback, Logs

__all__ = ["BackupAndRestore"]

_FORMAT = {"format": "fastdense backup", "version": 2}
_KEYS = {*_FORMAT, "next_epoch", "iterations", "stop_training", "seed", "learning_rate", "model", "callbacks"}


class BackupAndRestore(Callback):
    """Saves the state of training after every epoch and, when a killed run is started again, resumes it.

    Started again with the same data, model and callbacks, a run ends with the very bits of one that was
    never interrupted: weights, the optimizer's state, the step, the seed, the history and what the other
    callbacks have seen are all in the file.

    Parameters
    ----------
    backup_dir : path-like
        A directory of this run's own; made where it is not there.
    delete_checkpoint : bool
        Remove the file once training has ended well.

    Raises
    ------
    FormatError
        In `fit`: the backup is damaged, or of another model or other callbacks.
    """

    runs_last = True

    def __init__(self, backup_dir: str | os.PathLike[str], delete_checkpoint: bool = True) -> None:
        self.backup_dir = Path(backup_dir)
        self.delete_checkpoint = delete_checkpoint
        self.path = self.backup_dir / "backup.safetensors"

    def set_callbacks(self, callbacks: Sequence[Callback]) -> None:
        """Remember the others: their state is a part of the run's."""
        self._others = [callback for callback in callbacks if callback is not self]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take up the backup, where there is one."""
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._restore(*files.read(self.path))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the state that the next epoch starts from."""
        model = self.model
        rate = model.optimizer.learning_rate
        description = {
            **_FORMAT,
            "next_epoch": epoch + 1,
            "iterations": model.optimizer.iterations,
            "stop_training": model.stop_training,
            "seed": model.seed,
            "learning_rate": None if callable(rate) else rate,
            "model": self._model_description(),
            "callbacks": self._names(),
        }
        arrays = {f"weights/{i}": w for i, w in enumerate(model.weights)}
        arrays |= model.slot_arrays()
        for i, callback in enumerate(self._others):
            arrays |= {f"callbacks/{i}/{key}": value for key, value in callback.get_state().items()}
        files.write(self.path, description, arrays)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the backup: there is nothing to resume."""
        if self.delete_checkpoint:
            self.path.unlink(missing_ok=True)

    def _restore(self, description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        if set(description) != _KEYS or any(description[key] != value for key, value in _FORMAT.items()):
            raise FormatError(f"{self.path} is not a backup of this version of fastdense")
        if description["callbacks"] != self._names():
            raise FormatError(
                f"{self.path} was made with the callbacks {description['callbacks']}, not {self._names()}: "
                f"start with the same ones, or remove it to start anew"
            )
        model = self.model
        if description["model"] != self._model_description():
            raise FormatError(
                f"{self.path} is a backup of another model, {description['model']}: remove it to start anew"
            )
        try:
            weights = _under(arrays, "weights")
            model.set_weights([weights[str(i)] for i in range(len(weights))])
            model.set_slot_arrays({f"slots/{key}": value for key, value in _under(arrays, "slots").items()})
            for i, callback in enumerate(self._others):
                callback.set_state(_under(arrays, f"callbacks/{i}"))
        except (ValueError, KeyError) as error:
            raise FormatError(f"{self.path} is a backup of another run: {error}") from error
        model.seed = description["seed"]
        model.optimizer.iterations = description["iterations"]
        if description["learning_rate"] is not None:
            model.optimizer.learning_rate = description["learning_rate"]
        model.next_epoch, model.stop_training = description["next_epoch"], description["stop_training"]

    def _model_description(self) -> str:
        """Return all that must be the same: the network, the loss, the optimizer but for its rate."""
        model = self.model
        return f"{model.network()}, {model.loss.spec()}, {model.optimizer.spec()}"

    def _names(self) -> list[str]:
        return [type(callback).__name__ for callback in self._others]


def _under(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    head = f"{prefix}/"
    return {name.removeprefix(head): np.asarray(a) for name, a in arrays.items() if name.startswith(head)}
