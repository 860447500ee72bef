"""A measurement as a table: printed, shown in notebooks, drawn as a chart, and as what JSON holds."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from fastdense.core.columns import aligned
from fastdense.insight.figures import save_figure
from fastdense.insight.notebook import shown
from fastdense.insight.plain import as_plain

__all__ = ["Charted", "Tabulated"]


class Tabulated(ABC):
    """Numbers that are printed as a table; a base of dataclasses."""

    sides: ClassVar[str] = "<>"
    """The sides of the table's columns; see ``core.columns.aligned``."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What was measured, in one line."""

    @property
    @abstractmethod
    def table(self) -> Sequence[Sequence[str]]:
        """The headings, and the rows below them."""

    @property
    @abstractmethod
    def notes(self) -> Sequence[str]:
        """What a reader of the table should know, in lines."""

    def __str__(self) -> str:
        head, *lines = aligned(self.table, self.sides)
        rule = "-" * max(map(len, [head, *lines]))
        return "\n".join([self.title, "", head, rule, *lines, "", *self.notes])

    def _repr_html_(self) -> str:
        return shown(self.title, self.table, self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON holds: dicts, lists, strings, finite numbers and None."""
        return as_plain(self)


class Charted(Tabulated):
    """A table that can be drawn too."""

    @abstractmethod
    def draw(self) -> Any:
        """Return the chart as a figure of matplotlib's."""

    def _repr_html_(self) -> str:
        return shown(self.title, self.table, self.notes, self.draw)

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the chart and save it.

        Parameters
        ----------
        path : path-like
            A name that ends in .png or .svg.

        Raises
        ------
        ValueError
            The name ends otherwise.
        ImportError
            matplotlib is not installed.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        save_figure(self.draw, path)
