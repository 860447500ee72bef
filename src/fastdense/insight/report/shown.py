"""A report as users have it: printed as lines, shown and saved as a page."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from fastdense.insight.notebook import framed
from fastdense.insight.pages import save
from fastdense.insight.plain import as_plain
from fastdense.insight.report.page import report_page
from fastdense.insight.report.record import RunRecord
from fastdense.insight.report.wording import report_text

__all__ = ["RunReport"]


@dataclass(frozen=True, kw_only=True)
class RunReport(RunRecord):
    """A training run; printed as a few lines, shown by notebooks as its page.

    Its attributes are those of `RunRecord`.
    """

    def __str__(self) -> str:
        return report_text(self)

    def _repr_html_(self) -> str | None:
        return framed(lambda: report_page(self), "A training run", 900)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the weights as what JSON holds."""
        return as_plain(replace(self, layers=tuple(replace(layer, W=None) for layer in self.layers)))

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Save it as a page that needs no other file and no network.

        Raises
        ------
        ValueError
            The name does not end in .html.
        ImportError
            matplotlib or Jinja2, which draw it, are not installed.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        save(report_page(self), path)
