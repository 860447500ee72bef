"""Metrics, gathered batch by batch: ``update_state`` adds rows, ``result`` gives the number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.checks import number, sizes
from fastdense.config import Configurable, Family
from fastdense.errors import ShapeError
from fastdense.spec import LossSpec

__all__ = [
    "AUC",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "FunctionMetric",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "check",
    "get",
    "resolve",
]

Float = NDArray[np.float64]


class Metric(Configurable):
    """Base of the metrics.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name: str

    def __init__(self, name: str | None = None) -> None:
        self.name = name or self.default_name
        self.reset_state()

    def given(self) -> dict[str, Any]:
        """Return the arguments that differ from their defaults."""
        return {
            name: value
            for name, value in super().given().items()
            if name != "name" or value != self.default_name
        }

    def reset_state(self) -> None:
        """Forget all rows."""
        raise TypeError(f"{type(self).__name__} does not say how to count: use one of its subclasses")

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
        raise TypeError(f"{type(self).__name__} does not say what its result is: use one of its subclasses")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Add rows and return the metric of all so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        raise TypeError(f"{type(self).__name__} does not say how to count: use one of its subclasses")


FAMILY: Family[Metric] = Family("metric")
_ACCURACY = ("accuracy", "acc")


class _Mean(Metric):
    """A weighted mean over rows of one number a row."""

    def reset_state(self) -> None:
        """Forget all rows."""
        self._total, self._weight = 0.0, 0.0

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        values = self._rows(y, outputs)
        self._total += float(np.dot(values, weights))
        self._weight += float(weights.sum())

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return self._total / self._weight if self._weight else 0.0

    def _rows(self, y: Float, outputs: Float) -> Float:
        """Return one number a row."""
        raise TypeError(f"{type(self).__name__} does not say what a row counts")


@FAMILY.add("binary_accuracy")
class BinaryAccuracy(_Mean):
    """The share of outputs on their target's side of ``threshold``.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    threshold : float
        An output above it counts as 1, any other as 0: 0.5 suits probabilities, 0 logits.
    """

    default_name = "binary_accuracy"

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = number("threshold", threshold)

    def _rows(self, y: Float, outputs: Float) -> Float:
        _same_shape(self.name, y, outputs)
        right: Float = ((outputs > self.threshold) == y).mean(axis=1)
        return right


@FAMILY.add("categorical_accuracy")
class CategoricalAccuracy(_Mean):
    """The share of rows whose largest output is where the largest target is.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    groups : tuple of int
        The columns of each group of classes, as of `CategoricalCrossentropy`: the share is then that of all
        rows' groups.

    Examples
    --------
    >>> import fastdense as fd
    >>> metric = fd.metrics.CategoricalAccuracy(groups=(2, 3))
    >>> metric([[1, 0, 0, 0, 1]], [[0.4, 0.6, 0.1, 0.1, 0.8]])  # the first answer is wrong
    0.5
    """

    default_name = "categorical_accuracy"
    _later = frozenset({"groups"})

    def __init__(self, name: str | None = None, groups: Sequence[int] = ()) -> None:
        super().__init__(name)
        self.groups = sizes("groups", groups)

    def _rows(self, y: Float, outputs: Float) -> Float:
        _same_shape(self.name, y, outputs)
        groups = self.groups or (outputs.shape[1],)
        if sum(groups) != outputs.shape[1]:
            raise ShapeError(
                f"{self.name} has groups of {groups} columns, but there are {outputs.shape[1]} outputs"
            )
        ends = np.cumsum(groups)[:-1]
        pairs = zip(np.split(outputs, ends, axis=1), np.split(y, ends, axis=1), strict=True)
        right: Float = np.mean([a.argmax(axis=1) == t.argmax(axis=1) for a, t in pairs], axis=0)
        return right


@FAMILY.add("sparse_categorical_accuracy")
class SparseCategoricalAccuracy(_Mean):
    """The share of rows whose largest output is at the target's class number.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name = "sparse_categorical_accuracy"

    def _rows(self, y: Float, outputs: Float) -> Float:
        if y.shape[1] != 1:
            raise ShapeError(f"{self.name} takes one class number a row, got targets of shape {y.shape}")
        right: Float = (outputs.argmax(axis=1) == y[:, 0]).astype(np.float64)
        return right


@FAMILY.add("mean_squared_error", "mse", "MSE")
class MeanSquaredError(_Mean):
    """``mean((y - a)**2)``.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name = "mean_squared_error"

    def _rows(self, y: Float, outputs: Float) -> Float:
        _same_shape(self.name, y, outputs)
        squares: Float = np.square(y - outputs).mean(axis=1)
        return squares


@FAMILY.add("root_mean_squared_error", "rmse")
class RootMeanSquaredError(MeanSquaredError):
    """``sqrt(mean((y - a)**2))``, the root taken over all rows at once.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name = "root_mean_squared_error"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return float(np.sqrt(super().result()))


@FAMILY.add("mean_absolute_error", "mae", "MAE")
class MeanAbsoluteError(_Mean):
    """``mean(|y - a|)``.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name = "mean_absolute_error"

    def _rows(self, y: Float, outputs: Float) -> Float:
        _same_shape(self.name, y, outputs)
        distances: Float = np.abs(y - outputs).mean(axis=1)
        return distances


class _Counts(Metric):
    """Counts of outputs above ``thresholds`` against the targets."""

    def __init__(self, name: str | None = None, thresholds: float = 0.5) -> None:
        super().__init__(name)
        self.thresholds = number("thresholds", thresholds)

    def reset_state(self) -> None:
        """Forget all rows."""
        self._hits, self._misses, self._false_alarms = 0.0, 0.0, 0.0

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        _same_shape(self.name, y, outputs)
        said, true = outputs > self.thresholds, y > 0.5
        column = weights[:, np.newaxis]
        self._hits += float(((said & true) * column).sum())
        self._misses += float(((~said & true) * column).sum())
        self._false_alarms += float(((said & ~true) * column).sum())


@FAMILY.add("precision")
class Precision(_Counts):
    """Of the outputs above the threshold, the share whose target is 1; 0 where there is none.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    thresholds : float
        One number, where Keras takes several too: 0.5 suits probabilities, 0 logits.
    """

    default_name = "precision"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        said = self._hits + self._false_alarms
        return self._hits / said if said else 0.0


@FAMILY.add("recall")
class Recall(_Counts):
    """Of the targets that are 1, the share whose output is above the threshold; 0 where there is none.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    thresholds : float
        One number, where Keras takes several too: 0.5 suits probabilities, 0 logits.
    """

    default_name = "recall"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        true = self._hits + self._misses
        return self._hits / true if true else 0.0


@FAMILY.add("auc")
class AUC(Metric):
    """The area under the ROC curve, exactly: the chance that a 1's output is above a 0's, ties counting half.

    All outputs count as one set. Keras' approximates this by 200 thresholds; the two differ in the third
    digit. NaN until both targets have been seen.

    Parameters
    ----------
    name : str, optional
        The key in the history.

    References
    ----------
    Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.
    """

    default_name = "auc"

    def reset_state(self) -> None:
        """Forget all rows."""
        self._parts: list[tuple[Float, Float, Float]] = []

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        _same_shape(self.name, y, outputs)
        self._parts.append((y.ravel(), outputs.ravel().copy(), np.repeat(weights, y.shape[1])))

    def result(self) -> float:
        """Return the metric of all rows so far."""
        if not self._parts:
            return float("nan")
        y, outputs, weights = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        values, group = np.unique(outputs, return_inverse=True)
        ones = np.bincount(group, weights * (y > 0.5), len(values))
        zeros = np.bincount(group, weights * (y <= 0.5), len(values))
        pairs = ones.sum() * zeros.sum()
        below = np.cumsum(zeros) - 0.5 * zeros
        return float(np.dot(ones, below) / pairs) if pairs else float("nan")


class FunctionMetric(_Mean):
    """The mean of a function ``f(y_true, y_pred)`` that returns one number a row, or one number a call.

    Parameters
    ----------
    function : callable
        It is called with float64 arrays of shape (m, n_out), class numbers of shape (m, 1), once for the rows
        of each update. One number a call counts as often as there are rows.
    name : str, optional
        The key in the history; None is the function's own name.
    """

    def __init__(self, function: Callable[[Any, Any], Any], name: str | None = None) -> None:
        self.function = function
        self.default_name = getattr(function, "__name__", "metric")
        super().__init__(name)

    def _rows(self, y: Float, outputs: Float) -> Float:
        values = np.asarray(self.function(y, outputs), dtype=np.float64)
        return np.broadcast_to(
            values.reshape(len(outputs), -1).mean(axis=1) if values.ndim else values, len(outputs)
        )


def get(identifier: object) -> Metric:
    """Return a metric from its name, its description, itself or a function ``f(y_true, y_pred)``.

    As in Keras, one asked for by a name goes by that name in the history: "mse" stays "mse".
    """
    if isinstance(identifier, Metric):
        return identifier
    if callable(identifier):
        return FunctionMetric(identifier)
    metric = FAMILY.get(identifier)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def check(identifiers: Sequence[object]) -> None:
    """Raise ValueError or TypeError unless `resolve` can make metrics of all these."""
    for identifier in identifiers:
        if identifier not in _ACCURACY:
            get(identifier)


def resolve(identifiers: Sequence[object], loss: LossSpec, n_out: int) -> list[Metric]:
    """Return metrics, with "accuracy" (or "acc") meaning the one of its three forms that fits the loss.

    For class numbers that is `SparseCategoricalAccuracy`; for one-hot rows `CategoricalAccuracy`;
    otherwise `BinaryAccuracy`, whose threshold is 0 for logits.

    Parameters
    ----------
    identifiers : sequence of str, Metric or function
        "accuracy", "acc" and what `get` takes.
    loss : LossSpec
    n_out : int
        Columns of the network's output.

    Returns
    -------
    metrics : list of Metric
        One an identifier, in their order.
    """
    return [
        _accuracy(str(identifier), loss, n_out) if identifier in _ACCURACY else get(identifier)
        for identifier in identifiers
    ]


def _accuracy(name: str, loss: LossSpec, n_out: int) -> Metric:
    if loss.name == "sparse_categorical_crossentropy":
        return SparseCategoricalAccuracy(name)
    if loss.name == "categorical_crossentropy" or (loss.name != "binary_crossentropy" and n_out > 1):
        return CategoricalAccuracy(name, loss.groups)
    return BinaryAccuracy(name, threshold=0.0 if loss.from_logits else 0.5)


def _matrix(values: Any) -> Float:
    array = np.asarray(values, dtype=np.float64)
    return array[:, np.newaxis] if array.ndim == 1 else array


def _same_shape(name: str, y: Float, outputs: Float) -> None:
    if y.shape != outputs.shape:
        raise ShapeError(f"{name} compares targets of shape {y.shape} with outputs of shape {outputs.shape}")
