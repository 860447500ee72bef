"""Searches of tables: recipes, cross-validated on rows, and the best of them trained."""

from fastdense.search.tables.result import TableSearch
from fastdense.search.tables.run import search_table

__all__ = ["TableSearch", "search_table"]
