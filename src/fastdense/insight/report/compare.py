"""A model's outputs for rows whose targets are known, question by question, in the users' own words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fastdense.activations import ActivationFunction, sigmoid
from fastdense.core.spec import LossSpec, QuantileSpec, TrainingSpec, group_slices
from fastdense.network.model import Model
from fastdense.training.data import Data
from fastdense.training.measuring import outputs_of
from fastdense.training.outcomes import Classified, Outcome, classify, regress

__all__ = ["outcomes"]

Float = NDArray[np.float64]


def outcomes(model: Model, training: TrainingSpec, data: Data) -> tuple[Outcome, ...]:
    """Return what the model makes of rows: a question for each output, or for each group of classes.

    Parameters
    ----------
    model : fastdense.Sequential
    training : TrainingSpec
        Whose loss says what outputs and targets mean.
    data : Data

    Raises
    ------
    NonFiniteError
        An output is not finite.
    """
    with np.errstate(all="ignore"):  # what overflowed is found where it is compared
        found, losses = outputs_of(model, training, data)
    loss = training.loss
    outputs = found.astype(np.float64)
    match loss.targets:
        case "numbers":
            return _quantities(model, loss, data, outputs)
        case "chances":
            several = _yes_or_no(loss, data, outputs, float(np.finfo(found.dtype).eps))
        case "one-hot" | "class numbers":
            several = _classes(model, loss, data, outputs)
    if len(several) == 1 and not loss.label_smoothing:  # computed from logits, it loses no digits
        return (replace(several[0], log_loss=float(losses.mean())),)
    return several


def _yes_or_no(loss: LossSpec, data: Data, outputs: Float, eps: float) -> tuple[Classified, ...]:
    """Return a question with the answers 0 and 1 for each output; a target of a half or less is a 0.

    What is within ``eps`` of 0 or 1 is that far off: of the two a float can only come so near to one.
    """
    chance = np.clip(sigmoid(outputs) if loss.from_logits else outputs, eps, 1.0 - eps)
    truth = (data.y > 0.5).astype(np.int64)
    return tuple(
        classify(name, ("0", "1"), truth[:, j], np.stack([1.0 - chance[:, j], chance[:, j]], axis=1))
        for j, name in enumerate(_names("output", chance.shape[1]))
    )


def _classes(model: Model, loss: LossSpec, data: Data, outputs: Float) -> tuple[Classified, ...]:
    columns = group_slices(loss, outputs.shape[1])
    if loss.from_logits:
        outputs = ActivationFunction("softmax", groups=loss.groups)(outputs)
    found = []
    for name, group in zip(_names("question", len(columns)), columns, strict=True):
        chances = np.clip(outputs[:, group], np.finfo(np.float64).tiny, None)
        chances /= chances.sum(axis=1, keepdims=True)  # as the loss takes them
        truth = data.y if data.y.ndim == 1 else data.y[:, group].argmax(axis=1)
        found.append(classify(name, _labels(model, chances.shape[1]), truth, chances))
    return tuple(found)


def _labels(model: Model, count: int) -> tuple[str, ...]:
    """Return what the classes are called."""
    if model.table is not None and model.table.task == "classify" and len(model.table.classes) == count:
        return tuple(map(str, model.table.classes))
    return tuple(map(str, range(count)))


def _quantities(model: Model, loss: LossSpec, data: Data, outputs: Float) -> tuple[Outcome, ...]:
    names, truth = _names("output", outputs.shape[1]), data.y.astype(np.float64)
    if model.table is not None and model.table.task == "regress":
        names, truth, outputs = [model.table.target.name], *map(model.table.unscale, (truth, outputs))
    quantile = loss.quantile if isinstance(loss, QuantileSpec) else None
    return tuple(regress(name, truth[:, j], outputs[:, j], quantile) for j, name in enumerate(names))


def _names(noun: str, count: int) -> list[str]:
    return [f"{noun} {number}" for number in range(1, count + 1)] if count > 1 else [""]
