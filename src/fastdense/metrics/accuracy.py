"""The accuracies: the share of right answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import from_one, number
from fastdense.core.parameters import Converted, parameter
from fastdense.errors import ShapeError
from fastdense.losses import GROUPS
from fastdense.metrics.base import FAMILY, NAME, Float, MeanOverRows, Name, RowMetric

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
]


@FAMILY.add("binary_accuracy")
class BinaryAccuracy(MeanOverRows):
    """The share of outputs on their target's side of ``threshold``."""

    mode = "max"

    threshold: float = parameter(
        number,
        "An output above it counts as 1, any other as 0: 0.5 suits probabilities, 0 logits.",
        default=0.5,
    )

    def _rows(self, y: Any, outputs: Float) -> Any:
        return ((outputs > self.threshold) == y).mean(axis=1)


@FAMILY.add("categorical_accuracy")
class CategoricalAccuracy(MeanOverRows):
    """The share of rows, or of all rows' ``groups``, with the largest output in the largest target's column.

    Examples
    --------
    >>> import fastdense as fd
    >>> metric = fd.metrics.CategoricalAccuracy(groups=(2, 3))
    >>> metric([[1, 0, 0, 0, 1]], [[0.4, 0.6, 0.1, 0.1, 0.8]])  # the first answer is wrong
    0.5
    """

    mode = "max"

    groups: Converted[Sequence[int], tuple[int, ...]] = GROUPS

    def _rows(self, y: Any, outputs: Float) -> Any:
        groups = self.groups or (outputs.shape[1],)
        if sum(groups) != outputs.shape[1]:
            raise ShapeError(
                f"{self.name} has groups of {groups} columns, but there are {outputs.shape[1]} outputs"
            )
        ends = np.cumsum(groups)[:-1]
        pairs = zip(np.split(outputs, ends, axis=1), np.split(y, ends, axis=1), strict=True)
        return np.mean([a.argmax(axis=1) == t.argmax(axis=1) for a, t in pairs], axis=0)


@FAMILY.add("sparse_categorical_accuracy")
class SparseCategoricalAccuracy(MeanOverRows):
    """The share of rows whose largest output is at the target's class number."""

    mode = "max"
    class_numbers = True

    def _rows(self, y: Any, outputs: Float) -> Any:
        return (outputs.argmax(axis=1) == y[:, 0]).astype(np.float64)


@FAMILY.add()
class Accuracy(MeanOverRows):
    """The share of outputs that equal their target, of outputs that are class numbers themselves.

    ``metrics=["accuracy"]`` is not this one, but the form that fits the loss.
    """

    mode = "max"

    def _rows(self, y: Any, outputs: Float) -> Any:
        return (outputs == y).mean(axis=1)


@FAMILY.add("sparse_top_k_categorical_accuracy")
class SparseTopKCategoricalAccuracy(RowMetric):
    """The share of rows whose output at the target's class number is among the ``k`` largest.

    An output counts among them if fewer than ``k`` are larger, so of equal ones all do.
    """

    mode = "max"
    class_numbers = True

    k: int = parameter(from_one, "At least 1.", default=5)
    name: Name = NAME

    def _rows(self, y: Any, outputs: Float) -> Any:
        if not ((y >= 0) & (y < outputs.shape[1])).all():
            raise ShapeError(
                f"{self.name} takes class numbers from 0 to {outputs.shape[1] - 1}, the outputs, got "
                f"{y.min()} to {y.max()}"
            )
        return self._found(y, outputs)

    def _found(self, numbers: NDArray[np.int64], outputs: Float) -> Any:
        chosen = np.take_along_axis(outputs, numbers, axis=1)
        return ((outputs > chosen).sum(axis=1) < self.k).astype(np.float64)


@FAMILY.add("top_k_categorical_accuracy")
class TopKCategoricalAccuracy(SparseTopKCategoricalAccuracy):
    """The share of rows with the largest target's output among the ``k`` largest."""

    class_numbers = False

    def _rows(self, y: Any, outputs: Float) -> Any:
        return self._found(y.argmax(axis=1)[:, np.newaxis], outputs)
