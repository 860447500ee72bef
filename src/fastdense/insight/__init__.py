"""Seeing what runs: the ladder from loops to hardware speed, what limits it, and loops left in source."""

from fastdense.insight.ladder import Ladder, ladder
from fastdense.insight.sweep import Sweep, sweep
from fastdense.insight.timing import best_time
from fastdense.insight.vectorize import Report, vectorize

__all__ = ["Ladder", "Report", "Sweep", "best_time", "ladder", "sweep", "vectorize"]
