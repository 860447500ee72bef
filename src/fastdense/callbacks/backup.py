"""Resuming a killed run: everything that the next epoch depends on, in one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fastdense.callbacks.base import Callback, Logs
from fastdense.callbacks.resumed import FORMAT, Resumed, arrays_of, description_of
from fastdense.core import files

__all__ = ["BackupAndRestore"]


class BackupAndRestore(Callback):
    """Saves the state of training after every epoch and, when a killed run is started again, resumes it.

    Started again with the same data, model and callbacks, a run ends with the very bits of one that was
    never interrupted: weights, the optimizer's state, the step, the seed, the history and what the other
    callbacks have seen are all in the file. A model without a seed of its own takes over the backup's.

    Parameters
    ----------
    backup_dir : path-like
        A directory for this run alone; it is made if it is not there.
    delete_checkpoint : bool
        Remove the file once training has ended well.

    Raises
    ------
    FormatError
        In `fit`: the backup is damaged, or of another model, other callbacks or another seed than the model
        was given. The message names the file and the field, and nothing is changed.
    """

    runs_last = True

    def __init__(self, backup_dir: str | os.PathLike[str], delete_checkpoint: bool = True) -> None:
        self.backup_dir = Path(backup_dir)
        self.delete_checkpoint = delete_checkpoint
        self.path = self.backup_dir / "backup.safetensors"

    def set_callbacks(self, callbacks: Sequence[Callback]) -> None:
        """Remember the others, whose state is a part of the run's, and check the backup, if there is one.

        All of it is checked before anything is changed: a backup that is refused leaves the model, the
        optimizer and the callbacks as they were.
        """
        self._others = [callback for callback in callbacks if callback is not self]
        self._resumed = Resumed.read(self.path, self.model, self._others) if self.path.exists() else None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take up the backup, if there is one."""
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.restore(self.model, self._others)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the state that the next epoch starts from."""
        description = {**FORMAT, **description_of(self.model, self._others, epoch + 1)}
        files.write(self.path, description, arrays_of(self.model, self._others))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the backup: there is nothing to resume."""
        if self.delete_checkpoint:
            self.path.unlink(missing_ok=True)
