"""Mathematics as MathML, which browsers draw themselves: pages need no script and no network for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import SphinxError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(as_mathml(node.astext(), node))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write formulas on lines of their own, one a paragraph."""
    for formula in re.split(r"\n\s*\n", node.astext().strip()):
        lines = rf"\begin{{aligned}}{formula}\end{{aligned}}" if r"\\" in outside(formula) else formula
        translator.body.append(f'<div class="math">{as_mathml(lines, node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def outside(formula: str) -> str:
    """Return a formula without its environments, whose lines are their own."""
    return re.sub(r"\\begin\{(\w+)\}.*?\\end\{\1\}", "", formula, flags=re.DOTALL)


def as_mathml(formula: str, node: nodes.Element, *, as_block: bool = False) -> str:
    """Return a formula as MathML; one that is not understood ends the build."""
    try:
        return tex2mathml(formula, as_block)
    except MathError as error:
        raise SphinxError(f"{node.source}:{node.line}: {formula!r}: {error}") from error


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the renderer; conf.py chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
