"""An explanation as a page that steps through it, one formula at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import numpy as np

from fastdense.insight import pages
from fastdense.insight.explain.steps import Matrix, Passes, Step
from fastdense.insight.explain.text import formulas, loss_text, number_text, unit_sum

__all__ = ["explanation_page"]

MOST = 12
"""Rows and columns of a matrix that are shown."""

Gap = int | None


def explanation_page(explanation: Passes) -> str:
    """Return the page: the steps forward, and back where there is a target."""
    ways = "forward and back" if explanation.loss is not None else "forward"
    title = f"Model {explanation.model!r}: one row, {ways}"
    steps = list(_steps(explanation))
    chips = "".join(
        f'<button type="button" data-step="{i}">{escape(name)}</button>' for i, (name, _) in enumerate(steps)
    )
    body = f"""<header>
<h1>{escape(title)}</h1>
<p class="muted">The arrow keys step through it. Choosing a unit marks the numbers that its sum takes.</p>
</header>
<nav aria-label="Steps">
<button type="button" id="back">Back</button> <button type="button" id="next">Next</button>
<span id="where" role="status" class="muted"></span> <span class="steps">{chips}</span>
</nav>
<main>
{"".join(f'<section class="step">{content}</section>' for _, content in steps)}
</main>"""
    return pages.page(title, body, pages.resource("explain.js"))


def _steps(explanation: Passes) -> Iterator[tuple[str, str]]:
    """Yield the steps' short names and their content."""
    yield (
        "A0",
        f"<h2>The row that goes in</h2>{_product(_matrix('A0', explanation.X))}{_features(explanation)}",
    )
    for step in explanation.steps:
        yield f"Layer {step.number}", _forward(step)
    yield "Answer", _outcome(explanation)
    if explanation.loss is not None:
        for step in reversed(explanation.steps):
            yield f"Back {step.number}", _backward(step)


def _forward(step: Step) -> str:
    k = step.number
    A_in, A_out = _matrix(f"A{k - 1}", step.A_in, "all"), _matrix(f"A{k}", step.A_out)
    made = A_out if step.activation == "linear" else _matrix(f"Z{k}", step.Z, "columns")
    parts: list[str]
    if step.W is not None:
        bias = [] if step.B is None else [_sign("+"), _matrix(f"B{k}", step.B, "columns")]
        parts = [A_in, _sign("@"), _matrix(f"W{k}", step.W, "columns"), *bias, _sign("="), made]
    elif step.mean is not None and step.deviation is not None:
        of_mean, of_deviation = _matrix(f"mean{k}", step.mean), _matrix(f"deviation{k}", step.deviation)
        parts = [A_in, _sign("-"), of_mean, _sign("÷"), of_deviation, _sign("="), A_out]
    else:
        parts = [A_in, _sign("→"), A_out]
    curve = _product(A_out) if step.W is not None and step.activation != "linear" else ""
    return f"{_title(step, 'Layer')}{_formulas(formulas(step))}{_product(*parts)}{_units(step)}{curve}"


def _units(step: Step) -> str:
    """Return a button for each unit that is shown, with its sum."""
    if step.W is None:
        return ""
    buttons = "".join(
        f'<button type="button" data-unit="{j}" aria-pressed="false" data-sum="{escape(unit_sum(step, j))}">'
        f"unit {j + 1}</button>"
        for j in _shown(step.W.shape[1])
        if j is not None
    )
    return f'<nav aria-label="Units">{buttons}</nav><p class="sum" aria-live="polite"></p>'


def _backward(step: Step) -> str:
    assert step.dZ is not None
    assert step.dA_in is not None
    k = step.number
    rules: list[str] = []
    drawn = ""
    if step.dA_out is not None and step.activation != "linear":
        rules.append(f"dZ{k} = dA{k} through {step.activation}, at Z{k}")
        drawn += _product(_matrix(f"dA{k}", step.dA_out), _sign("→"), _matrix(f"dZ{k}", step.dZ))
    elif step.W is not None:
        from_loss = step.dA_out is None
        rules.append(f"dZ{k}: how fast the loss grows with Z{k}" if from_loss else f"dZ{k} = dA{k}")
        drawn += _product(_matrix(f"dZ{k}", step.dZ))
    if step.W is not None and step.dW is not None:
        dZ = _matrix(f"dZ{k}", step.dZ)
        rules += [f"dW{k} = A{k - 1}.T @ dZ{k}", f"dA{k - 1} = dZ{k} @ W{k}.T"]
        rules += [] if step.dB is None else [f"dB{k} = dZ{k}"]
        drawn += _product(
            _matrix(f"A{k - 1}.T", step.A_in.T), _sign("@"), dZ, _sign("="), _matrix(f"dW{k}", step.dW)
        )
        drawn += _product(
            dZ, _sign("@"), _matrix(f"W{k}.T", step.W.T), _sign("="), _matrix(f"dA{k - 1}", step.dA_in)
        )
    else:
        drawn += _product(_matrix(f"dA{k - 1}", step.dA_in))
    return f"{_title(step, 'Back through layer')}{_formulas(rules)}{drawn}"


def _outcome(explanation: Passes) -> str:
    k = len(explanation.steps)
    content = f"<h2>The model's answer</h2>{_product(_matrix(f'A{k}', explanation.prediction))}"
    if explanation.outputs:
        best = np.argsort(-explanation.prediction[0])[:MOST]
        pairs = ((explanation.outputs[i], explanation.prediction[0, i]) for i in best)
        content += _pairs("class", "probability", pairs)
    if explanation.answer:
        content += f"<p>{escape(explanation.answer)}</p>"
    if explanation.Y is not None and explanation.loss is not None:
        content += (
            f"<h2>Its loss</h2>{_formulas([loss_text(explanation)])}{_product(_matrix('Y', explanation.Y))}"
        )
    return content


def _features(explanation: Passes) -> str:
    if not explanation.features:
        return ""
    table = _pairs("column", "number", zip(explanation.features, explanation.X[0], strict=True))
    count = len(explanation.features)
    return table if count <= MOST else pages.folded(f"The {count:,} columns by name", table)


def _pairs(name: str, number: str, pairs: Iterable[tuple[str, float]]) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{escape(str(key))}</th><td>{number_text(value)}</td></tr>"
        for key, value in pairs
    )
    head = f"<tr><th scope='col'>{name}</th><th scope='col'>{number}</th></tr>"
    return f'<div class="product"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _title(step: Step, before: str) -> str:
    return f"<h2>{before} {step.number}: {step.kind} <code>{escape(step.name)}</code></h2>"


def _formulas(rules: list[str] | tuple[str, ...]) -> str:
    return "".join(f"<p><code>{escape(rule)}</code></p>" for rule in rules)


def _product(*parts: str) -> str:
    return f'<div class="product">{"".join(parts)}</div>'


def _sign(sign: str) -> str:
    return f'<span class="sign">{sign}</span>'


def _matrix(name: str, matrix: Matrix, marks: str = "") -> str:
    """Return a matrix as a table, whose cells say which unit they belong to: "all", or each of "columns"."""
    columns = _shown(matrix.shape[1])
    rows = "".join(
        f"<tr>{''.join(_cell(matrix, i, j, marks) for j in columns)}</tr>" for i in _shown(matrix.shape[0])
    )
    caption = f"{escape(name)} ({matrix.shape[0]:,}, {matrix.shape[1]:,})"
    return f'<table class="matrix"><caption>{caption}</caption>{rows}</table>'


def _cell(matrix: Matrix, i: Gap, j: Gap, marks: str) -> str:
    if i is None or j is None:
        return "<td>…</td>"
    unit = {"all": "all", "columns": str(j)}.get(marks)
    own = "" if unit is None else f' data-unit="{unit}"'
    return f'<td{own} title="{float(matrix[i, j])!r}">{number_text(matrix[i, j])}</td>'


def _shown(count: int) -> list[Gap]:
    """Return the places that are shown, None where some are left out."""
    return [*range(count)] if count <= MOST else [*range(MOST - 2), None, count - 1]
