"""What a fit was asked to do, and the rows that it is measured on: what a report of it needs later."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastdense.training.callbacks import Callback, EarlyStopping
from fastdense.training.data import Given
from fastdense.training.loop import Fit, Learner

__all__ = ["Run"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One call of `Trainer.fit`.

    Attributes
    ----------
    given : Given
        The rows that it is measured on, as the caller gave them: none are copied, all are kept alive.
    rows, held_out : int
        How many it trains on, and how many it is validated on, 0 where none.
    batch_size, epochs, initial_epoch : int
    shuffle, weighted : bool
        Whether rows are taken in a new order every epoch, and whether they have weights.
    class_weight : mapping of class number to weight, or None
    callbacks : tuple of Callback
        Those that the caller gave.
    optimizer : str
        As it was at the start, as code: callbacks may change its rate.
    first_step : int
        The steps that it had taken before.
    started : float
        Seconds since 1970.
    call : str
        What was called, where it was not `fit` by its caller, as code.
    """

    given: Given
    rows: int
    held_out: int
    batch_size: int
    epochs: int
    initial_epoch: int
    shuffle: bool
    weighted: bool
    class_weight: Mapping[int, float] | None
    callbacks: tuple[Callback, ...]
    optimizer: str
    first_step: int
    started: float
    call: str = ""

    @classmethod
    def of(
        cls,
        model: Learner,
        fit: Fit,
        given: Given,
        callbacks: Sequence[Callback],
        class_weight: Mapping[int, float] | None,
    ) -> Run:
        """Return the record of a fit that starts now."""
        return cls(
            given=given.held(),
            rows=len(fit.data),
            held_out=0 if fit.held_out is None else len(fit.held_out),
            batch_size=fit.batch_size,
            epochs=fit.epochs,
            initial_epoch=model.next_epoch,
            shuffle=fit.shuffle,
            weighted=given.sample_weight is not None,
            class_weight=class_weight,
            callbacks=tuple(callbacks),
            optimizer=repr(model.optimizer),
            first_step=model.optimizer.iterations,
            started=time.time(),
        )

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return -(-self.rows // self.batch_size)

    @property
    def restored_epoch(self) -> int | None:
        """The epoch whose weights a callback went back to at the end, None where none did."""
        epochs = (c.restored_epoch for c in self.callbacks if isinstance(c, EarlyStopping))
        return next((epoch for epoch in epochs if epoch is not None), None)
