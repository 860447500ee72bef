"""The metrics that count outputs above a threshold against the targets, and what follows from the counts."""

from __future__ import annotations

from dataclasses import KW_ONLY
from functools import partial
from typing import Any, ClassVar

import numpy as np

from fastdense.core.checks import above_zero, choice, number, optional, whole
from fastdense.core.parameters import parameter
from fastdense.errors import ShapeError
from fastdense.metrics.base import FAMILY, NAME, Float, Metric, Name, check_same_shape

__all__ = [
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
]


def _threshold(name: str, value: Any) -> float:
    if isinstance(value, tuple | list):
        raise TypeError(
            f"{name} must be one number, got {value!r}: a metric is one number, so give one metric for each "
            f"threshold"
        )
    return number(name, value)


class _Counts(Metric):
    """Counts of outputs above ``thresholds`` against the targets."""

    numbered = True

    thresholds: float = parameter(
        _threshold,
        "One number, while Keras takes several too: 0.5 suits probabilities, 0 logits.",
        default=0.5,
    )

    def reset_state(self) -> None:
        """Forget all rows."""
        self._counts = np.zeros((2, 2))  # by output above the threshold, and by target

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        check_same_shape(self.name, y, outputs)
        chosen, true = self._columns(outputs) > self.thresholds, self._columns(y) > 0.5
        counts = [
            [(((chosen == i) & (true == j)) * weights[:, np.newaxis]).sum() for j in (0, 1)] for i in (0, 1)
        ]
        self._counts = self._counts + counts  # not in place: a copy of the metric shares the array

    def _columns(self, values: Float) -> Float:
        """Return the columns that count."""
        return values


class _Count(_Counts):
    """One of the four counts."""

    cell: ClassVar[tuple[int, int]]
    _: KW_ONLY
    name: Name = NAME

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return float(self._counts[self.cell])


@FAMILY.add("true_positives")
class TruePositives(_Count):
    """The number of outputs above the threshold whose target is 1, each counting its row's weight."""

    mode = "max"
    cell = (1, 1)


@FAMILY.add("false_positives")
class FalsePositives(_Count):
    """The number of outputs above the threshold whose target is 0, each counting its row's weight."""

    mode = "min"
    cell = (1, 0)


@FAMILY.add("true_negatives")
class TrueNegatives(_Count):
    """The number of outputs at or below the threshold whose target is 0, each counting its row's weight."""

    mode = "max"
    cell = (0, 0)


@FAMILY.add("false_negatives")
class FalseNegatives(_Count):
    """The number of outputs at or below the threshold whose target is 1, each counting its row's weight."""

    mode = "min"
    cell = (0, 1)


class _Share(_Counts):
    """The share of true positives among a row or column of the four counts, of one class or of all."""

    mode = "max"
    among: ClassVar[Any]
    _: KW_ONLY
    class_id: int | None = parameter(
        optional(whole),
        "The column of targets and outputs to count; all by default.",
        default=None,
        later=True,
    )
    name: Name = NAME

    def _columns(self, values: Float) -> Float:
        if self.class_id is None:
            return values
        if self.class_id >= values.shape[1]:
            raise ShapeError(
                f"{self.name} is of class {self.class_id}, but there are {values.shape[1]} outputs"
            )
        return values[:, [self.class_id]]

    def result(self) -> float:
        """Return the metric of all rows so far."""
        counted = self._counts[self.among].sum()
        return float(self._counts[1, 1] / counted) if counted else 0.0


@FAMILY.add("precision")
class Precision(_Share):
    """The share of outputs above the threshold whose target is 1; 0 if there are none."""

    among = np.s_[1, :]


@FAMILY.add("recall")
class Recall(_Share):
    """The share of targets that are 1 whose output is above the threshold; 0 if there are none."""

    among = np.s_[:, 1]


@FAMILY.add("fbeta_score", "f_beta_score")
class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall, of each class and then over the classes.

    ``(1 + beta**2) tp / ((1 + beta**2) tp + beta**2 fn + fp)``, 0 if there is nothing to count.

    References
    ----------
    van Rijsbergen, "Information Retrieval", 1979.
    """

    default_name = "fbeta_score"
    mode = "max"

    average: str | None = parameter(
        optional(choice("micro", "macro", "weighted")),
        """"micro" counts all classes as one; "macro" is the mean over classes, "weighted" that mean weighted
        by the classes' targets. None is each class by itself, one number for one output only: a history
        holds numbers.""",
        default=None,
        kind="'micro', 'macro' or 'weighted'",
    )
    beta: float = parameter(
        above_zero, "Above 0: how many times as much recall counts as precision.", default=1.0
    )
    threshold: float | None = parameter(
        optional(partial(number, above=0.0, maximum=1.0)),
        """Above 0 and at most 1: outputs above it count as 1; 0.5 suits a sigmoid. None takes the largest
        output of each row, which suits a softmax; one output alone is then always 1.""",
        default=None,
    )
    name: Name = NAME

    def reset_state(self) -> None:
        """Forget all rows."""
        self._true_positives: Any = 0.0
        self._chosen: Any = 0.0
        self._true: Any = 0.0

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        check_same_shape(self.name, y, outputs)
        if self.average is None and outputs.shape[1] > 1:
            raise ShapeError(
                f"{self.name} of {outputs.shape[1]} outputs is one number per class with average=None, and a "
                f"history holds numbers: choose average='macro', 'micro' or 'weighted'"
            )
        if self.threshold is None:
            # Outputs that are all 0 choose no class, as in Keras.
            chosen = (outputs >= outputs.max(axis=1, keepdims=True)) & (np.abs(outputs) > 1e-9)
        else:
            chosen = outputs > self.threshold
        self._true_positives = self._true_positives + weights @ (chosen * y)
        self._chosen = self._chosen + weights @ chosen
        self._true = self._true + weights @ y

    def result(self) -> float:
        """Return the metric of all rows so far."""
        counts = [np.atleast_1d(count) for count in (self._true_positives, self._chosen, self._true)]
        hits, chosen, true = (
            [count.sum(keepdims=True) for count in counts] if self.average == "micro" else counts
        )
        square = self.beta**2
        below = square * true + chosen  # of hits, misses and false alarms: (1 + b²) tp + b² fn + fp
        scores = np.divide((1 + square) * hits, below, out=np.zeros(hits.shape), where=below > 0)
        if self.average == "weighted":
            return float(np.dot(scores, true) / true.sum()) if true.sum() else 0.0
        return float(scores.mean())


@FAMILY.add("f1_score")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall: `FBetaScore` with ``beta`` 1."""

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = None
    ) -> None:
        super().__init__(average, 1.0, threshold, name)
