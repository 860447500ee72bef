"""Penalties on weights, added to the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdense.core.absent import Absent, stand_in
from fastdense.core.checks import from_zero
from fastdense.core.config import Configurable, Family
from fastdense.core.parameters import parameter
from fastdense.core.spec import Penalty

__all__ = ["L1", "L1L2", "L2", "Regularizer", "get", "l1", "l1_l2", "l2"]


class Regularizer(Configurable):
    """Base of the penalties ``l1 * sum(|w|) + l2 * sum(w**2)``."""

    l1 = 0.0
    l2 = 0.0

    @property
    def penalty(self) -> Penalty:
        """The penalty as the engines compute it."""
        return Penalty(self.l1, self.l2)

    def __call__(self, w: Any) -> float:
        """Return the penalty of an array."""
        w = np.asarray(w, dtype=np.float64)
        return float(self.l1 * np.abs(w).sum() + self.l2 * np.square(w).sum())


FAMILY: Family[Regularizer] = Family("regularizer")


@FAMILY.add("l1")
class L1(Regularizer):
    """``l1 * sum(|w|)``."""

    l1: float = parameter(from_zero, "At least 0.", default=0.01)


@FAMILY.add("l2")
class L2(Regularizer):
    """``l2 * sum(w**2)``."""

    l2: float = parameter(from_zero, "At least 0.", default=0.01)


@FAMILY.add("l1_l2")
class L1L2(Regularizer):
    """``l1 * sum(|w|) + l2 * sum(w**2)``."""

    l1: float = parameter(from_zero, "At least 0.", default=0.0)
    l2: float = parameter(from_zero, "At least 0.", default=0.0)


# Keras' other names for them.
l1, l2, l1_l2 = L1, L2, L1L2


def get(identifier: object) -> Regularizer | None:
    """Return a regularizer from its name, its description or itself; None stays None."""
    return None if identifier is None else FAMILY.get(identifier)


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
