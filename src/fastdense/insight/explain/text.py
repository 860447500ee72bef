"""An explanation in the terminal: each formula, its matrices side by side, and one unit's sum in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, assert_never

import numpy as np

from fastdense.core.curves import CURVES
from fastdense.core.printable import printable
from fastdense.core.shapes import draw_product
from fastdense.core.spec.lowering import (
    BlendColumns,
    Curve,
    Dropout,
    LeakColumns,
    LookUpColumns,
    NormalizeRows,
    PeriodicColumns,
    Primitive,
    Product,
    ScaleColumns,
    Softmax,
    StandardizeColumns,
)
from fastdense.insight.explain.steps import Matrix, Passes, Step

__all__ = [
    "explanation_text",
    "formulas",
    "loss_text",
    "number_text",
    "settings_text",
    "side_by_side",
    "terms",
    "unit_sum",
]

MOST = 6
"""Rows and columns of a matrix that are shown; of larger ones the first ones and the last."""
TERMS = 5
SIGNS = {"W": "@", "B": "+", "mean": "-", "deviation": "/", "scale": "*"}
SIGNS |= dict.fromkeys(("alpha", "gamma", "beta", "embeddings"), ",")
"""What stands before the primitives' arrays: an operator, or a comma if the formula says more."""
WIDEST = 110  # of a line


def explanation_text(explanation: Passes) -> str:
    """Return the whole way as text."""
    blocks = [_heading(explanation)]
    blocks += [_forward(step) for step in explanation.steps]
    blocks.append(_outcome(explanation))
    if explanation.loss is not None:
        blocks += [_backward(step) for step in reversed(explanation.steps) if step.dZ is not None]
    return "\n\n".join(blocks)


def formulas(step: Step) -> tuple[str, ...]:
    """Return what a step computes, as formulas of the numbered arrays.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> primitives = Product(np.ones((2, 3))), Curve("elu", alpha=1.0)
    >>> formulas(SimpleNamespace(number=2, primitives=primitives))
    ('Z2 = A1 @ W2', 'A2 = elu(Z2, alpha=1)')
    """
    so_far, lines = f"A{step.number - 1}", []
    for primitive, n in _numbered(step):
        match primitive:
            case Product() | StandardizeColumns() | ScaleColumns():
                for sign, (name, _) in _terms(primitive, n):
                    is_sum = sign in "@/*" and (" + " in so_far or " - " in so_far)
                    so_far = f"({so_far}) {sign} {name}" if is_sum else f"{so_far} {sign} {name}"
            case NormalizeRows(gamma, beta, epsilon):
                affine = f" * gamma{n}" * (gamma is not None) + f" + beta{n}" * (beta is not None)
                so_far = f"({so_far} - mean({so_far})) / sqrt(var({so_far}) + {epsilon:g}){affine}"
            case LeakColumns():
                so_far = f"max({so_far}, 0) + alpha{n} * min({so_far}, 0)"
            case PeriodicColumns():
                columns = len(primitive.missing)
                so_far = f"concat(periodic{n}({so_far}[:, :{columns}]), {so_far}[:, {columns}:])"
            case LookUpColumns(passed):
                look_up = f"rows(embeddings{n}, {so_far}[:, {passed}:])"
                so_far = f"concat({so_far}[:, :{passed}], {look_up})" if passed else look_up
            case BlendColumns(_, g):
                curve = f"{g.name}({so_far}{settings_text(g)})"
                so_far = f"{so_far} + alpha{n} * ({curve} - {so_far})"
            case Curve() | Softmax():
                if " " in so_far:
                    lines.append(f"Z{n} = {so_far}")
                    so_far = f"Z{n}"
                so_far = f"{primitive.name}({so_far}{settings_text(primitive)})"
            case Dropout():
                pass
            case _:
                assert_never(primitive)
    return (*lines, f"A{step.number} = {so_far}")


def settings_text(g: Curve | Softmax) -> str:
    """Return an activation's settings, as further arguments of its call."""
    if isinstance(g, Softmax):
        return f", groups={g.groups}" if g.groups else ""
    return "" if CURVES[g.name].alpha is None else f", alpha={g.alpha:g}"


def terms(step: Step) -> list[tuple[str, tuple[str, Matrix]]]:
    """Return the signs between the arrays of a step, each with the array after it and its name."""
    return [term for primitive, n in _numbered(step) for term in _terms(primitive, n)]


def _terms(primitive: Primitive, n: str) -> Iterator[tuple[str, tuple[str, Matrix]]]:
    for name, array in vars(primitive).items():
        if name in SIGNS and np.ndim(array):  # an alpha may be one number, a setting
            yield SIGNS[name], (f"{name}{n}", np.atleast_2d(array))


def _numbered(step: Step) -> Iterator[tuple[Primitive, str]]:
    """Yield the primitives with the number of their arrays: the step's "1", and "1_2" in a second product."""
    seen: Counter[type] = Counter()
    for primitive in step.primitives:
        seen[type(primitive)] += 1
        count = seen[type(primitive)]
        yield primitive, f"{step.number}" if count == 1 else f"{step.number}_{count}"


def side_by_side(*parts: str | tuple[str, Matrix]) -> str:
    """Return matrices with their names and shapes above, and signs between them, next to one another.

    Examples
    --------
    >>> print(side_by_side(("A0", np.array([[3.0, 4.0]])), "@", ("W1", np.array([[1.0], [2.0]]))))
     A0 (1, 2)     W1 (2, 1)
    ┌         ┐   ┌   ┐
    │ 3     4 │ @ │ 1 │
    └         ┘   │ 2 │
                  └   ┘
    """
    blocks = [_sign(part) if isinstance(part, str) else _drawn(*part) for part in parts]
    lines: list[str] = []
    line: list[list[str]] = []
    for block in blocks:  # what does not fit goes below
        if line and sum(map(_width, [*line, block])) > WIDEST:
            lines += _joined(line)
            line = []
        line.append(block)
    return "\n".join([*lines, *_joined(line)])


def _width(block: list[str]) -> int:
    return max(map(len, block))


def _joined(blocks: list[list[str]]) -> list[str]:
    """Return blocks of lines next to one another."""
    height = max(map(len, blocks))
    padded = [
        [line.ljust(_width(block)) for line in [*block, *[""] * (height - len(block))]] for block in blocks
    ]
    return ["".join(row).rstrip() for row in zip(*padded, strict=True)]


def number_text(value: float) -> str:
    """Return a number to four digits.

    Examples
    --------
    >>> number_text(3.0), number_text(0.000123456), number_text(-12345.678)
    ('3', '0.0001235', '-1.235e+04')
    """
    return f"{value + 0.0:.4g}"  # not -0


def _sign(sign: str) -> list[str]:
    return ["", "", f" {sign} "]


def _drawn(name: str, matrix: Matrix) -> list[str]:
    """Return a matrix in brackets under its name and shape, one of its first row beside signs."""
    cells = [[number_text(value) for value in row] for row in matrix]
    cells = _elided([_elided(row, "...") for row in cells], None)
    width = max((len(cell) for row in cells if row for cell in row), default=1)
    rows = ["  ".join(f"{cell:>{width}}" for cell in row) if row else "..." for row in cells]
    inner = max(map(len, rows))
    title = f" {name} ({matrix.shape[0]:,}, {matrix.shape[1]:,})"
    body = [f"│ {row:{'>' if row != '...' else '^'}{inner}} │" for row in rows]
    return [title, f"┌{' ' * (inner + 2)}┐", *body, f"└{' ' * (inner + 2)}┘"]


def _elided(items: list[Any], gap: Any) -> list[Any]:
    """Return a list, its middle left out if it is long."""
    return items if len(items) <= MOST else [*items[: MOST - 2], gap, items[-1]]


def _heading(explanation: Passes) -> str:
    lines = [
        f"Model {explanation.model!r}: one row, forward"
        + (" and back" if explanation.loss is not None else "")
    ]
    if explanation.features:
        names = _elided(list(zip(explanation.features, explanation.X[0], strict=True)), None)
        shown = (f"{printable(each[0])} = {number_text(each[1])}" if each else "..." for each in names)
        lines.append(f"A0: {', '.join(shown)}")
    return "\n".join([*lines, side_by_side(("A0", explanation.X))])


def _forward(step: Step) -> str:
    k, n_in, n_units = step.number, step.A_in.shape[1], step.A_out.shape[1]
    has_product = any(isinstance(primitive, Product) for primitive in step.primitives)
    units = f"{n_in:,} to {n_units:,}" if has_product or n_units != n_in else f"{n_in:,}"
    lines = [f"Layer {k}: {step.kind} {step.name!r}, {units}", *(f"  {each}" for each in formulas(step))]
    return "\n".join([*lines, "", *_arrays(step)])


def _arrays(step: Step) -> Iterator[str]:
    """Yield the drawings of what a step takes and makes."""
    k, between = step.number, [part for term in terms(step) for part in term]
    A_in, Z, A_out = (f"A{k - 1}", step.A_in), (f"Z{k}", step.Z), (f"A{k}", step.A_out)
    has_Z = between and step.activation != "linear"
    if step.W is not None and max(step.W.shape) > MOST:  # the sizes too, as errors draw them
        yield draw_product(f"A{k - 1}", step.A_in.shape, f"W{k}", step.W.shape) + "\n"
    yield side_by_side(A_in, *between, "=" if between else "->", Z if has_Z else A_out)
    if step.W is not None:
        yield f"  unit 1: {unit_sum(step)}"
    if has_Z:
        yield side_by_side(A_out)


def unit_sum(step: Step, unit: int = 0) -> str:
    """Return a unit's sum, written out."""
    assert step.W is not None
    pairs = [
        f"{number_text(a)} * {number_text(w)}" for a, w in zip(step.A_in[0], step.W[:, unit], strict=True)
    ]
    left = len(pairs) - TERMS
    terms = pairs[:TERMS] + ([f"({left:,} more)"] if left > 0 else [])
    terms += [] if step.B is None else [number_text(step.B[0, unit])]
    return f"{' + '.join(terms)} = {number_text(step.Z[0, unit])}"


def _outcome(explanation: Passes) -> str:
    outputs = explanation.prediction[0]
    lines = ["The model's answer", side_by_side((f"A{len(explanation.steps)}", explanation.prediction))]
    if explanation.outputs:
        best = np.argsort(-outputs)[:MOST]
        lines += [f"  {printable(explanation.outputs[i])}: {number_text(outputs[i])}" for i in best]
    if explanation.answer:
        lines.append(f"  {printable(explanation.answer)}")
    if explanation.loss is not None and explanation.Y is not None:
        lines += ["", f"Loss: {loss_text(explanation)}"]
        lines.append(side_by_side(("Y", explanation.Y)))
    return "\n".join(lines)


def loss_text(explanation: Passes) -> str:
    """Return the loss as a call, with its value and what of it is for the size of the weights."""
    assert explanation.loss is not None
    call = f"{explanation.loss_name}(Y, A{len(explanation.steps)}{explanation.loss_settings})"
    size = number_text(explanation.penalty)
    more = f", with {size} for the size of the weights" if explanation.penalty else ""
    return f"{call} = {number_text(explanation.loss)}{more}"


def _backward(step: Step) -> str:
    """Return a step's gradients; each says how fast the loss grows with the number in its place."""
    assert step.dZ is not None
    assert step.dA_in is not None
    k = step.number
    lines = [f"Back through layer {k}: {step.kind} {step.name!r}"]
    if step.dA_out is None:
        lines.append(f"  dZ{k}: how fast the loss grows with Z{k}, through {step.activation} at once")
        lines.append(side_by_side((f"dZ{k}", step.dZ)))
    elif step.activation != "linear":
        lines.append(f"  dZ{k} = dA{k} * {step.activation}'(Z{k})" if step.activation != "softmax"
                     else f"  dZ{k} = A{k} * (dA{k} - sum(dA{k} * A{k}))")  # fmt: skip
        lines.append(side_by_side((f"dA{k}", step.dA_out), "->", (f"dZ{k}", step.dZ)))
    elif step.W is not None:
        lines.append(f"  dZ{k} = dA{k}: how fast the loss grows with A{k}")
        lines.append(side_by_side((f"dZ{k}", step.dZ)))
    if step.dW is not None and step.W is not None:
        dZ = (f"dZ{k}", step.dZ)
        bias = "" if step.dB is None else f"   dB{k} = dZ{k}"
        lines.append(f"  dW{k} = A{k - 1}.T @ dZ{k}{bias}   dA{k - 1} = dZ{k} @ W{k}.T")
        lines.append(side_by_side((f"A{k - 1}.T", step.A_in.T), "@", dZ, "=", (f"dW{k}", step.dW)))
        lines.append(side_by_side(dZ, "@", (f"W{k}.T", step.W.T), "=", (f"dA{k - 1}", step.dA_in)))
    else:
        lines += [side_by_side((f"d{name}{k}", array)) for name, array in step.gradients.items()]
        lines.append(side_by_side((f"dA{k - 1}", step.dA_in)))
    return "\n".join(lines)
