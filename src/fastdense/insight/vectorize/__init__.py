"""Loops in Python source that are one operation on whole arrays: found, and written so."""

from fastdense.insight.vectorize.find import Finding, Report, vectorize

__all__ = ["Finding", "Report", "vectorize"]
