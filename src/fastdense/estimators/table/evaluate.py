"""How well a model does on a table whose target is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdense.estimators.table.predict import table_of
from fastdense.network.sequential import Sequential
from fastdense.training.outcomes import classify, regress

__all__ = ["evaluate_table"]


def evaluate_table(model: Sequential, frame: Any) -> dict[str, float]:
    """Measure a model on a table that has the target too.

    Returns
    -------
    dict of str to float
        To classify: "accuracy", "log loss" and, for two classes, "auc". To regress, in the target's own
        units: "rmse", "mae", and "r2", the share of the variance that is explained.
    """
    table = table_of(model)
    outputs, y = model.predict(frame).astype(np.float64), table.targets(frame, dtype="float64")
    if table.task == "classify":
        found = classify("", list(map(str, table.classes)), y, outputs)
        numbers = {"accuracy": found.accuracy, "log loss": found.log_loss}
        return numbers if found.auc is None else {**numbers, "auc": found.auc}
    quantity = regress("", table.unscale(y)[:, 0], table.unscale(outputs)[:, 0])
    return {"rmse": quantity.rmse, "mae": quantity.mae, "r2": quantity.r2}
