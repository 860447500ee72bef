"""A data frame's columns to a matrix and back: types, missing values, categories, scaling."""

from fastdense.tables.cells import Cells
from fastdense.tables.columns import Category, Ignored, Number
from fastdense.tables.dates import Date
from fastdense.tables.embedded import EmbeddedCategory, EmbeddedDate, EmbeddedNumber, Truth
from fastdense.tables.layout import Layout
from fastdense.tables.table import Table
from fastdense.tables.targets import Classes, Label, Scale

__all__ = [
    "Category",
    "Cells",
    "Classes",
    "Date",
    "EmbeddedCategory",
    "EmbeddedDate",
    "EmbeddedNumber",
    "Ignored",
    "Label",
    "Layout",
    "Number",
    "Scale",
    "Table",
    "Truth",
]
