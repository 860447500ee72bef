"""The metrics that count outputs above a threshold against the targets, and what follows from the counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdense.core.checks import number, one_of, whole
from fastdense.errors import ShapeError
from fastdense.metrics.base import FAMILY, Float, Metric, check_same_shape

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


class _Counts(Metric):
    """Counts of outputs above ``thresholds`` against the targets; the subclasses say what of them counts."""

    numbered = True

    def __init__(self, thresholds: float = 0.5, *, name: str | None = None) -> None:
        if isinstance(thresholds, tuple | list):
            raise TypeError(
                f"{type(self).__name__}: thresholds must be one number, got {thresholds!r}: a metric is one "
                f"number, so give one metric for each threshold"
            )
        super().__init__(name)
        self.thresholds = number("thresholds", thresholds)

    def reset_state(self) -> None:
        """Forget all rows."""
        self._true_positives = self._false_positives = self._false_negatives = self._true_negatives = 0.0

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        check_same_shape(self.name, y, outputs)
        chosen, true = self._columns(outputs) > self.thresholds, self._columns(y) > 0.5
        column = weights[:, np.newaxis]
        self._true_positives += float(((chosen & true) * column).sum())
        self._false_positives += float(((chosen & ~true) * column).sum())
        self._false_negatives += float(((~chosen & true) * column).sum())
        self._true_negatives += float(((~chosen & ~true) * column).sum())

    def _columns(self, values: Float) -> Float:
        """Return the columns that count."""
        return values


@FAMILY.add("true_positives")
class TruePositives(_Counts):
    """The number of outputs above the threshold whose target is 1, each counting its row's weight.

    Parameters
    ----------
    thresholds : float
        One number: 0.5 suits probabilities, 0 logits.
    name : str, optional
        The key in the history.
    """

    default_name = "true_positives"
    mode = "max"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return self._true_positives


@FAMILY.add("false_positives")
class FalsePositives(_Counts):
    """The number of outputs above the threshold whose target is 0, each counting its row's weight.

    Parameters
    ----------
    thresholds : float
        One number: 0.5 suits probabilities, 0 logits.
    name : str, optional
        The key in the history.
    """

    default_name = "false_positives"
    mode = "min"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return self._false_positives


@FAMILY.add("true_negatives")
class TrueNegatives(_Counts):
    """The number of outputs at or below the threshold whose target is 0, each counting its row's weight.

    Parameters
    ----------
    thresholds : float
        One number: 0.5 suits probabilities, 0 logits.
    name : str, optional
        The key in the history.
    """

    default_name = "true_negatives"
    mode = "max"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return self._true_negatives


@FAMILY.add("false_negatives")
class FalseNegatives(_Counts):
    """The number of outputs at or below the threshold whose target is 1, each counting its row's weight.

    Parameters
    ----------
    thresholds : float
        One number: 0.5 suits probabilities, 0 logits.
    name : str, optional
        The key in the history.
    """

    default_name = "false_negatives"
    mode = "min"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return self._false_negatives


class _OfClass(_Counts):
    """Counts of one column, or of all."""

    _later = frozenset({"class_id"})

    def __init__(
        self, thresholds: float = 0.5, *, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(thresholds, name=name)
        self.class_id = None if class_id is None else whole("class_id", class_id)

    def _columns(self, values: Float) -> Float:
        if self.class_id is None:
            return values
        if self.class_id >= values.shape[1]:
            raise ShapeError(
                f"{self.name} is of class {self.class_id}, but there are {values.shape[1]} outputs"
            )
        return values[:, [self.class_id]]


@FAMILY.add("precision")
class Precision(_OfClass):
    """Of the outputs above the threshold, the share whose target is 1; 0 if there are none.

    Parameters
    ----------
    thresholds : float
        One number, while Keras takes several too: 0.5 suits probabilities, 0 logits.
    class_id : int, optional
        The column of targets and outputs to count; all by default.
    name : str, optional
        The key in the history.
    """

    default_name = "precision"
    mode = "max"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return _share(self._true_positives, self._true_positives + self._false_positives)


@FAMILY.add("recall")
class Recall(_OfClass):
    """Of the targets that are 1, the share whose output is above the threshold; 0 if there are none.

    Parameters
    ----------
    thresholds : float
        One number, while Keras takes several too: 0.5 suits probabilities, 0 logits.
    class_id : int, optional
        The column of targets and outputs to count; all by default.
    name : str, optional
        The key in the history.
    """

    default_name = "recall"
    mode = "max"

    def result(self) -> float:
        """Return the metric of all rows so far."""
        return _share(self._true_positives, self._true_positives + self._false_negatives)


@FAMILY.add("fbeta_score", "f_beta_score")
class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall, of each class and then over the classes.

    ``(1 + beta**2) tp / ((1 + beta**2) tp + beta**2 fn + fp)``, 0 if there is nothing to count.

    Parameters
    ----------
    average : "micro", "macro", "weighted" or None
        "micro" counts all classes as one; "macro" is the mean over classes, "weighted" that mean weighted by
        the classes' targets. None is each class by itself, one number for one output only: a history holds
        numbers.
    beta : float
        Above 0: how many times as much recall counts as precision.
    threshold : float, optional
        Above 0 and at most 1: outputs above it count as 1. None takes the largest output of each row, which
        suits a softmax; one output alone is then always 1.
    name : str, optional
        The key in the history.

    References
    ----------
    van Rijsbergen, "Information Retrieval", 1979.
    """

    default_name = "fbeta_score"
    mode = "max"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        choices = ("micro", "macro", "weighted")
        self.average = None if average is None else one_of("average", average, choices)
        self.beta = number("beta", beta, above=0.0)
        self.threshold = None if threshold is None else number("threshold", threshold, maximum=1.0, above=0.0)

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
    """The harmonic mean of precision and recall: `FBetaScore` with ``beta`` 1.

    Parameters
    ----------
    average : "micro", "macro", "weighted" or None
        As of `FBetaScore`.
    threshold : float, optional
        As of `FBetaScore`: 0.5 suits a sigmoid, None a softmax.
    name : str, optional
        The key in the history.
    """

    default_name = "f1_score"

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = None
    ) -> None:
        super().__init__(average, 1.0, threshold, name)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
