"""Loops in Python source that are one operation on whole arrays: found, and written so."""

from fastdense.insight.loops.find import vectorize
from fastdense.insight.loops.report import Finding, Report

__all__ = ["Finding", "Report", "vectorize"]
