"""A run as code: what makes the model, compiles it and fits it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from fastdense import callbacks, initializers, layers, losses, metrics, optimizers, regularizers
from fastdense.layers import Normalization
from fastdense.network.model import Model
from fastdense.optimizers import schedules
from fastdense.training.run import Run
from fastdense.training.writing import OMITTED, written

__all__ = ["caveats", "code"]

# Where a user finds the names that a part of the code may speak of, the first place first.
LAYERS = {
    "fd": ("Activation", "Dense", "Dropout", "Input", "Normalization"),
    "fd.layers": layers.__all__,
    "fd.initializers": initializers.__all__,
    "fd.regularizers": regularizers.__all__,
    "fd.activations": ("ActivationFunction",),
}
OPTIMIZERS = {"fd.optimizers": optimizers.__all__, "fd.optimizers.schedules": schedules.__all__}
LOSSES = {"fd.losses": losses.__all__}
METRICS = {"fd.metrics": metrics.__all__}
CALLBACKS = {"fd.callbacks": callbacks.__all__}

LONGEST = 88  # of a line
TEXT_OR_CALL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b[A-Z]\w*(?=\()""")


def code(model: Model, run: Run) -> str:
    """Return statements that make the model again and train it in the same way on X and y.

    Functions and classes of the caller's own stand there by their names, and the data by X and y.
    """
    if run.call:
        called = _placed(run.call, CALLBACKS)
        return called if called == run.call else f"import fastdense as fd\n{called}"
    return "\n".join(["import fastdense as fd", "", _made(model, run), _compiled(run), _fitted(run)])


def caveats(model: Model, run: Run) -> Iterator[str]:
    """Yield why the code may not give the same weights, a line each."""
    if OMITTED in code(model, run):
        yield f"The code has {OMITTED} in the place of what no code makes, such as functions without a name."
    if run.call:
        return
    others = [layer.name for layer in run.layers if not isinstance(layer, Normalization)]
    if not set(run.replaced).isdisjoint(others) or run.optimizer.iterations:
        yield "The run went on from weights that were there before it; the code starts with new ones."
    if any(isinstance(layer, Normalization) and layer.name in run.replaced for layer in run.layers[1:]):
        yield "A Normalization behind other layers was adapted, which the code leaves out."


def _made(model: Model, run: Run) -> str:
    settings = [f"name={model.name!r}", f"seed={model.seed}"]
    settings += [f"dtype={model.dtype!r}"] if model.dtype != "float32" else []
    settings += [f"engine={str(model.engine)!r}"] if model.engine != "auto" else []
    inside = ",\n    ".join([f"Input(({model.input_shape[1]},))", *map(written, run.layers)])
    made = f"model = fd.Sequential([\n    {_placed(inside, LAYERS)},\n], {', '.join(settings)})"
    first = run.layers[0] if run.layers else None
    if isinstance(first, Normalization) and first.mean is None and first.name in run.replaced:
        made += "\nmodel.layers[0].adapt(X)  # or to the rows that it was adapted to"
    return made


def _compiled(run: Run) -> str:
    settings = [_placed(written(run.optimizer), OPTIMIZERS), _placed(written(run.loss), LOSSES)]
    settings += [f"metrics={_placed(run.metrics, METRICS)}"] if run.metrics != "[]" else []
    weighted = run.weighted_metrics
    settings += [f"weighted_metrics={_placed(weighted, METRICS)}"] if weighted != "[]" else []
    return _call("model.compile", settings)


def _fitted(run: Run) -> str:
    return _call("model.fit", ["X", "y", *(f"{k}={_placed(v, CALLBACKS)}" for k, v in run.settings.items())])


def _call(function: str, arguments: Sequence[str]) -> str:
    """Return a call, one argument per line if one line would be long."""
    inside = ", ".join(arguments)
    if len(function) + len(inside) <= LONGEST:
        return f"{function}({inside})"
    return "".join([f"{function}(\n", *(f"    {argument},\n" for argument in arguments), ")"])


def _placed(text: str, homes: Mapping[str, Sequence[str]]) -> str:
    """Return code with the classes that it calls named by the place where a user finds them.

    Examples
    --------
    >>> _placed("Dense(2, kernel_initializer=Constant(value=1.0), name='Dense(2)')", LAYERS)
    "fd.Dense(2, kernel_initializer=fd.initializers.Constant(value=1.0), name='Dense(2)')"
    """

    def place(found: re.Match[str]) -> str:
        name = found.group()
        home = next((home for home, names in homes.items() if name in names), None)
        return name if home is None else f"{home}.{name}"

    return TEXT_OR_CALL.sub(place, text)
