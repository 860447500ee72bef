"""What a metric is: ``update_state`` adds rows, batch by batch, and ``result`` gives the number."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import optional, text
from fastdense.core.config import Configurable, Family, snake_case
from fastdense.core.parameters import Converted, parameter
from fastdense.errors import ShapeError

__all__ = [
    "FAMILY",
    "NAME",
    "Float",
    "FunctionMetric",
    "MeanOverRows",
    "Metric",
    "Name",
    "RowMetric",
    "check_same_shape",
    "class_column",
]

Float = NDArray[np.float64]
Name = Converted[str | None, str]
NAME = parameter(
    optional(lambda _, name: text("a metric's name", name)),
    "The key in the history; the class's name in snake case by default.",
    default=None,
    kind="str",
)


class Metric(Configurable):
    """Base of the metrics.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    numbered: ClassVar[bool] = False
    """True if metrics without a name of their own are told apart by numbers, weighted or not, as Keras does
    for `Precision` and the other counts."""
    mode: ClassVar[Literal["min", "max"] | None] = None
    """Whether small or large numbers are good; None if the metric does not define it."""

    def __init__(self, name: str | None = None) -> None:
        self.name: Any = NAME.check("name", name)
        self.__post_init__()

    def __post_init__(self) -> None:
        self.named = self.name is not None
        self.name = self.name if self.named else self.default_name or snake_case(type(self).__name__)
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; a numbered metric's default name is None."""
        config = super().get_config()
        return config if self.named or not self.numbered else {**config, "name": None}

    def given(self) -> dict[str, Any]:
        """Return the arguments that differ from their defaults."""
        return {
            name: value
            for name, value in super().given().items()
            if name != "name" or value != self.default_name
        }

    def reset_state(self) -> None:
        """Forget all rows."""
        raise TypeError(f"{type(self).__name__} does not define reset_state: use one of its subclasses")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add rows.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (m, n_out) or (m,)
            Class numbers, of shape (m,), for the metrics of class numbers.
        sample_weight : array-like of shape (m,), optional
        """
        y, outputs = _matrix(y_true), _matrix(y_pred)
        weights = (
            np.ones(len(outputs)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        )
        self._add(y, outputs, weights.reshape(-1))

    def result(self) -> float:
        """Return the metric of all rows so far."""
        raise TypeError(f"{type(self).__name__} does not define result: use one of its subclasses")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Add rows and return the metric of all so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        raise TypeError(f"{type(self).__name__} does not define how to count: use one of its subclasses")


FAMILY: Family[Metric] = Family("metric")


class RowMetric(Metric):
    """A weighted mean over rows of one number per row."""

    class_numbers: ClassVar[bool] = False
    """Whether the targets are class numbers, and not an array of the outputs' shape."""

    def reset_state(self) -> None:
        """Forget all rows."""
        self._total, self._weight = 0.0, 0.0

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        values = self._rows(self._targets(y, outputs), outputs)
        self._total += float(np.dot(values, weights))
        self._weight += float(weights.sum())

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return self._total / self._weight if self._weight else 0.0

    def _targets(self, y: Float, outputs: Float) -> Any:
        """Return the targets as `_rows` takes them; ShapeError if they do not fit the outputs."""
        if self.class_numbers:
            return class_column(self.name, y)
        check_same_shape(self.name, y, outputs)
        return y

    def _rows(self, y: Any, outputs: Float) -> Any:
        """Return one number per row, an array of shape (m,)."""
        raise TypeError(f"{type(self).__name__} does not define the number of a row")


class MeanOverRows(RowMetric):
    """A `RowMetric` whose first parameter is its name."""

    name: Name = NAME


class FunctionMetric(RowMetric):
    """The mean of a function ``f(y_true, y_pred)`` that returns one number per row, or one per call.

    Parameters
    ----------
    function : callable
        It is called with float64 arrays of shape (m, n_out), class numbers of shape (m, 1), once for the rows
        of each update. One number per call counts for each of the rows.
    name : str, optional
        The key in the history; None is the function's name as Keras writes it: in lower case, the words of
        ``MeanGap`` joined as ``mean_gap``.
    """

    def __init__(self, function: Callable[[Any, Any], Any], name: str | None = None) -> None:
        self.function = function
        self.default_name = _name_of(function)
        super().__init__(name)

    def _targets(self, y: Float, outputs: Float) -> Any:
        return y

    def _rows(self, y: Float, outputs: Float) -> Any:
        values = np.asarray(self.function(y, outputs), dtype=np.float64)
        return np.broadcast_to(
            values.reshape(len(outputs), -1).mean(axis=1) if values.ndim else values, len(outputs)
        )


def check_same_shape(name: str, y: Float, outputs: Float) -> None:
    """Raise ShapeError unless targets and outputs have the same shape."""
    if y.shape != outputs.shape:
        raise ShapeError(f"{name} compares targets of shape {y.shape} with outputs of shape {outputs.shape}")


def class_column(name: str, y: Float) -> NDArray[np.int64]:
    """Return targets as class numbers, of shape (m, 1); ShapeError if they have several columns."""
    if y.shape[1] != 1:
        raise ShapeError(f"{name} takes one class number per row, got targets of shape {y.shape}")
    return y.astype(np.int64)


def _name_of(function: object) -> str:
    """Return the name that an object has, or its function's or class's in lower case with underscores."""
    own = getattr(function, "name", None)
    if isinstance(own, str):
        return own
    return snake_case(re.sub(r"\W+", "", getattr(function, "__name__", type(function).__name__)))


def _matrix(values: Any) -> Float:
    array = np.asarray(values, dtype=np.float64)
    return array[:, np.newaxis] if array.ndim == 1 else array
