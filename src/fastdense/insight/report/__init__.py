"""A training run in one page: what was learned, how well, how fast, and how to reproduce it."""

from fastdense.insight.report.measure import check_page, report
from fastdense.insight.report.record import LayerShown, Measured, RunRecord, Speed
from fastdense.insight.report.shown import RunReport

__all__ = ["LayerShown", "Measured", "RunRecord", "RunReport", "Speed", "check_page", "report"]
