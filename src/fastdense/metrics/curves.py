"""The areas under curves of all thresholds, exact."""

from __future__ import annotations

from dataclasses import KW_ONLY

import numpy as np

from fastdense.core.checks import choice
from fastdense.core.parameters import parameter
from fastdense.metrics.base import FAMILY, NAME, Float, Metric, Name, check_same_shape

__all__ = ["AUC"]


@FAMILY.add("auc")
class AUC(Metric):
    """The exact area under the ROC curve, or under the curve of precision over recall.

    The first is the chance that a 1's output is above a 0's, ties counting half. All outputs count as one
    set. Keras' approximates both by 200 thresholds; the two differ in the third digit. Logits and their
    sigmoids give the same area. NaN until both targets have been seen.

    References
    ----------
    Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982. Davis and Goadrich, "The
    relationship between precision-recall and ROC curves", 2006.
    """

    mode = "max"
    numbered = True

    _: KW_ONLY
    curve: str = parameter(
        choice("ROC", "PR"),
        '"PR" joins the points of precision over recall by Davis and Goadrich\'s interpolation.',
        default="ROC",
        kind="'ROC' or 'PR'",
        later=True,
    )
    name: Name = NAME

    def reset_state(self) -> None:
        """Forget all rows."""
        self._parts: list[tuple[Float, Float, Float]] = []

    def _add(self, y: Float, outputs: Float, weights: Float) -> None:
        check_same_shape(self.name, y, outputs)
        self._parts.append((y.ravel(), outputs.ravel().copy(), np.repeat(weights, y.shape[1])))

    def result(self) -> float:
        """Return the metric of all rows so far."""
        if not self._parts:
            return float("nan")
        y, outputs, weights = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        values, group = np.unique(outputs, return_inverse=True)
        ones: Float = np.bincount(group, weights * (y > 0.5), len(values)).astype(np.float64)
        zeros: Float = np.bincount(group, weights * (y <= 0.5), len(values)).astype(np.float64)
        if not (ones.sum() and zeros.sum()):
            return float("nan")
        return _area_of_precision(ones, zeros) if self.curve == "PR" else _area_of_roc(ones, zeros)


def _area_of_roc(ones: Float, zeros: Float) -> float:
    """Return the area from the weights of the 1s and 0s at each distinct output, the smallest first."""
    below = np.cumsum(zeros) - 0.5 * zeros
    return float(np.dot(ones, below) / (ones.sum() * zeros.sum()))


def _area_of_precision(ones: Float, zeros: Float) -> float:
    """Return the area from the weights of the 1s and 0s at each distinct output, the smallest first.

    From each output to the next smaller one ``tp`` grows by ``slope`` per chosen output, and the integral of
    the precision ``tp / chosen`` is ``slope * (ones + (tp - slope * chosen) * log(after / before))``.
    """
    some = ones + zeros > 0
    ones, zeros = ones[some][::-1], zeros[some][::-1]
    growth = ones + zeros
    slope, after = ones / growth, np.cumsum(growth)
    before = after - growth
    start = np.cumsum(ones) - ones - slope * before  # exactly 0 for the first, which has no logarithm
    ratio = np.divide(after, before, out=np.ones(len(after)), where=before > 0)
    return float(np.dot(slope, ones + start * np.log(ratio)) / ones.sum())
