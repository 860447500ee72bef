"""The losses of probabilities and counts as metrics: what is trained by one can be measured by another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from fastdense import engines, losses
from fastdense.core.parameters import Converted
from fastdense.losses import Loss
from fastdense.metrics.base import FAMILY, Float, MeanOverRows

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
]


class _MeanLoss(MeanOverRows):
    """The mean of a loss with the metric's arguments."""

    mode = "min"
    kind: ClassVar[type[Loss]]

    def _rows(self, y: Any, outputs: Float) -> Float:
        loss = self.kind(**{name: getattr(self, name) for name in self.kind.declared})
        return engines.losses(loss.spec(), y[:, 0] if self.class_numbers else y, outputs)


class _Crossentropy(_MeanLoss):
    """The mean of a cross-entropy."""

    from_logits: bool = losses.FROM_LOGITS
    label_smoothing: float = losses.LABEL_SMOOTHING


@FAMILY.add("binary_crossentropy", "bce", "BCE")
class BinaryCrossentropy(_Crossentropy):
    """The loss `fastdense.losses.BinaryCrossentropy` as a metric."""

    kind = losses.BinaryCrossentropy


@FAMILY.add("categorical_crossentropy")
class CategoricalCrossentropy(_Crossentropy):
    """The loss `fastdense.losses.CategoricalCrossentropy` as a metric."""

    kind = losses.CategoricalCrossentropy

    groups: Converted[Sequence[int], tuple[int, ...]] = losses.GROUPS


@FAMILY.add("sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(_Crossentropy):
    """The loss `fastdense.losses.SparseCategoricalCrossentropy` as a metric."""

    kind = losses.SparseCategoricalCrossentropy
    class_numbers = True


@FAMILY.add("poisson")
class Poisson(_MeanLoss):
    """The loss `fastdense.losses.Poisson` as a metric."""

    kind = losses.Poisson


@FAMILY.add("kl_divergence", "kld", "KLD")
class KLDivergence(MeanOverRows):
    """``sum(y * log(y / a))`` over the classes, both limited to 1e-7 from below and 1 from above.

    References
    ----------
    Kullback and Leibler, "On information and sufficiency", 1951.
    """

    mode = "min"

    def _rows(self, y: Float, outputs: Float) -> Any:
        y, outputs = np.clip(y, 1e-7, 1.0), np.clip(outputs, 1e-7, 1.0)
        return (y * np.log(y / outputs)).sum(axis=1)
