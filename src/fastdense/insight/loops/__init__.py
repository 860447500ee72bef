"""Loops in Python source that are one operation on whole arrays: found, and written so.

`source` reads a file, and `find` goes through its blocks. `evidence` decides which loops compute with
numbers; `statements` reads a loop's statements, `expressions` and `calls` what they compute, for all turns at
once. A value is `lifted`, with loops' turns as axes; `scope` is what names stand for; `trees` makes and takes
apart expressions. `makers` and `uses` look before and behind a loop.
`wording` and `report` describe what was found.

The trees are those of Python's ``ast``. Lines outside of a replaced loop stay as they are, comments and all,
so a tree that keeps comments (LibCST) would add a dependency and save nothing. Nothing here needs the rest of
the library.
"""

from fastdense.insight.loops.find import vectorize
from fastdense.insight.loops.report import Finding, Report

__all__ = ["Finding", "Report", "vectorize"]
