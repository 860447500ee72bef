"""What training changes in a model: the weights, the optimizer's arrays and its count of steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastdense.core.spec import TrainingSpec
from fastdense.engines import Slots
from fastdense.losses import Loss
from fastdense.optimizers import Optimizer

__all__ = ["State", "Training"]


@dataclass(frozen=True, eq=False)
class Training:
    """What `compile` chose, and the optimizer's arrays since.

    It is never changed but replaced, so that it is a version as well: a program that was compiled with
    another one is not current.

    Attributes
    ----------
    loss : Loss
    optimizer : Optimizer
    metrics, weighted_metrics : sequence of str, Metric or function
        As `compile` was given them.
    slots : sequence of sequences of array, or None
        The optimizer's arrays, None before its first step.
    """

    loss: Loss
    optimizer: Optimizer
    metrics: Sequence[object]
    weighted_metrics: Sequence[object]
    slots: Slots | None = None

    def spec(self, seed: int) -> TrainingSpec:
        """Return the loss, the optimizer and the seed as engines are given them."""
        return TrainingSpec(self.loss.spec(), self.optimizer.spec(), seed)


class State(NamedTuple):
    """All that steps change, and what they were compiled with, as it is at one moment.

    Attributes
    ----------
    snapshot : fastdense.network.snapshot.Snapshot
        The layers with their arrays, which nothing writes to.
    training : Training or None
        None for a model that is not compiled.
    iterations : int
        The optimizer's count of steps.
    """

    snapshot: Any
    training: Training | None
    iterations: int

    def is_finite(self) -> bool:
        """Return True if no weight and no number of the optimizer's is NaN or infinite."""
        slots = None if self.training is None else self.training.slots
        groups = (*self.snapshot.arrays, *(slots or ()))
        ends = (end for group in groups for array in group for end in (array.min(), array.max()))
        return all(map(math.isfinite, ends))  # NaN is its array's end; no memory is asked for
