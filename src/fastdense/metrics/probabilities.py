"""The losses of probabilities and counts as metrics: what is trained by one can be measured by another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastdense import engines, losses
from fastdense.losses import Loss
from fastdense.metrics.base import FAMILY, Float, MeanOverRows, check_same_shape, class_column

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
]


class _MeanLoss(MeanOverRows):
    """The mean of a loss; the subclasses keep its arguments."""

    mode = "min"

    _loss: Loss

    def _rows(self, y: Float, outputs: Float) -> Float:
        spec = self._loss.spec()
        if spec.name == "sparse_categorical_crossentropy":
            return engines.losses(spec, class_column(self.name, y)[:, 0], outputs)
        check_same_shape(self.name, y, outputs)
        return engines.losses(spec, y, outputs)


class _Crossentropy(_MeanLoss):
    """The mean of a cross-entropy without groups."""

    _kind: type[losses.BinaryCrossentropy | losses.SparseCategoricalCrossentropy]

    def __init__(
        self, name: str | None = None, from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name)
        self._loss = self._kind(from_logits, label_smoothing)
        self.from_logits, self.label_smoothing = self._loss.from_logits, self._loss.label_smoothing


@FAMILY.add("binary_crossentropy", "bce", "BCE")
class BinaryCrossentropy(_Crossentropy):
    """The loss `fastdense.losses.BinaryCrossentropy` as a metric.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    from_logits : bool
        The outputs are logits.
    label_smoothing : float
        As of the loss.
    """

    default_name = "binary_crossentropy"
    _kind = losses.BinaryCrossentropy


@FAMILY.add("categorical_crossentropy")
class CategoricalCrossentropy(_MeanLoss):
    """The loss `fastdense.losses.CategoricalCrossentropy` as a metric.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    from_logits : bool
        The outputs are logits.
    label_smoothing : float
        As of the loss.
    groups : tuple of int
        As of the loss.
    """

    default_name = "categorical_crossentropy"
    _later = frozenset({"groups"})

    def __init__(
        self,
        name: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        groups: Sequence[int] = (),
    ) -> None:
        super().__init__(name)
        self._loss = losses.CategoricalCrossentropy(from_logits, label_smoothing, groups)
        self.from_logits, self.label_smoothing = self._loss.from_logits, self._loss.label_smoothing
        self.groups = self._loss.groups


@FAMILY.add("sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(_Crossentropy):
    """The loss `fastdense.losses.SparseCategoricalCrossentropy` as a metric.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    from_logits : bool
        The outputs are logits.
    label_smoothing : float
        As of the loss.
    """

    default_name = "sparse_categorical_crossentropy"
    _kind = losses.SparseCategoricalCrossentropy


@FAMILY.add("poisson")
class Poisson(_MeanLoss):
    """The loss `fastdense.losses.Poisson` as a metric.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name = "poisson"
    _loss = losses.Poisson()


@FAMILY.add("kl_divergence", "kld", "KLD")
class KLDivergence(MeanOverRows):
    """``sum(y * log(y / a))`` over the classes, both limited to 1e-7 from below and 1 from above.

    Parameters
    ----------
    name : str, optional
        The key in the history.

    References
    ----------
    Kullback and Leibler, "On information and sufficiency", 1951.
    """

    default_name = "kl_divergence"
    mode = "min"

    def _rows(self, y: Float, outputs: Float) -> Float:
        check_same_shape(self.name, y, outputs)
        y, outputs = np.clip(y, 1e-7, 1.0), np.clip(outputs, 1e-7, 1.0)
        divergence: Float = (y * np.log(y / outputs)).sum(axis=1)
        return divergence
