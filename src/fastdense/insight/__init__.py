"""Seeing what runs: the ladder from loops to hardware speed, and the loops that source still has."""

from fastdense.insight.ladder import Ladder, ladder
from fastdense.insight.vectorize import Report, vectorize

__all__ = ["Ladder", "Report", "ladder", "vectorize"]
