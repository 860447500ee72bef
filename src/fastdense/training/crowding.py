"""A note on columns whose values float32 cannot tell apart: training goes on, but sees them as one number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import crowded, is_frame, real_array
from fastdense.core.notes import note
from fastdense.core.spec import LossSpec
from fastdense.errors import PrecisionWarning
from fastdense.training.model import Trainable

__all__ = ["note_crowded"]


def note_crowded(model: Trainable, loss: LossSpec, X: Any, y: Any) -> None:
    """Warn of columns of checked rows and targets that a float32 model cannot tell apart.

    Columns that the model centres in float64 are not among them. What is float32 already has lost its digits
    before, and is not looked at; nor are arrays of other libraries, which may lie on a device.
    """
    if model.dtype != "float32":
        return
    if _is_looked_at(X, model):
        _note(
            "X",
            X,
            0.0 if model.centre is None else model.centre,
            "let a Normalization layer come first and adapt it to X, which subtracts the mean in float64",
        )
    if _is_looked_at(y, model) and loss.targets == "numbers":
        _note("y", y, 0.0, "subtract the mean from y, and add it to what is predicted")


def _is_looked_at(values: Any, model: Trainable) -> bool:
    """Return True for NumPy's arrays, lists and data frames, unless it is a table that scales the frame."""
    if is_frame(values):
        return model.table is None
    return isinstance(values, np.ndarray | list | tuple)


def _note(name: str, values: Any, centre: float | NDArray[Any], remedy: str) -> None:
    array = real_array(name, values)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize <= 4:
        return
    with np.errstate(all="ignore"):
        mean, spread = array.mean(axis=0, dtype=np.float64), array.std(axis=0, dtype=np.float64)
    found = np.flatnonzero(crowded(mean - centre, spread))
    if len(found):
        first = int(found[0])
        more = f" (and {len(found) - 1} other columns)" if len(found) > 1 else ""
        middle, width = np.ravel(mean)[first], np.ravel(spread)[first]
        note(
            f"float32 cannot tell apart the values in column {first} of {name}{more}: mean {middle:g}, "
            f"standard deviation {width:g}: {remedy}; or give the model dtype='float64'",
            PrecisionWarning,
        )
