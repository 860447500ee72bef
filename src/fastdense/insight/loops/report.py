"""What was found in a source file: as text, and put in the place of the loops."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from fastdense.core.printable import printable_lines

__all__ = ["Finding", "Kept", "Report"]


@dataclass(frozen=True)
class Finding:
    """A loop and the statements that replace it.

    Attributes
    ----------
    line, end_line : int
        Where the loop is, counted from 1, both included.
    what : str
        What it goes over and does in each turn.
    before : str
        Its source.
    after : str
        The statements instead of it.
    also_replaces : tuple of (int, int)
        First and last lines of statements before the loop that make what it fills, and may go.
    shapes : tuple of str
        The arrays' shapes, as far as the source shows them.
    notes : tuple of str
        What must hold for both to be the same.
    """

    line: int
    end_line: int
    what: str
    before: str
    after: str
    also_replaces: tuple[tuple[int, int], ...] = ()
    shapes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """Return the finding as text; ``name`` is the file's."""
        made = ", ".join(str(begin) for begin, _ in self.also_replaces)
        also = f" (and line {made})" if made else ""
        lines = [
            f"{name}:{self.line}: {self.what}",
            textwrap.indent(self.before, "    "),
            f"  all at once{also}:",
            textwrap.indent(self.after, "    "),
        ]
        if self.shapes:
            lines.append(f"  taken to be: {'; '.join(self.shapes)}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


@dataclass(frozen=True)
class Kept:
    """A loop over numbers that stays, and why."""

    line: int
    why: str


@dataclass(frozen=True)
class Report:
    """What `vectorize` found; printed as text.

    Attributes
    ----------
    name : str
        The file's.
    findings : tuple of Finding
    kept : tuple of Kept
    source : str
        What was read.
    """

    name: str
    findings: tuple[Finding, ...]
    kept: tuple[Kept, ...]
    source: str

    def __str__(self) -> str:
        blocks = [finding.text(self.name) for finding in self.findings]
        if not blocks:
            blocks = [f"{self.name}: no loop here that whole arrays would replace"]
        kept = [f"line {kept.line} stays a loop: {kept.why}" for kept in self.kept]
        return printable_lines("\n\n".join([*blocks, *(["\n".join(kept)] if kept else [])]))

    def rewritten(self) -> str:
        """Return the source with every finding's statements in the place of its loop."""
        lines: list[str | None] = [*self.source.splitlines()]
        for finding in self.findings:
            first = lines[finding.line - 1] or ""
            indent = first[: len(first) - len(first.lstrip())]
            for begin, end in (*finding.also_replaces, (finding.line, finding.end_line)):
                lines[begin - 1 : end] = [None] * (end - begin + 1)
            lines[finding.line - 1] = textwrap.indent(finding.after, indent)
        return "\n".join(line for line in lines if line is not None) + "\n"
