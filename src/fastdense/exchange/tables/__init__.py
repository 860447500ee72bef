"""Tables in CSV and Parquet files: read whole and checked, written all or nothing."""

from fastdense.exchange.tables.read import read_table
from fastdense.exchange.tables.write import write_table

__all__ = ["read_table", "write_table"]
