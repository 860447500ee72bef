"""From a data frame to a trained model and back: what the command line does, as functions."""

from fastdense.estimators.table.best import kept_epoch
from fastdense.estimators.table.evaluate import evaluate_table, evaluate_test
from fastdense.estimators.table.predict import Predictions, number_columns, predict_columns, predict_table
from fastdense.estimators.table.recipe import Recipe
from fastdense.estimators.table.train import Interrupted, train_table

__all__ = [
    "Interrupted",
    "Predictions",
    "Recipe",
    "evaluate_table",
    "evaluate_test",
    "kept_epoch",
    "number_columns",
    "predict_columns",
    "predict_table",
    "train_table",
]
