"""A run that can be killed and started again, as a function and as a script; all that has a state is on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import fastdense as fd
from fastdense.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from tests.training.networks import binary, classifier

__all__ = ["Trouble", "run"]


class Trouble(Callback):
    """Calls ``strike`` at one place of a run: ``(hook, epoch, batch)``, or never."""

    def __init__(self, place=None, strike=None):
        self.place, self.strike, self.epoch = place, strike, None

    def _pass(self, hook, batch=None):
        if self.place == (hook, self.epoch, batch):
            self.strike()

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self._pass("epoch begin")

    def on_train_batch_end(self, batch, logs=None):
        self._pass("batch end", batch)

    def on_epoch_end(self, epoch, logs=None):
        self._pass("epoch end")

    def on_train_end(self, logs=None):
        self._pass("train end")


def run(folder, trouble=None, optimizer=None, delete=True):
    """Train until early stopping; return the model and what it leaves behind."""
    folder = Path(folder)
    X, y = binary(60)
    model = classifier(optimizer or fd.optimizers.Adam(0.05), dropout=0.3, metrics=["accuracy"], seed=11)
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    callbacks = [
        BackupAndRestore(folder / "backup", delete_checkpoint=delete),
        *([] if optimizer else [ReduceLROnPlateau(factor=0.5, patience=1, cooldown=2)]),
        stopping,
        ModelCheckpoint(folder / "best.safetensors", save_best_only=True),
        CSVLogger(folder / "log.csv"),
        trouble or Trouble(),
    ]
    fit = {"epochs": 40, "batch_size": 8, "validation_split": 0.25, "verbose": 0}
    history = model.fit(X, y, callbacks=callbacks, **fit)
    model.save(folder / "last.safetensors")
    return {
        "history": history.history,
        "epochs": history.epoch,
        "steps": (history.begun, history.steps),
        "stopped": (stopping.stopped_epoch, stopping.best_epoch, stopping.best),
        "files": {
            name: (folder / name).read_bytes() for name in ("last.safetensors", "best.safetensors", "log.csv")
        },
    }


if __name__ == "__main__":
    hook, epoch, batch = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    run(sys.argv[1], Trouble((hook, epoch, batch), lambda: os.kill(os.getpid(), signal.SIGKILL)))
