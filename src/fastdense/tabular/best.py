"""Which epoch of a training on a table is the best, and going back to it."""

from __future__ import annotations

import numpy as np

from fastdense.callbacks import EarlyStopping
from fastdense.callbacks.base import Logs
from fastdense.models.sequential import Sequential

__all__ = ["BestEpoch", "kept_epoch"]


class BestEpoch(EarlyStopping):
    """Goes back to the epoch of the highest accuracy, and among equals of the smallest loss.

    Many epochs may get as many rows right, and the first of them is seldom the one that is surest of them.

    Parameters
    ----------
    prefix : str
        "val_" or "".
    rows : int
        That are watched: two accuracies differ by one of them at least, and what a loss adds is less.
    patience : int
    """

    def __init__(self, prefix: str, rows: int, patience: int) -> None:
        super().__init__(f"{prefix}accuracy", patience=patience, restore_best_weights=True)
        self.prefix, self.rows = prefix, rows

    def read(self, logs: Logs | None) -> float | None:
        """Return the accuracy, less a part of a row's that grows with the loss."""
        accuracy, loss = super().read(logs), (logs or {}).get(f"{self.prefix}loss", np.inf)
        part = 1.0 if np.isnan(loss) else 1.0 - 1.0 / (1.0 + loss)
        return None if accuracy is None else accuracy - part / (2 * self.rows)


def kept_epoch(model: Sequential) -> int:
    """Return the epoch, from 0, whose weights `train_table` kept."""
    assert model.run is not None
    assert model.run.kept is not None
    return model.run.kept
