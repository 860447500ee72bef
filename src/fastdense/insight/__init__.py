"""Seeing what runs: the ladder from loops to hardware speed, and its pictures."""

from fastdense.insight.ladder import Ladder, ladder

__all__ = ["Ladder", "ladder"]
