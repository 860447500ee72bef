"""The losses: what each one is called, and what targets it takes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from fastdense import engines
from fastdense.core.absent import Absent, stand_in
from fastdense.core.checks import above_zero, flag, number, sizes
from fastdense.core.config import Configurable, Family
from fastdense.core.parameters import Converted, parameter
from fastdense.core.spec import LOSSES, LossSpec
from fastdense.core.targets import as_targets

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Poisson",
    "Quantile",
    "SparseCategoricalCrossentropy",
    "get",
]


class Loss(Configurable):
    """Base of the losses; ``loss(y_true, y_pred)`` is the mean over all rows."""

    name: ClassVar[str]

    def spec(self) -> LossSpec:
        """Return the loss as the engines compute it."""
        found: LossSpec = LOSSES[self.name](**{name: getattr(self, name) for name in self.declared})
        return found

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Return ``sum(sample_weight * losses) / m``.

        Parameters
        ----------
        y_true : array-like of shape (m, n_out) or, for class indices and single outputs, (m,)
        y_pred : array-like of shape (m, n_out) or (m,)
        sample_weight : array-like of shape (m,), optional
        """
        outputs = np.asarray(y_pred, dtype=np.float64)
        outputs = outputs[:, np.newaxis] if outputs.ndim == 1 else outputs
        y = as_targets(y_true, self.spec(), outputs.shape[1], "float64", rows=len(outputs))
        values = engines.losses(self.spec(), y, outputs)
        weights = 1.0 if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return float(np.sum(values * weights) / len(outputs))


FAMILY: Family[Loss] = Family("loss")
get = FAMILY.get

FROM_LOGITS = parameter(
    flag,
    """True if the outputs are logits, of a linear last layer: the loss applies the sigmoid or softmax. A last
    layer that is a sigmoid or softmax is computed from its logits even without it, which loses no digits.""",
    default=False,
)
LABEL_SMOOTHING = parameter(
    partial(number, minimum=0.0, maximum=1.0),
    """From 0 to 1: the share of every target that is spread evenly. ``y`` becomes
    ``y * (1 - label_smoothing) + label_smoothing / n``, where ``n`` is 2 for a sigmoid and the number of
    classes, in their group, for a softmax.""",
    default=0.0,
)
GROUPS = parameter(
    sizes,
    """The columns of each group of classes, from the first column to the last, for several questions with an
    answer each, one-hot in its group. Empty is one group of all columns.""",
    default=(),
    kind="tuple of int",
    later=True,
)


class _Crossentropy(Loss):
    """A loss of probabilities, or of the logits that they come from."""

    from_logits: bool = FROM_LOGITS
    label_smoothing: float = LABEL_SMOOTHING


@FAMILY.add("binary_crossentropy", "bce")
class BinaryCrossentropy(_Crossentropy):
    """``mean(-y log(p) - (1 - y) log(1 - p))`` over the outputs; targets from 0 to 1."""

    name = "binary_crossentropy"


@FAMILY.add("categorical_crossentropy")
class CategoricalCrossentropy(_Crossentropy):
    """``-sum(y log(p))`` over the classes; targets are rows of probabilities, such as one-hot ones.

    With ``groups`` a row's loss is the sum of the groups' losses,
    ``sum(-sum(y_i log(p_i) for i in G) for G in groups)``. A last layer that is a softmax of the same groups
    is computed from its logits.

    Examples
    --------
    >>> import fastdense as fd
    >>> loss = fd.losses.CategoricalCrossentropy(groups=(2, 3))
    >>> round(loss([[1, 0, 0, 0, 1]], [[0.5, 0.5, 0.25, 0.25, 0.5]]), 6)  # log 2 + log 2
    1.386294
    """

    name = "categorical_crossentropy"
    groups: Converted[Sequence[int], tuple[int, ...]] = GROUPS


@FAMILY.add("sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(_Crossentropy):
    """``-log(p[y])``; targets are class numbers from 0."""

    name = "sparse_categorical_crossentropy"


@FAMILY.add("mean_squared_error", "mse", "MSE")
class MeanSquaredError(Loss):
    """``mean((y - a)**2)`` over the outputs."""

    name = "mean_squared_error"


@FAMILY.add("mean_absolute_error", "mae", "MAE")
class MeanAbsoluteError(Loss):
    """``mean(|y - a|)`` over the outputs."""

    name = "mean_absolute_error"


@FAMILY.add("huber", "huber_loss")
class Huber(Loss):
    """Half the square of an error up to ``delta`` and a straight line beyond.

    ``mean(h(a - y))`` over the outputs, with ``h(e) = e**2 / 2`` where ``|e| <= delta`` and
    ``delta * (|e| - delta / 2)`` elsewhere.

    References
    ----------
    Huber, "Robust estimation of a location parameter", 1964.
    """

    name = "huber"
    delta: float = parameter(above_zero, "Above 0.", default=1.0)


@FAMILY.add("poisson")
class Poisson(Loss):
    """``mean(a - y log(a))`` over the outputs: counts ``y``; outputs must be positive.

    A network ends in "exponential" for that, where the loss is computed from what the exponential is taken of
    and needs no logarithm, or in "softplus".
    """

    name = "poisson"


@FAMILY.add("quantile", "pinball")
class Quantile(Loss):
    """``mean(max(q (y - a), (q - 1) (y - a)))`` over the outputs: least at the quantile ``q`` of the targets.

    References
    ----------
    Koenker and Bassett, "Regression Quantiles", 1978.
    """

    name = "quantile"
    quantile: float = parameter(
        partial(number, above=0.0, below=1.0),
        "Above 0 and below 1; 0.5 is half the absolute error.",
        default=0.5,
    )


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
