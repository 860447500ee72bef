"""From a data frame to a trained model and back: what the command line does, as functions."""

from fastdense.tabular.best import kept_epoch
from fastdense.tabular.evaluate import evaluate_table, evaluate_test
from fastdense.tabular.learner import learn
from fastdense.tabular.model import TabularModel
from fastdense.tabular.predict import Predictions, number_columns, predict_columns, predict_table
from fastdense.tabular.recipe import Recipe
from fastdense.tabular.settings import Settings
from fastdense.tabular.train import Interrupted, train_table

__all__ = [
    "Interrupted",
    "Predictions",
    "Recipe",
    "Settings",
    "TabularModel",
    "evaluate_table",
    "evaluate_test",
    "kept_epoch",
    "learn",
    "number_columns",
    "predict_columns",
    "predict_table",
    "train_table",
]
