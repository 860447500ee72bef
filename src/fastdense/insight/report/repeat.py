"""A run as code: what makes the model, compiles it and fits it again."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from os import PathLike
from types import FunctionType
from typing import Any

from fastdense.network import initializers, layers, regularizers
from fastdense.network.layers import Normalization
from fastdense.network.sequential import Sequential
from fastdense.training import callbacks, losses, metrics, optimizers, schedules
from fastdense.training.callbacks import Callback
from fastdense.training.run import Run

__all__ = ["code"]

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


def code(model: Sequential, run: Run) -> str:
    """Return statements that make the model anew and train it in the same way on X and y.

    Functions and classes of the caller's own stand there by their names, and the data by X and y.
    """
    if run.call:
        return run.call
    return "\n".join(["import fastdense as fd", "", _made(model), _compiled(model, run), _fitted(run)])


def _made(model: Sequential) -> str:
    settings = [f"name={model.name!r}", f"seed={model.seed}"]
    settings += [f"dtype={model.dtype!r}"] if model.dtype != "float32" else []
    settings += [f"engine={str(model.engine)!r}"] if model.engine != "auto" else []
    inside = ",\n    ".join([f"Input(({model.input_shape[1]},))", *map(repr, model.layers)])
    adapted = [
        f"model.layers[{i}].adapt(X)  # the rows that its mean and deviation are of"
        for i, layer in enumerate(model.layers)
        if isinstance(layer, Normalization) and layer.mean is None
    ]
    made = f"model = fd.Sequential([\n    {_placed(inside, LAYERS)},\n], {', '.join(settings)})"
    return "\n".join([made, *adapted])


def _compiled(model: Sequential, run: Run) -> str:
    plain, weighted = model.compiled_metrics
    settings = [_placed(run.optimizer, OPTIMIZERS), _placed(repr(model.loss), LOSSES)]
    settings += [f"metrics={_placed(_written(list(plain)), METRICS)}"] if plain else []
    settings += [f"weighted_metrics={_placed(_written(list(weighted)), METRICS)}"] if weighted else []
    return _call("model.compile", settings)


def _fitted(run: Run) -> str:
    settings = ["X", "y", f"batch_size={run.batch_size}", f"epochs={run.epochs}"]
    if run.given.validation_data is not None:
        weights = ", validation_weights" if len(run.given.validation_data) == 3 else ""
        settings.append(f"validation_data=(X_validation, y_validation{weights})")
    elif run.given.validation_split:
        settings.append(f"validation_split={run.given.validation_split!r}")
    settings += [] if run.shuffle else ["shuffle=False"]
    settings += ["sample_weight=weights"] if run.weighted else []
    settings += [f"class_weight={dict(run.class_weight)!r}"] if run.class_weight is not None else []
    settings += [f"initial_epoch={run.initial_epoch}"] if run.initial_epoch else []
    settings += [f"callbacks={_placed(_written(list(run.callbacks)), CALLBACKS)}"] if run.callbacks else []
    return _call("model.fit", settings)


def _call(function: str, arguments: Sequence[str]) -> str:
    """Return a call, an argument a line where one line would be long."""
    inside = ", ".join(arguments)
    if len(function) + len(inside) <= LONGEST:
        return f"{function}({inside})"
    return "".join([f"{function}(\n", *(f"    {argument},\n" for argument in arguments), ")"])


def _written(value: Any) -> str:
    """Return a value as code, as far as that can be: functions by their names."""
    if isinstance(value, Callback):
        defaults = {name: p.default for name, p in inspect.signature(type(value)).parameters.items()}
        kept = {name: value.__dict__[name] for name in defaults if name in value.__dict__}
        given = (f"{name}={_written(v)}" for name, v in kept.items() if not _is_same(v, defaults[name]))
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, FunctionType):
        return value.__name__
    return repr(str(value)) if isinstance(value, PathLike) else repr(value)


def _is_same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and repr(value) == repr(default))


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
