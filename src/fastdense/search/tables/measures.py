"""What candidates are compared by: the task's own measures, as `evaluate_table` names them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastdense.errors import TableError
from fastdense.tables.targets import Classes, Target

__all__ = ["Measure", "measure_for"]


class Measure(NamedTuple):
    """A number of the rows held out.

    Attributes
    ----------
    name : str
    larger : bool
        True if a larger one is better.
    """

    name: str
    larger: bool

    def order(self, score: float) -> float:
        """Return what is the smaller the better the score is, infinite for one that is NaN."""
        if np.isnan(score):
            return float("inf")
        return -score if self.larger else score


_OF_LABELS = {
    "log-loss": Measure("log loss", larger=False),
    "accuracy": Measure("accuracy", larger=True),
    "auc": Measure("auc", larger=True),
}
_OF_QUANTITIES = {
    "rmse": Measure("rmse", larger=False),
    "mae": Measure("mae", larger=False),
    "r2": Measure("r2", larger=True),
}


def measure_for(target: Target, score: str | None) -> Measure:
    """Return the measure of a name, or for None the log loss of labels, and the RMSE of quantities.

    Raises
    ------
    TableError
        There is none of this name for such a target.
    """
    labels = isinstance(target, Classes)
    known = dict(_OF_LABELS if labels else _OF_QUANTITIES)
    if isinstance(target, Classes) and len(target.labels) > 2:
        del known["auc"]
    name = next(iter(known)) if score is None else score
    if name not in known:
        *others, last = map(repr, known)
        what = f"{len(target.labels)} classes" if isinstance(target, Classes) else "quantities"
        raise TableError(
            f"score must be {', '.join(others)} or {last} for target {target.name!r} of {what}, not {name!r}"
        )
    return known[name]
