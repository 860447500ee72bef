"""A data frame's columns to a matrix and back: types, missing values, categories, scaling."""

from fastdense.tables.columns import Category, Ignored, Number
from fastdense.tables.table import Table
from fastdense.tables.targets import Classes, Label, Scale

__all__ = ["Category", "Classes", "Ignored", "Label", "Number", "Scale", "Table"]
