"""The rows of a fit: checked once, split for validation, cut into batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.checks import fraction, is_frame
from fastdense.core.spec import LossSpec
from fastdense.core.targets import as_targets, as_weights, check_count, class_weights
from fastdense.engines.arrays import finite, in_memory, placed
from fastdense.errors import ShapeError
from fastdense.training.crowding import note_crowded
from fastdense.training.model import Trainable

__all__ = ["Data", "Given", "prepare", "split", "split_at", "validation", "weigh_classes"]


@dataclass(frozen=True)
class Data:
    """Checked rows: what `fastdense.engines.Batches` is made from.

    ``X`` lies where the engine computes; the rest, which metrics read too, in main memory.

    Attributes
    ----------
    X, y : array
    weights : array, or None for ones
    rows : int64 array of shape (m,), or None
        Which rows of these arrays are meant, in order; None for all. Folds share arrays and differ in this.
    """

    X: Array
    y: Array
    weights: Array | None
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.X) if self.rows is None else len(self.rows)

    def part(self, places: slice) -> Data:
        """Return the rows at some places; none are copied."""
        if self.rows is not None:
            return replace(self, rows=self.rows[places])
        weights = None if self.weights is None else self.weights[places]
        return Data(self.X[places], self.y[places], weights)

    def numbers(self, places: slice) -> NDArray[np.int64] | slice:
        """Return what finds the rows at some places in the arrays."""
        return places if self.rows is None else self.rows[places]


@dataclass(frozen=True)
class Given:
    """The rows of a fit as its caller gave them, none of them copied; the arguments are those of `fit`."""

    X: Any
    y: Any
    sample_weight: Any = None
    validation_data: Any = None
    validation_split: float = 0.0
    class_weight: Mapping[int, float] | None = None

    @property
    def weighted(self) -> bool:
        """Whether rows have weights, those of the validation or by their class among them."""
        given = (self.sample_weight, self.class_weight)
        return any(each is not None for each in given) or len(self.validation_data or ()) == 3

    def to_train(self, model: Trainable, loss: LossSpec) -> tuple[Data, Data | None]:
        """Return what `prepared` does, the rows to train on weighted by their class, columns noted."""
        data, held_out = self.prepared(model, loss)
        data = weigh_classes(data, loss, self.class_weight, model.dtype)
        note_crowded(model, loss, self.X, self.y)
        return data, held_out

    def prepared(self, model: Trainable, loss: LossSpec) -> tuple[Data, Data | None]:
        """Return the rows to train on and those held out, checked."""
        data = prepare(model, loss, self.X, self.y, self.sample_weight)
        held_out = validation(model, loss, self.validation_data)
        return split(data, self.validation_split) if held_out is None else (data, held_out)

    def held(self) -> Given:
        """Return what `measured` needs: the rows to train on can be let go where others were given."""
        return self if self.validation_data is None else replace(self, X=None, y=None, sample_weight=None)

    def measured(self, model: Trainable, loss: LossSpec) -> Data:
        """Return the rows held out, or all if there are none."""
        data = held_out = validation(model, loss, self.validation_data)
        if data is None:
            data, held_out = self.prepared(model, loss)
        return held_out or data


def prepare(
    model: Trainable,
    loss: LossSpec,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    owner: str = "",
) -> Data:
    """Return rows that training can take without another check, building the model if it is not built.

    Messages call the arguments ``X``, ``y`` and ``sample_weight``, with ``owner`` before it.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError, EngineError, ValueError
        Something about them is wrong; nothing has been trained.
    """
    shape, rows = (tuple(getattr(values, "shape", ())) for values in (X, y))
    if len(shape) == 2 and shape[0] and rows:  # before X can decide the model's width
        check_count(shape[0], rows[0], f"{owner}y", f"{owner}X")
    A_in = model.as_rows(X, f"{owner}X")
    if not len(A_in):
        raise ShapeError(f"{owner}X has no rows")
    given = None if model.table is not None and is_frame(X) else X
    finite(f"{owner}X", A_in, model.engine, given, model.takes_missing)
    y, sample_weight = (
        in_memory(f"{owner}{name}", values, model.engine)
        for name, values in (("y", y), ("sample_weight", sample_weight))
    )
    targets = as_targets(y, loss, model.output_shape[1], model.dtype, len(A_in), f"{owner}y")
    weights = as_weights(sample_weight, len(A_in), model.dtype, f"{owner}sample_weight")
    return Data(placed(A_in, model.engine), targets, weights)


def weigh_classes(data: Data, loss: LossSpec, class_weight: Mapping[int, float] | None, dtype: str) -> Data:
    """Return the data with every row's weight multiplied by its class's.

    Raises
    ------
    ValueError
        A row has a class in each of the loss's groups.
    """
    if class_weight is None:
        return data
    if len(loss.groups) > 1:
        raise ValueError(
            f"class_weight is of rows of one class, but here they have {len(loss.groups)}, one a group: "
            f"weigh rows by sample_weight"
        )
    weights = class_weights(class_weight, data.y, dtype)
    return replace(data, weights=weights if data.weights is None else weights * data.weights)


def split_at(rows: int, validation_split: float) -> int:
    """Return how many of the rows are trained on where a fraction of them is held out.

    Raises
    ------
    ValueError
        The fraction leaves no row on one of the sides.
    """
    share = fraction("validation_split", validation_split)
    at = int(np.floor(rows * (1.0 - share)))
    if share and not 0 < at < rows:
        raise ValueError(f"validation_split={validation_split} of {rows} rows leaves one side without any")
    return at


def split(data: Data, validation_split: float) -> tuple[Data, Data | None]:
    """Return the rows to train on and, from the end, the given fraction of them to validate on."""
    at = split_at(len(data), validation_split)
    if at == len(data):
        return data, None
    return data.part(slice(0, at)), data.part(slice(at, len(data)))


def validation(model: Trainable, loss: LossSpec, given: Any) -> Data | None:
    """Return the rows of ``validation_data``: ``(X, y)`` or ``(X, y, sample_weight)``; None stays None."""
    if given is None:
        return None
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise ValueError("validation_data must be (X, y) or (X, y, sample_weight)")
    weights = given[2] if len(given) == 3 else None
    return prepare(model, loss, given[0], given[1], weights, owner="the validation data's ")
