"""One row forward and back, by the loops that define a network, with every intermediate array kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastdense.core.checks import is_frame
from fastdense.core.spec import LayerSpec, LossSpec, loss_of_logits, loss_reads_logits
from fastdense.core.spec.lowering import Curve, Primitive, Softmax
from fastdense.core.targets import as_targets
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.insight.explain.page import explanation_page
from fastdense.insight.explain.steps import Matrix, Passes, Step
from fastdense.insight.explain.text import explanation_text, settings_text
from fastdense.insight.notebook import framed
from fastdense.insight.pages import save
from fastdense.network.model import Model
from fastdense.reference import activate_backward, backward_layer, forward, loss, loss_gradient
from fastdense.reference.backpropagation import Trace, penalty, penalty_gradient

__all__ = ["Explanation", "explain"]

KINDS = {"activate": "activation", "scale": "normalization"}
KINDS |= {f"{kind}embedding": f"{kind} embedding" for kind in ("category", "periodic")}
FIELDS = ("W", "B", "mean", "deviation")  # of a step, named after the primitives' own


@dataclass(frozen=True)
class Explanation(Passes):
    """What `explain` computes; printed as the formulas with their numbers.

    Its attributes are those of `Passes`.
    """

    def __str__(self) -> str:
        return explanation_text(self)

    def _repr_html_(self) -> str | None:
        return framed(lambda: explanation_page(self), "A page that steps through one row")

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Save a page that steps through it; it needs no other file and no network.

        Parameters
        ----------
        path : path-like
            A name that ends in .html.

        Raises
        ------
        ValueError
            The name ends otherwise.
        ImportError
            Jinja2, which draws it, is not installed.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        save(explanation_page(self), path)


def explain(model: Model, x: Any, target: Any = None) -> Explanation:
    """Compute what a model does with one row, step by step.

    Parameters
    ----------
    model : fastdense.Sequential
    x, target
        As of `fastdense.Sequential.explain`.
    """
    row = _row(model, x)
    network = model.network()
    parameters = [tuple(np.asarray(array, np.float64) for array in own) for own in model.parameters()]
    traces = forward(network, parameters, row.tolist(), [None] * len(parameters))
    layers = zip(network.layers, network.lower(parameters), traces[1:], model.layer_names(), strict=True)
    steps = [_step(number, *layer) for number, layer in enumerate(layers, 1)]
    table = model.table
    found = Explanation(
        model.name,
        row[np.newaxis],
        () if table is None else tuple(table.feature_names),
        tuple(steps),
        () if table is None or table.task != "classify" else tuple(map(str, table.classes)),
    )
    right = ""
    if target is not None and table is not None and table.target is not None and is_frame(x):
        right = f", the right one {target}"
        target = table.targets({table.target.name: [target]}, dtype=model.dtype)[0]
    if table is not None and table.task == "regress":
        value = float(table.unscale(found.prediction).ravel()[0])
        found = replace(found, answer=f"{table.target.name}: {value:.6g}{right}")
    return found if target is None else _backward(model, found, parameters, target)


def _row(model: Model, x: Any) -> Matrix:
    of_table = model.table is not None and is_frame(x)
    array = model.as_rows(x if of_table or np.ndim(x) != 1 else np.asarray(x)[np.newaxis], "x")
    if len(array) != 1:
        raise ShapeError(f"one row is explained at a time, got {len(array)}: pass x[i:i + 1]")
    row = np.asarray(array[0], np.float64)
    return row if model.centre is None else row + model.centre


def _step(number: int, layer: LayerSpec, primitives: tuple[Primitive, ...], trace: Trace, name: str) -> Step:
    A_in, Z, A_out = (np.array([values]) for values in (trace.a_in, trace.z, trace.a_out))
    curves = [primitive for primitive in primitives if isinstance(primitive, Curve | Softmax)]
    activation, settings = (curves[-1].name, settings_text(curves[-1])) if curves else ("linear", "")
    arrays: dict[str, Any] = {}
    if primitives and primitives[1:] == tuple(curves):  # one operation, and what follows it
        arrays = {
            key: np.atleast_2d(a) for key, a in vars(primitives[0]).items() if key in FIELDS and a is not None
        }
    kind = KINDS.get(layer.kind, layer.kind)
    return Step(number, name, kind, primitives, activation, A_in, Z, A_out, settings, **arrays)


def _as_matrix(array: Any) -> Matrix:
    """Return an array with two axes: a vector as a row, and more axes with all but the last in one."""
    found: Matrix = np.atleast_2d(array)
    return found.reshape(-1, found.shape[-1])


def _backward(
    model: Model, found: Explanation, parameters: Sequence[tuple[Matrix, ...]], target: Any
) -> Explanation:
    """Return the explanation with the gradients, last layer first."""
    if model.loss is None:
        raise NotBuiltError("a target is compared by the loss: call compile(loss=...) first")
    network, n_out = model.network(), found.prediction.shape[1]
    spec: LossSpec = model.loss.spec()
    y = as_targets(np.asarray(target)[np.newaxis], spec, n_out, "float64", rows=1, name="target")[0]
    is_class = np.ndim(y) == 0
    wanted = int(y) if is_class else y.tolist()
    from_z = loss_reads_logits(network, spec)
    read = found.steps[-1].Z[0] if from_z else found.prediction[0]
    compared = loss_of_logits(spec) if from_z else spec
    gradient: Sequence[float] = loss_gradient(compared, wanted, read.tolist())
    steps, charged = list(found.steps), 0.0
    for i in reversed(range(len(steps))):
        at_z = from_z and i == len(steps) - 1
        layer, own = network.layers[i], parameters[i]
        steps[i], gradient = _step_back(layer, own, steps[i], gradient, at_z)
        trained = [(p.penalty, W) for p, W in zip(layer.parameters, own, strict=True) if p.trained]
        charged = sum((penalty(*each) for each in trained), charged)
    return replace(
        found,
        steps=tuple(steps),
        Y=np.array([[float(k == wanted) for k in range(n_out)] if is_class else wanted]),
        loss_name=spec.name,
        loss_settings="".join(f", {name}={setting!r}" for name, setting in model.loss.given().items()),
        loss=loss(compared, wanted, read.tolist()) + charged,
        penalty=charged,
    )


def _step_back(
    layer: LayerSpec, own: tuple[Matrix, ...], step: Step, gradient: Sequence[float], at_z: bool
) -> tuple[Step, Sequence[float]]:
    """Return a step with its gradients, and that of its input.

    ``gradient`` is that of the step's ``Z`` if ``at_z``, else that of its ``A_out``.
    """
    dA_out = None if at_z else np.array([gradient])
    if not at_z:
        gradient = activate_backward(layer.activation, step.Z[0].tolist(), step.A_out[0].tolist(), gradient)
    dA_in, gradients = backward_layer(layer, own, step.A_in[0].tolist(), gradient)
    trained = [(p, array) for p, array in zip(layer.parameters, own, strict=True) if p.trained]
    of_arrays = {
        p.name: _as_matrix(dW + penalty_gradient(p.penalty, W))
        for dW, (p, W) in zip(gradients, trained, strict=True)
    }
    dZ, dA_in_row = np.array([gradient]), np.array([dA_in])
    return replace(step, dA_out=dA_out, dZ=dZ, dA_in=dA_in_row, gradients=of_arrays), dA_in
