"""A training run in one page: what was learned, how well, how fast, and how to do it again."""

from fastdense.insight.report.measure import check_page, report
from fastdense.insight.report.record import LayerShown, Measured, RunReport, Speed

__all__ = ["LayerShown", "Measured", "RunReport", "Speed", "check_page", "report"]
