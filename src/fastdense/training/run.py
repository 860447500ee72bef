"""What a fit was asked to do, and the rows that it is measured on: what a report of it needs later."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastdense.callbacks import Callback, EarlyStopping
from fastdense.losses import Loss
from fastdense.optimizers import Optimizer
from fastdense.training.data import Given
from fastdense.training.loop import Fit
from fastdense.training.model import Learner
from fastdense.training.state import Training
from fastdense.training.writing import written

__all__ = ["Run"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One call of `fit`.

    Attributes
    ----------
    given : Given
        The rows that it is measured on, as the caller gave them: none are copied, all are kept alive.
    layers : tuple of Layer
        The model's.
    replaced : tuple of str
        The names of those whose weights were not the first ones any more.
    loss : Loss
    optimizer : Optimizer
        A copy, as it was at the start: callbacks may change its rate.
    metrics, weighted_metrics : str
        As code.
    rows, held_out : int
        The number of rows that it trains on, and that it is validated on.
    settings : dict of str to str
        The other arguments of the call that are not the defaults, as code.
    batch_size, epochs : int
    weighted : bool
        Whether rows have weights, those of the validation or by their class among them.
    started : float
        Seconds since 1970.
    kept : int or None
        The epoch whose weights a callback went back to at the end, None if none did.
    call : str
        What was called, as code, if it was not `fit` itself.
    test : tuple (X, y) or None
        Rows that neither trained the model nor chose its epoch, if its caller held such out.
    """

    given: Given
    layers: tuple[Any, ...]
    replaced: tuple[str, ...]
    loss: Loss
    optimizer: Optimizer
    metrics: str
    weighted_metrics: str
    rows: int
    held_out: int
    settings: dict[str, str]
    batch_size: int
    epochs: int
    weighted: bool
    started: float
    kept: int | None = None
    call: str = ""
    test: tuple[Any, Any] | None = None

    @classmethod
    def of(
        cls, model: Learner, training: Training, fit: Fit, given: Given, callbacks: Sequence[Callback]
    ) -> Run:
        """Return the record of a fit that starts now."""
        return cls(
            given=given.held(),
            layers=tuple(model.layers),
            replaced=tuple(layer.name for layer in model.layers if not layer.fresh),
            loss=training.loss,
            optimizer=copy.copy(training.optimizer),
            metrics=written(training.metrics),
            weighted_metrics=written(training.weighted_metrics),
            rows=len(fit.data),
            held_out=0 if fit.held_out is None else len(fit.held_out),
            settings=_settings(model, fit, given, callbacks),
            batch_size=fit.options.batch_size,
            epochs=fit.options.epochs,
            weighted=given.weighted,
            started=time.time(),
        )

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return -(-self.rows // self.batch_size)

    def ended(self, callbacks: Sequence[Callback]) -> Run:
        """Return the record of the fit that has ended."""
        stops = (c.restored_epoch for c in callbacks if isinstance(c, EarlyStopping))
        epochs = [epoch for epoch in stops if epoch is not None]
        return replace(self, kept=epochs[-1] if epochs else None)  # the last of them had the last word


def _settings(model: Learner, fit: Fit, given: Given, callbacks: Sequence[Callback]) -> dict[str, str]:
    found = {"batch_size": str(fit.options.batch_size), "epochs": str(fit.options.epochs)}
    if given.validation_data is not None:
        weights = ", validation_weights" if len(given.validation_data) == 3 else ""
        found["validation_data"] = f"(X_validation, y_validation{weights})"
    elif given.validation_split:
        found["validation_split"] = written(given.validation_split)
    if not fit.options.shuffle:
        found["shuffle"] = "False"
    if given.sample_weight is not None:
        found["sample_weight"] = "weights"
    if given.class_weight is not None:
        found["class_weight"] = written(given.class_weight)
    if model.next_epoch:
        found["initial_epoch"] = str(model.next_epoch)
    if callbacks:
        found["callbacks"] = written(list(callbacks))
    return found
