"""What the networks of a table have in common: what they learn, by which recipe, and from which rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.spec import AdamSpec, TrainingSpec
from fastdense.tables import Layout
from fastdense.tabular.goals import Goal
from fastdense.tabular.recipes import Recipe
from fastdense.tabular.rows import Rows

__all__ = ["Subject"]

_SIZES = ((1024, 64), (8192, 128), (30_000, 256), (100_000, 512), (math.inf, 1024))
"""The rows of a step, by the most rows to train on that it is for; RealMLP's, of pytabkit 1.8."""
_ALIKE = 1e-12
"""Weights that differ by no more are the same."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What the networks of a table have in common.

    Attributes
    ----------
    goal : Goal
    layout : Layout
        The groups of the features.
    recipe : Recipe
        Of the goal's task.
    rows : Rows
        To train on.
    validation : Rows or None
        What chooses the epochs in place of some of ``rows``.
    """

    goal: Goal
    layout: Layout
    recipe: Recipe
    rows: Rows
    validation: Rows | None = None

    @property
    def judges(self) -> Rows:
        """The rows that those held out are some of."""
        return self.rows if self.validation is None else self.validation

    @cached_property
    def weights(self) -> NDArray[np.float32] | None:
        """The weights of the rows to train on, None if all are the same."""
        emphasis = self.rows.emphasis
        return None if np.ptp(emphasis) < _ALIKE else emphasis.astype(np.float32)

    @cached_property
    def clamp(self) -> tuple[float, float] | None:
        """The range of the numbers trained on, None to classify."""
        return None if self.goal.classify else (float(self.rows.y.min()), float(self.rows.y.max()))

    def clamped(self, outputs: Array) -> Array:
        """Return a network's outputs, numbers within the range trained on."""
        return outputs if self.clamp is None else np.clip(outputs, *self.clamp)

    def rows_per_step(self, rows: int) -> int:
        """Return the rows of a step, for ``rows`` rows to train on."""
        size = self.recipe.batch_size or next(size for most, size in _SIZES if rows <= most)
        return min(size, rows)

    def steps(self, rows: int) -> int:
        """Return the steps of an epoch: what is left over of the rows is not trained on in it."""
        return rows // self.rows_per_step(rows)

    def training(self, seed: int) -> TrainingSpec:
        """Return the loss and the optimizer; ``seed`` decides the dropout."""
        recipe = self.recipe
        optimizer = AdamSpec(
            weight_decay=recipe.weight_decay,
            beta_1=recipe.beta_1,
            beta_2=recipe.beta_2,
            epsilon=recipe.epsilon,
        )
        return TrainingSpec(self.goal.loss(recipe.label_smoothing), optimizer, seed)
