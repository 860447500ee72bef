"""What the page of an explanation shows; `assets/explain.html` lays it out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fastdense.insight import pages
from fastdense.insight.explain import text
from fastdense.insight.explain.steps import Passes, Step

__all__ = ["explanation_page"]

MOST = 12
"""Rows and columns of a matrix that are shown."""


def explanation_page(explanation: Passes) -> str:
    """Return the page: the steps forward, and back if there is a target."""
    is_both_ways = explanation.loss is not None
    numbers = [step.number for step in explanation.steps]
    back = [f"Back {number}" for number in reversed(numbers)] if is_both_ways else []
    probabilities = explanation.prediction[0]
    best = np.argsort(-probabilities)[: MOST if explanation.outputs else 0]
    return pages.render(
        "explain.html",
        title=f"Model {explanation.model!r}: one row, forward{' and back' if is_both_ways else ''}",
        one=explanation,
        names=["A0", *(f"Layer {number}" for number in numbers), "Answer", *back],
        named=_rows(zip(explanation.features, explanation.X[0], strict=False)),
        best=_rows((explanation.outputs[i], probabilities[i]) for i in best),
        most=MOST,
        places=_places,
        rules_back=_rules_back,
        text=text,
    )


def _rows(pairs: Iterable[tuple[str, float]]) -> list[list[str]]:
    return [[str(name), text.number_text(value)] for name, value in pairs]


def _rules_back(step: Step) -> list[str]:
    """Return what the gradients of a step are computed by, as formulas of the numbered arrays."""
    k = step.number
    rules = []
    if step.dA_out is not None and step.activation != "linear":
        rules.append(f"dZ{k} = dA{k} through {step.activation}, at Z{k}")
    elif step.W is not None:
        from_loss = step.dA_out is None
        rules.append(f"dZ{k}: how fast the loss grows with Z{k}" if from_loss else f"dZ{k} = dA{k}")
    if step.W is not None:
        rules += [f"dW{k} = A{k - 1}.T @ dZ{k}", f"dA{k - 1} = dZ{k} @ W{k}.T"]
        rules += [] if step.dB is None else [f"dB{k} = dZ{k}"]
    return rules


def _places(count: int) -> list[int | None]:
    """Return the places that are shown, None for a gap."""
    return [*range(count)] if count <= MOST else [*range(MOST - 2), None, count - 1]
