"""A recipe on the rows of a fold: a training that can pause after any epoch and go on."""

from __future__ import annotations

import numpy as np

from fastdense.models.sequential import Sequential
from fastdense.search.functions import FunctionTrial
from fastdense.search.tables.folds import Fold
from fastdense.search.tables.measures import Measure
from fastdense.tabular import Recipe
from fastdense.tabular.evaluate import measured
from fastdense.tabular.recipe import network_for

__all__ = ["TableTrial"]


class TableTrial(FunctionTrial):
    """A recipe's network, trained on a fold's rows as `train_table` trains it on the same rows.

    Its learning rate is laid out over all of the recipe's epochs, wherever it pauses.

    Parameters
    ----------
    fold : Fold
    recipe : Recipe
    seed : int
    """

    def __init__(self, fold: Fold, recipe: Recipe, seed: int) -> None:
        self.fold, self.recipe = fold, recipe
        rows = len(fold.training.X)

        def build() -> Sequential:
            model = network_for(fold.table, recipe, rows, seed)
            assert model.loss is not None
            model.compile(model.optimizer, model.loss)  # no metrics: they take time, and nobody reads them
            return model

        options = {"epochs": recipe.times(rows), "batch_size": recipe.rows_a_step(rows)}
        super().__init__(build, {}, fold.training, np.arange(rows), options)

    def measured(self, measure: Measure) -> float:
        """Return a measure of the rows held out."""
        outputs = self.fitted().predict(self.fold.X)
        return measured(self.fold.table, self.fold.y, outputs)[measure.name]
