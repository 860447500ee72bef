"""How predictions compare with the truth: confusions, errors, and whether probabilities can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import NonFiniteError
from fastdense.metrics import AUC

__all__ = ["Calibration", "Classified", "Outcome", "Regressed"]
__all__ += ["by_prediction", "classify", "regress", "reliability"]

Float = NDArray[np.float64]
Whole = NDArray[np.int64]

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """What was predicted against what came, for rows of like predictions.

    Attributes
    ----------
    predicted, observed : tuple of float
        The means of each group of rows.
    counts : tuple of int
        The rows of each group.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def error(self) -> float:
        """The mean of ``|predicted - observed|`` over the rows.

        For probabilities it is the expected calibration error (Naeini, Cooper and Hauskrecht, "Obtaining Well
        Calibrated Probabilities Using Bayesian Binning", 2015).
        """
        gaps = np.abs(np.subtract(self.predicted, self.observed))
        return float(np.average(gaps, weights=self.counts))


@dataclass(frozen=True, kw_only=True)
class Classified:
    """A question with one answer out of several.

    Attributes
    ----------
    name : str
        The question's, "" if there is only one.
    labels : tuple of str
    confusion : array of int64, of shape (n_classes, n_classes)
        How many rows of each class, down, were taken for each class, across.
    calibration : Calibration
        That of the second class's probability if there are two classes, else of the chosen class's.
    log_loss : float
        The mean of ``-log(p)``, ``p`` the probability given to the right class, which counts as the least
        normal float32 if it is below that.
    auc : float or None
        The area under the ROC curve if there are two classes; NaN if all rows are of one.
    """

    name: str
    labels: tuple[str, ...]
    confusion: Whole
    calibration: Calibration
    log_loss: float
    auc: float | None

    @property
    def accuracy(self) -> float:
        """The share of rows that got the right class."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def support(self) -> Whole:
        """The rows of each class."""
        return np.asarray(self.confusion.sum(axis=1))

    @property
    def precision(self) -> Float:
        """The share of right ones among the rows predicted as each class, NaN without any."""
        return _shares(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> Float:
        """The share of each class's rows that were found, NaN without any."""
        return _shares(self.confusion.diagonal(), self.support)

    @property
    def f1(self) -> Float:
        """Their harmonic mean, NaN if a class has no rows and was never predicted."""
        taken = self.confusion.sum(axis=0)
        return _shares(2 * self.confusion.diagonal(), taken + self.support)


@dataclass(frozen=True, kw_only=True)
class Regressed:
    """A quantity.

    Attributes
    ----------
    name : str
        The quantity's, "" if there is only one and it has no name.
    truth, guess : arrays of float64, of shape (m,)
    calibration : Calibration
        That of tenths of the rows, by their predictions.
    quantile : float or None
        The share of the truths that should lie below their predictions, if the loss asks for one.
    """

    name: str
    truth: Float
    guess: Float
    calibration: Calibration
    quantile: float | None = None

    @property
    def residuals(self) -> Float:
        """``truth - guess``."""
        return self.truth - self.guess

    @property
    def rmse(self) -> float:
        """The root of the mean squared residual."""
        return float(np.sqrt(np.square(self.residuals).mean()))

    @property
    def mae(self) -> float:
        """The mean absolute residual."""
        return float(np.abs(self.residuals).mean())

    @property
    def bias(self) -> float:
        """The mean of ``guess - truth``."""
        return float(-self.residuals.mean())

    @property
    def r2(self) -> float:
        """The share of the truths' variance that is explained; NaN if they are all equal."""
        same = self.truth.min() == self.truth.max()  # whose mean is rounded
        spread = 0.0 if same else float(np.square(self.truth - self.truth.mean()).sum())
        return 1.0 - float(np.square(self.residuals).sum()) / spread if spread else float("nan")

    @property
    def below(self) -> float:
        """The share of the truths that are at most their predictions."""
        return float((self.truth <= self.guess).mean())


Outcome = Classified | Regressed


def classify(name: str, labels: Sequence[str], truth: Whole, probabilities: Float) -> Classified:
    """Compare class probabilities with the right classes.

    Parameters
    ----------
    name : str
    labels : sequence of str
    truth : array of int64, of shape (m,)
    probabilities : array of float64, of shape (m, n_classes)

    Raises
    ------
    NonFiniteError
        A probability is NaN: the network's numbers overflowed.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    >>> found = classify("", ("no", "yes"), np.array([0, 1, 1]), probabilities)
    >>> found.confusion
    array([[1, 0],
           [1, 1]])
    >>> found.recall, found.auc
    (array([1. , 0.5]), 1.0)
    """
    _refuse_overflow(probabilities)
    count = len(labels)
    chosen = probabilities.argmax(axis=1)
    confusion = np.bincount(truth * count + chosen, minlength=count * count).reshape(count, count)
    right = np.clip(np.take_along_axis(probabilities, truth[:, None], axis=1), np.finfo(np.float32).tiny, 1.0)
    if count == 2:
        calibration = reliability(probabilities[:, 1], truth == 1)
    else:
        calibration = reliability(probabilities.max(axis=1), chosen == truth)
    return Classified(
        name=name,
        labels=tuple(labels),
        confusion=confusion,
        calibration=calibration,
        log_loss=float(-np.log(right).mean()) + 0.0,  # a perfect one is 0, not -0
        auc=AUC()(truth, probabilities[:, 1]) if count == 2 else None,
    )


def reliability(probability: Float, came: NDArray[np.bool_]) -> Calibration:
    """Group rows by tenths of a probability, and count the observed frequency of what it predicts.

    Examples
    --------
    >>> found = reliability(np.array([0.52, 0.58, 1.0]), np.array([True, False, True]))
    >>> found.observed, found.counts
    ((0.5, 1.0), (2, 1))
    """
    return _grouped(np.minimum((probability * BINS).astype(np.int64), BINS - 1), probability, came)


def regress(name: str, truth: Float, guess: Float, quantile: float | None = None) -> Regressed:
    """Compare predicted quantities with the right ones, all float64 of shape (m,).

    Raises
    ------
    NonFiniteError
        A prediction is not finite: the network's numbers overflowed.

    Examples
    --------
    >>> found = regress("price", np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0]))
    >>> found.mae, found.bias, found.r2
    (1.0, 1.0, -3.5)
    """
    _refuse_overflow(guess)
    calibration = by_prediction(guess, truth)
    return Regressed(name=name, truth=truth, guess=guess, calibration=calibration, quantile=quantile)


def by_prediction(guess: Float, truth: Float) -> Calibration:
    """Group rows by tenths of their number, the lowest predictions first.

    Examples
    --------
    >>> found = by_prediction(np.array([3.0, 1.0, 2.0]), np.array([4.0, 1.0, 2.0]))
    >>> found.predicted, found.observed
    ((1.0, 2.0, 3.0), (1.0, 2.0, 4.0))
    """
    ranks = np.empty(len(guess), dtype=np.int64)
    ranks[np.argsort(guess, kind="stable")] = np.arange(len(guess))
    return _grouped(ranks * BINS // len(guess), guess, truth)


def _refuse_overflow(outputs: Float) -> None:
    finite = np.isfinite(outputs.reshape(len(outputs), -1)).all(axis=1)
    if not finite.all():
        raise NonFiniteError(
            f"the network's outputs are not finite, first in row {int(np.argmin(finite))}: its weights have "
            f"overflowed; train it again, at a lower learning rate"
        )


def _grouped(group: Whole, predicted: Float, observed: NDArray[np.bool_] | Float) -> Calibration:
    counts = np.bincount(group, minlength=BINS)
    some = counts > 0

    def means(values: NDArray[np.bool_] | Float) -> tuple[float, ...]:
        totals = np.bincount(group, weights=values, minlength=BINS)
        return tuple((totals[some] / counts[some]).tolist())

    return Calibration(means(predicted), means(observed), tuple(counts[some].tolist()))


def _shares(part: Whole, whole: Whole) -> Float:
    shares: Float = np.full(len(whole), np.nan)
    return np.divide(part, whole, out=shares, where=whole > 0)
