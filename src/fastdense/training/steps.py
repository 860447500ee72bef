"""Steps of training: the job that takes them, and the model that keeps what they changed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks.base import Logs
from fastdense.core.streams import ORDER, generator
from fastdense.engines import Batches
from fastdense.engines.jobs import Epoch, Fitting, Job, Passed, Watch, alone
from fastdense.errors import NonFiniteLossError
from fastdense.layers import Dropout
from fastdense.optimizers.scheduled import known_ahead
from fastdense.training.data import Data
from fastdense.training.measuring import Metrics
from fastdense.training.model import Learner
from fastdense.training.non_finite import diagnosis

__all__ = ["are_known_ahead", "order_of", "take", "train_once"]


def take(
    model: Learner,
    data: Data,
    orders: Sequence[NDArray[np.int64]],
    batch_size: int,
    watch: Watch | None = None,
    outputs: bool = False,
    keep: bool = False,
) -> Fitting[list[Passed]]:
    """Take the steps that every order makes, all in one job, and keep what they changed.

    An interrupt leaves the model with the weights of the last whole step. If memory runs out while it keeps
    them, it is as it was before: the program, which is ahead of it, is dropped.
    """
    first = step = model.optimizer.iterations
    epochs = []
    for order in orders:
        epochs.append(_epoch(model, data, order, batch_size, step))
        step += len(epochs[-1].learning_rates)
    compiled = model.take_program()
    program, done = compiled.program, compiled.program.steps
    try:
        passed: list[Passed] = yield Job(program, epochs, first, watch, outputs, keep)
        model.keep(compiled, first + program.steps - done)
    except BaseException:  # an interrupt can also come while the model keeps its weights
        model.keep(compiled, first + program.steps - done)
        raise
    return passed


def train_once(model: Learner, data: Data, metrics: Metrics) -> Logs:
    """Take one step on all rows; return their loss and metrics from before it.

    Raises
    ------
    NonFiniteLossError
        The loss, the weights or the optimizer's state became NaN or infinite; the model is as it was before
        the step.
    """
    start, order = model.state(), np.arange(len(data))
    [passed] = alone(take(model, data, [order], len(data), outputs=bool(metrics.all)))
    loss = float(passed.losses[0])
    if not (math.isfinite(loss) and model.state().is_finite()):
        model.rewind(start)
        raise NonFiniteLossError(diagnosis(model, loss, f"step {start.iterations + 1}"))
    return {"loss": loss, **metrics.measure(data, order, passed.outputs)}


def order_of(model: Learner, data: Data, shuffle: bool, first: int) -> NDArray[np.int64]:
    """Return the row numbers of the epoch that begins with a step, in the order that it takes them."""
    if not shuffle:
        return np.arange(len(data)) if data.rows is None else data.rows
    order = generator(model.seed, ORDER, first).permutation(len(data))
    return order if data.rows is None else data.rows[order]


def are_known_ahead(model: Learner) -> bool:
    """Return True if the numbers of later steps can be asked for now: none is a function of the user's."""
    rates = [layer.rate for layer in model.layers if isinstance(layer, Dropout)]
    return all(map(known_ahead, [*model.optimizer.scheduled, *rates]))


def _epoch(model: Learner, data: Data, order: NDArray[np.int64], batch_size: int, first: int) -> Epoch:
    """Return an epoch with the learning rates, weight decays and dropout rates of its steps."""
    steps, optimizer = math.ceil(len(order) / batch_size), model.optimizer
    dropout = {
        place: layer.rates(first, steps)
        for place, layer in enumerate(model.layers)
        if isinstance(layer, Dropout) and callable(layer.rate)
    }
    decay = optimizer.weight_decays(first, steps)
    batches = Batches(data.X, data.y, data.weights, order, batch_size, weight_decay=decay, dropout=dropout)
    return Epoch(batches, optimizer.rates(first, steps))
