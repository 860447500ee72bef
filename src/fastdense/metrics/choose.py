"""From what `compile` is given to metrics, each with a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count

from fastdense.core.spec import LossSpec
from fastdense.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
)
from fastdense.metrics.base import FAMILY, FunctionMetric, Metric

__all__ = ["check", "get", "is_accuracy", "names", "resolve"]

_RESERVED = ("loss", "epoch")
"""What an epoch's numbers and a log's columns are called already."""


def get(identifier: object) -> Metric:
    """Return a metric from its name, its description, itself, its class or a function ``f(y_true, y_pred)``.

    As in Keras, one asked for by a name goes by that name in the history: "mse" stays "mse".
    """
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        identifier = identifier()
    if isinstance(identifier, Metric):
        return identifier
    if callable(identifier):
        return FunctionMetric(identifier)
    metric = FAMILY.get(identifier)
    if isinstance(identifier, str):
        metric.name, metric.named = identifier, True
    return metric


def is_accuracy(identifier: object) -> bool:
    """Return True for "accuracy" and "acc", in any case: the form of it follows from the loss."""
    return isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc")


def check(identifiers: Sequence[object]) -> None:
    """Raise ValueError or TypeError unless `resolve` can make metrics of these, no object given twice."""
    found = [get(identifier) for identifier in identifiers if not is_accuracy(identifier)]
    for i, metric in enumerate(found):
        if any(metric is other for other in found[:i]):
            raise ValueError(f"{metric!r} is given twice and would count every row twice: give two objects")


def resolve(identifiers: Sequence[object], loss: LossSpec, n_out: int) -> list[Metric]:
    """Return metrics, with "accuracy" (or "acc") meaning the one of its three forms that fits the loss.

    For class numbers that is `SparseCategoricalAccuracy`; for one-hot rows `CategoricalAccuracy`;
    otherwise `BinaryAccuracy`, whose threshold is 0 for logits.

    Parameters
    ----------
    identifiers : sequence of str, Metric or function
        "accuracy", "acc" and what `get` takes.
    loss : LossSpec
    n_out : int
        Columns of the network's output.

    Returns
    -------
    metrics : list of Metric
        One per identifier, in their order.
    """
    return [
        _accuracy(str(identifier), loss, n_out) if is_accuracy(identifier) else get(identifier)
        for identifier in identifiers
    ]


def names(plain: Sequence[Metric], weighted: Sequence[Metric]) -> list[str]:
    """Return the names that metrics go by, no two alike: Keras', in a session's first model.

    A second "mse" is "mse_1". A weighted metric whose name is taken is "weighted_mse", one that Keras numbers
    (`Metric.numbered`) "precision_1". No name is that of the loss, nor that of another metric's ``val_``
    numbers.

    Parameters
    ----------
    plain, weighted : sequence of Metric

    Returns
    -------
    names : list of str
        One per metric, the plain ones first.
    """
    found: list[str] = []
    taken = set(_RESERVED)
    for i, metric in enumerate(chain(plain, weighted)):
        stem = metric.name
        if i >= len(plain) and not _is_free(stem, taken) and (metric.named or not metric.numbered):
            stem = f"weighted_{stem}"
        candidates = chain([stem], (f"{stem}_{number}" for number in count(1)))
        found.append(next(name for name in candidates if _is_free(name, taken)))
        taken.add(found[-1])
    return found


def _is_free(name: str, taken: set[str]) -> bool:
    """Return True if neither the name nor its or another's name in validation is taken."""
    return taken.isdisjoint({name, f"val_{name}", name.removeprefix("val_")})


def _accuracy(name: str, loss: LossSpec, n_out: int) -> Metric:
    if loss.targets == "class numbers":
        return SparseCategoricalAccuracy(name)
    if loss.targets == "one-hot" or (loss.targets == "numbers" and n_out > 1):
        return CategoricalAccuracy(name, loss.groups)
    return BinaryAccuracy(name, threshold=0.0 if loss.from_logits else 0.5)
