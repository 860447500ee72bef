"""What was found in a source file, in words."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastdense.core.printable import printable_lines
from fastdense.insight.vectorize.lifted import OWN, Axis
from fastdense.insight.vectorize.scope import Scope

if TYPE_CHECKING:
    from fastdense.insight.vectorize.find import Finding, Report

__all__ = ["described", "report_text", "shape_lines"]


def described(scope: Scope, loop: ast.AST) -> str:
    """Return what a loop goes over and does, in words."""
    kind = "a loop" if isinstance(loop, ast.For) else "a comprehension"
    over = " and ".join(dict.fromkeys(scope.over.values())) or "numbers"
    does = ", ".join(dict.fromkeys(scope.does or ["one number at a time"]))
    if does == "appended one by one":
        does = "one number at a time, appended one by one"
    return f"{kind} over {over}, {does}"


def shape_lines(scope: Scope) -> Iterator[str]:
    """Yield arrays with their shapes, as far as they are known."""
    for name, axes in scope.shapes.items():
        sizes = ", ".join(map(_size, axes))
        yield f"{name} ({sizes}{',' if len(axes) == 1 else ''})"


def _size(axis: Axis) -> str:
    return "n" if axis is OWN else "..." if axis.size == ":" else axis.size


def report_text(report: Report) -> str:
    """Return the findings one after another, and a line on what stays."""
    blocks = [_block(report.name, finding) for finding in report.findings]
    if not blocks:
        blocks = [f"{report.name}: no loop here that whole arrays would replace"]
    kept = [f"line {kept.line} stays a loop: {kept.why}" for kept in report.kept]
    return printable_lines("\n\n".join([*blocks, *(["\n".join(kept)] if kept else [])]))


def _block(name: str, finding: Finding) -> str:
    made = ", ".join(str(begin) for begin, _ in finding.also_replaces)
    also = f" (and line {made})" if made else ""
    lines = [
        f"{name}:{finding.line}: {finding.what}",
        textwrap.indent(finding.before, "    "),
        f"  all at once{also}:",
        textwrap.indent(finding.after, "    "),
    ]
    if finding.shapes:
        lines.append(f"  taken to be: {'; '.join(finding.shapes)}")
    lines += [f"  note: {note}" for note in finding.notes]
    return "\n".join(lines)
