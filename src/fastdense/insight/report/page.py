"""A report as a page: numbers first, then the pictures, then what it takes to do it again."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from fastdense.insight import pages
from fastdense.insight.figures import own_style
from fastdense.insight.report.charts import calibration_charts, curves, residuals_charts, series
from fastdense.insight.report.diagram import diagram
from fastdense.insight.report.record import RunRecord
from fastdense.insight.report.wording import measures, share_text, shortened, speeds, trained
from fastdense.training.outcomes import Classified, Outcome

__all__ = ["report_page"]

MOST_CLASSES = 25
"""Of which the confusions are drawn as a matrix; of more the commonest ones are listed."""
MOST_OUTCOMES = 12
"""That are shown in full; all are in the table before them."""
MOST_LISTED = 20


def report_page(report: RunRecord) -> str:
    """Return the page."""
    with own_style():
        sections = [
            ("outcome", "How well", _outcomes(report)),
            ("curves", "Over the epochs", _curves(report)),
            ("network", "The network", _network(report)),
            ("speed", "How fast", _speed(report)),
            ("again", "To do it again", _again(report)),
        ]
    links = "".join(f'<a href="#{key}">{name}</a>' for key, name, _ in sections)
    shown = "".join(
        f'<section id="{key}"><h2>{name}</h2>{content}</section>' for key, name, content in sections
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    body = f"""<header>
<h1>Training run of model {escape(repr(report.model))}</h1>
<p class="muted">{escape(report.started)}: {escape(trained(report))}</p>
{notes}
</header>
<nav aria-label="Parts">{links}</nav>
<main>
{shown}
</main>"""
    return pages.page(f"Training run of model {report.model!r}", body)


def _outcomes(report: RunRecord) -> str:
    lead = f"<p>On {escape(report.measured)}, with the weights as they are now.</p>"
    if len(report.outcomes) == 1:
        return lead + _tiles(measures(report.outcomes[0])) + _chosen(report) + _outcome(report.outcomes[0])
    names = [name for name, _ in measures(report.outcomes[0])]
    rows = [[o.name, *(value for _, value in measures(o))] for o in report.outcomes]
    if isinstance(report.outcomes[0], Classified):
        names[1] = "always the commonest"
    parts = "".join(pages.folded(o.name, _outcome(o)) for o in report.outcomes[:MOST_OUTCOMES])
    left_out = len(report.outcomes) - MOST_OUTCOMES
    more = f"<p>{left_out:,} more are in the table alone.</p>" if left_out > 0 else ""
    return f"{lead}{_table(['', *names], rows)}{parts}{more}"


def _chosen(report: RunRecord) -> str:
    """Return the numbers on the rows that chose the epoch, beside those of a test."""
    if report.chosen is None:
        return ""
    return f"<p>On {escape(report.chosen.rows)}.</p>{_tiles(measures(report.chosen.outcomes[0]))}"


def _outcome(outcome: Outcome) -> str:
    if not isinstance(outcome, Classified):
        return _beside(residuals_charts(outcome))
    tables = _beside([_confusion(outcome), _classes(outcome)])
    return tables + _beside(calibration_charts(outcome))


def _confusion(outcome: Classified) -> str:
    """Return the confusions as a table, its cells shaded by their share of the row; or a list of them."""
    if len(outcome.labels) > MOST_CLASSES:
        return _commonest(outcome)
    shares = outcome.confusion / np.maximum(outcome.support, 1)[:, None]
    head = "".join(f"<th scope='col'>{_label(label)}</th>" for label in outcome.labels)
    rows = "".join(
        f"<tr><th scope='row'>{_label(label)}</th>{''.join(map(_cell, counts, shares[i]))}</tr>"
        for i, (label, counts) in enumerate(zip(outcome.labels, outcome.confusion, strict=True))
    )
    caption = "Rows of each class, down, by the class they were taken for, across"
    return (
        f'<div class="product"><table class="confusion"><caption>{caption}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(count: int, share: float) -> str:
    return f'<td style="--share: {100 * share:.0f}%" title="{share:.1%} of its row">{count:,}</td>'


def _commonest(outcome: Classified) -> str:
    mistakes = [
        (int(outcome.confusion[i, j]), i, j) for i, j in np.argwhere(outcome.confusion).tolist() if i != j
    ]
    worst = sorted(mistakes, key=lambda mistake: -mistake[0])[:MOST_LISTED]
    rows = [[outcome.labels[i], outcome.labels[j], f"{count:,}"] for count, i, j in worst]
    return _table(["class", "taken for", "rows"], rows, "The commonest mistakes")


def _classes(outcome: Classified) -> str:
    columns, support = (outcome.precision, outcome.recall, outcome.f1), outcome.support
    rows = [
        [label, *(share_text(column[i]) for column in columns), f"{support[i]:,}"]
        for i, label in enumerate(outcome.labels)
    ]
    table = _table(["class", "precision", "recall", "F1", "rows"], rows, "Class by class")
    return pages.folded(f"{len(rows)} classes, one by one", table) if len(rows) > MOST_CLASSES else table


def _curves(report: RunRecord) -> str:
    named = [
        (name if side == 0 else f"val_{name}", values)
        for name, *sides in series(report.history)
        for side, values in enumerate(sides)
        if values
    ]
    rows = [
        [f"{epoch}", *(f"{values[i]:.6g}" if i < len(values) else "" for _, values in named)]
        for i, epoch in enumerate(report.epochs)
    ]
    table = _table(["epoch", *(name for name, _ in named)], rows)
    return _beside(curves(report)) + pages.folded("The numbers", table)


def _network(report: RunRecord) -> str:
    notes = "Lines are weights: the stronger, the more visible; blue above 0, orange below."
    features = ""
    if report.features:
        names = "".join(f"<li>{escape(name)}</li>" for name in report.features)
        features = pages.folded(f"The {len(report.features):,} inputs", f"<ol>{names}</ol>")
    summary = f'<div class="product">{report.summary}</div>'
    return f'<div class="product">{diagram(report)}</div><p class="muted">{notes}</p>{summary}{features}'


def _speed(report: RunRecord) -> str:
    lead = "Training was timed as it ran; predictions and the machine's peak when this page was made."
    return f'{_tiles(speeds(report))}<p class="muted">{lead}</p>'


def _again(report: RunRecord) -> str:
    lead = "Same code, data and seed: the same weights within rounding."
    if report.engine == "native":
        lead = (
            "Same code, data and seed: the same bits, on any number of threads, where the processor offers "
            "the same instructions."
        )
    return (
        f"<p>{lead}</p><pre><code>{escape(report.code)}</code></pre>"
        f"<p>It ran with:</p><pre><code>{escape(str(report.machine))}</code></pre>"
    )


def _beside(pictures: Sequence[str]) -> str:
    return f'<div class="beside">{"".join(pictures)}</div>'


def _tiles(pairs: Sequence[tuple[str, str]]) -> str:
    inside = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="tiles">{inside}</dl>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    body = "".join(_row(row) for row in rows)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="product"><table>{said}<thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[str]) -> str:
    first, *others = row
    return f"<tr><th scope='row'>{_label(first)}</th>{''.join(f'<td>{escape(o)}</td>' for o in others)}</tr>"


def _label(text: str) -> str:
    """Return a name, cut where it is long, whole when pointed at."""
    short = shortened(text)
    return escape(text) if short == text else f'<span title="{escape(text)}">{escape(short)}</span>'
