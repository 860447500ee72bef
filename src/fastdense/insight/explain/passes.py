"""One row forward and back, by the loops that define a network, and everything on the way kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import is_frame
from fastdense.core.spec import (
    DEFAULT_ALPHA,
    ActivateSpec,
    ActivationSpec,
    DenseSpec,
    DropoutSpec,
    LayerSpec,
    LossSpec,
    ScaleSpec,
    loss_reads_logits,
)
from fastdense.core.targets import as_targets
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.insight.explain.page import explanation_page
from fastdense.insight.explain.text import explanation_text
from fastdense.insight.notebook import framed
from fastdense.insight.pages import save
from fastdense.network.model import Model
from fastdense.reference import activate_backward, backward_layer, forward, loss, loss_gradient
from fastdense.reference.backpropagation import Trace, penalty, penalty_gradient

__all__ = ["Explanation", "Step", "explain"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """One layer's part of the way, all arrays in float64.

    Attributes
    ----------
    number : int
        From 1.
    name : str
    kind : {"dense", "activation", "normalization", "dropout"}
    activation : str
        "linear" where it has none.
    settings : str
        The activation's, as further arguments of a call: ", alpha=0.2"; "" where it has none.
    A_in, Z, A_out : arrays of shape (1, n)
    W : array of shape (n_in, n_units), or None
    B : array of shape (1, n_units), or None
    mean, deviation : arrays of shape (1, n), or None
        Of a normalization, whose ``Z`` is ``(A_in - mean) / deviation``.
    dA_out, dZ, dA_in : arrays of shape (1, n), or None
        How fast the loss changes with each; None without a target.
    dW, dB : arrays as W and B, or None
    """

    number: int
    name: str
    kind: str
    activation: str
    A_in: Matrix
    Z: Matrix
    A_out: Matrix
    settings: str = ""
    W: Matrix | None = None
    B: Matrix | None = None
    mean: Matrix | None = None
    deviation: Matrix | None = None
    dA_out: Matrix | None = None
    dZ: Matrix | None = None
    dW: Matrix | None = None
    dB: Matrix | None = None
    dA_in: Matrix | None = None


@dataclass(frozen=True)
class Explanation:
    """What `explain` worked out; printed as the formulas with their numbers.

    Attributes
    ----------
    model : str
        Its name.
    X : array of shape (1, n_in)
    features : tuple of str
        The names of the columns of X, where the model has a table.
    steps : tuple of Step
    outputs : tuple of str
        The names of the outputs: the labels of classes, where the model has a table.
    Y : array of shape (1, n_out), or None
        The target: a one in a class's column where the loss takes class numbers.
    loss_name : str or None
    loss_settings : str
        As further arguments of a call: ", label_smoothing=0.1".
    loss : float or None
        With the penalties.
    penalty : float
        The part of it that the layers' regularizers ask for.
    answer : str
        The prediction in the target column's own units, and the right one, where a table has a quantity.
    """

    model: str
    X: Matrix
    features: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...] = ()
    Y: Matrix | None = None
    loss_name: str | None = None
    loss_settings: str = ""
    loss: float | None = None
    penalty: float = 0.0
    answer: str = ""

    @property
    def prediction(self) -> Matrix:
        """The network's output, of shape (1, n_out)."""
        return self.steps[-1].A_out if self.steps else self.X

    def __str__(self) -> str:
        return explanation_text(self)

    def _repr_html_(self) -> str:
        return framed(explanation_page(self), "A page that steps through one row")

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
        OSError
            The file cannot be written; what was there before is untouched.
        """
        save(explanation_page(self), path)


def explain(model: Model, x: Any, target: Any = None) -> Explanation:
    """Work out what a model makes of one row, and what its loss asks of every weight.

    Parameters
    ----------
    model : Sequential
        Built. Dropouts do nothing: it is a prediction.
    x : array-like of shape (n_in,) or (1, n_in), or a data frame of one row where the model has a table
    target : number or array-like of shape (n_out,), optional
        The right answer, as ``fit`` takes it; for a data frame's row the label or quantity as in its column.
        With it the gradients are worked out, for which the model must be compiled with a loss.

    Returns
    -------
    Explanation

    Raises
    ------
    ShapeError
        ``x`` is not one row of the model's columns.
    NotBuiltError
        There is no loss for the target.

    Notes
    -----
    A model that is not built yet is built for ``x``, as `predict` does.

    Examples
    --------
    >>> import fastdense as fd
    >>> model = fd.Sequential([fd.Input((2,)), fd.Dense(1, "relu")])
    >>> model.set_weights([[[1.0], [2.0]], [0.5]])
    >>> explain(model, [3.0, 4.0]).steps[0].Z  # 3 * 1 + 4 * 2 + 0.5
    array([[11.5]])
    """
    row = _row(model, x)
    network = model.network()
    parameters = [tuple(np.asarray(array, np.float64) for array in own) for own in model.parameters()]
    traces = forward(network, parameters, row.tolist(), [None] * len(parameters))
    names = model.layer_names()
    ways = zip(range(1, len(names) + 1), network.layers, parameters, traces[1:], names, strict=True)
    steps = [_step(*way) for way in ways]
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


def _step(number: int, layer: LayerSpec, own: Sequence[Matrix], trace: Trace, name: str) -> Step:
    A_in, Z, A_out = (np.array([values]) for values in (trace.a_in, trace.z, trace.a_out))
    match layer:
        case DenseSpec():
            W, B = own[0], own[1][np.newaxis] if layer.use_bias else None
            g, settings = layer.activation.name, _settings(layer.activation)
            return Step(number, name, "dense", g, A_in, Z, A_out, settings, W, B)
        case ActivateSpec():
            g, settings = layer.activation.name, _settings(layer.activation)
            return Step(number, name, "activation", g, A_in, Z, A_out, settings)
        case DropoutSpec():
            return Step(number, name, "dropout", "linear", A_in, Z, A_out)
        case ScaleSpec():
            mean, deviation = (values[np.newaxis] for values in own)
            return Step(
                number, name, "normalization", "linear", A_in, Z, A_out, mean=mean, deviation=deviation
            )
        case _:
            assert_never(layer)


def _settings(g: ActivationSpec) -> str:
    alpha = f", alpha={g.alpha:g}" if g.name in DEFAULT_ALPHA else ""
    return alpha + (f", groups={g.groups}" if g.groups else "")


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
    compared = replace(spec, from_logits=True) if from_z else spec
    gradient: Sequence[float] = loss_gradient(compared, wanted, read.tolist())
    steps, charged = list(found.steps), 0.0
    for i in reversed(range(len(steps))):
        layer, step = network.layers[i], steps[i]
        dA_out = None if from_z and i == len(steps) - 1 else np.array([gradient])
        if isinstance(layer, DenseSpec | ActivateSpec) and dA_out is not None:
            gradient = activate_backward(
                layer.activation, step.Z[0].tolist(), step.A_out[0].tolist(), gradient
            )
        dz = np.array([gradient])
        gradient, own = backward_layer(layer, parameters[i], step.A_in[0].tolist(), gradient)
        trained = [(p.penalty, w) for p, w in zip(layer.parameters, parameters[i], strict=True) if p.trained]
        charged = sum((penalty(*each) for each in trained), charged)
        gradients = [g + penalty_gradient(*each) for g, each in zip(own, trained, strict=True)]
        dW, dB = (*gradients, None, None)[:2]
        steps[i] = replace(
            step,
            dA_out=dA_out,
            dZ=dz,
            dW=dW,
            dB=None if dB is None else dB[np.newaxis],
            dA_in=np.array([gradient]),
        )
    Y = np.array([[float(k == wanted) for k in range(n_out)] if is_class else wanted])
    value = loss(compared, wanted, read.tolist()) + charged
    settings = "".join(f", {name}={setting!r}" for name, setting in model.loss.given().items())
    return replace(
        found,
        steps=tuple(steps),
        Y=Y,
        loss_name=spec.name,
        loss_settings=settings,
        loss=value,
        penalty=charged,
    )
