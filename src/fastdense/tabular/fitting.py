"""The training of one network: its epochs as jobs, and the best of them by the rows held out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastdense.core.streams import ORDER, generator
from fastdense.engines import Batches
from fastdense.engines.jobs import Epoch, Fitting, Job, Passed, Watch
from fastdense.errors import NonFiniteLossError
from fastdense.layers import Dropout
from fastdense.models.sequential import Sequential
from fastdense.tabular.choice import Choice
from fastdense.tabular.folds import Part
from fastdense.tabular.schedules import coslog, flat_cosine
from fastdense.tabular.scores import score_of
from fastdense.tabular.subject import Subject
from fastdense.training.pace import most_epochs

__all__ = ["Course", "Plan"]

_PART: float = 0.05
"""The share of the time left after which the length of epochs is decided again."""
_ALL: float = 1.0 - 1e-9
"""The share from which a training is complete, allowing for rounding."""


class Plan(NamedTuple):
    """How long a network trains.

    Attributes
    ----------
    epochs : int
        With a deadline more or fewer, as time allows.
    steps : int
        Those of an epoch.
    most : int
        The most epochs.
    """

    epochs: int
    steps: int
    most: int


class Course:
    """The training of one network. Whatever ends it, the best epoch so far is there.

    With a deadline the schedules are stretched over the time that is left, so that they come to their end by
    then: how far each epoch goes follows from what the epochs so far took.

    Parameters
    ----------
    subject : Subject
    model : Sequential
        With its first weights.
    part : Part
        The rows to train on and those held out.
    plan : Plan
    deadline : float
        When to end, by ``time.monotonic``; the first epoch is trained even if it is later.
    heard : function
        Called after every epoch, with this course.

    Attributes
    ----------
    choice : Choice
    losses : list of float
        The mean training loss of each epoch.
    done : float
        The share of the training that is done.
    """

    def __init__(
        self,
        subject: Subject,
        model: Sequential,
        part: Part,
        plan: Plan,
        deadline: float = math.inf,
        heard: Callable[[Course], None] = lambda course: None,
    ) -> None:
        self.subject, self.model, self.part, self.plan = subject, model, part, plan
        self.deadline, self.heard = deadline, heard
        self.losses: list[float] = []
        self.done = 0.0
        score = score_of(subject.goal.metric, subject.goal.quantile)
        y, emphasis = (each[part.held_out] for each in (subject.judges.y, subject.judges.emphasis))
        self.choice = Choice(score, y, emphasis, part.first_half)
        self._dropout = [i for i, layer in enumerate(model.layers) if isinstance(layer, Dropout)]
        self._took = 0.0

    def fit(self) -> Fitting[None]:
        """Train until the schedules' end, or the deadline, or a loss that is not finite.

        Raises
        ------
        NonFiniteLossError
            It is so in the first epoch.
        """
        program = self.model.program(self.subject.training(self.model.seed))
        watch, most = self._watch(), self._most_epochs()
        while self.done < _ALL and (not self.losses or time.monotonic() < self.deadline):
            clock, share = time.monotonic(), self._share()
            starts = self._starts(share, min(most, self._epochs_at_once()))
            epochs = [self._epoch(len(self.losses) + i, start, share) for i, start in enumerate(starts)]
            passed = yield Job(program, epochs, len(self.losses) * self.plan.steps, watch, keep=True)
            self._took = (time.monotonic() - clock) / len(epochs)
            for start, each in zip(starts, passed, strict=False):
                if each.parameters is None:
                    self._diverged(each)
                    return
                self._passed(each, start + share)

    def finish(self) -> Sequential:
        """Return the network with the weights of its best epoch."""
        assert self.choice.parameters is not None
        self.model.set_weights(self.model.snapshot().weights(self.choice.parameters))
        return self.model

    def _share(self) -> float:
        """Return what share of the training the next epochs are, each."""
        share = 1.0 / self.plan.epochs
        if self.losses and self.deadline < math.inf:
            left = max(self.deadline - time.monotonic(), self._took)
            share = max((1.0 - self.done) * self._took / left, 1.0 / self.plan.most)
        return min(share, 1.0 - self.done)

    def _epochs_at_once(self) -> float:
        """Return how many epochs may run before their length is decided again: a part of the time left."""
        if self.deadline == math.inf:
            return math.inf
        left = max(self.deadline - time.monotonic(), 0.0)
        return max(1, _PART * left / self._took) if self._took else 1

    def _starts(self, share: float, most: float) -> list[float]:
        """Return where each of the next epochs starts: no bit depends on how many a job has."""
        starts, start = [self.done], self.done + share
        while start < _ALL and len(starts) < most:
            starts.append(start)
            start += share
        return starts

    def _epoch(self, number: int, start: float, share: float) -> Epoch:
        """Return an epoch: the first rows of a new order, as many as its steps take."""
        rows, recipe, steps = self.subject.rows, self.subject.recipe, self.plan.steps
        size = self.subject.rows_per_step(len(self.part.training))
        rng = generator(self.model.seed, ORDER, number * steps)
        t = start + share * np.arange(steps) / steps
        rate: Any = recipe.learning_rate  # a number, the recipe being of one task
        flat = flat_cosine(t)
        batches = Batches(
            rows.X,
            rows.y,
            self.subject.weights,
            rng.permutation(self.part.training)[: steps * size],
            size,
            weight_decay=recipe.weight_decay * flat,
            dropout=dict.fromkeys(self._dropout, recipe.dropout * flat),
        )
        return Epoch(batches, rate * coslog(t))

    def _passed(self, epoch: Passed, done: float) -> None:
        """Take note of an epoch."""
        assert epoch.parameters is not None
        outputs = np.empty((0, self.subject.goal.n_out)) if epoch.watched is None else epoch.watched.outputs
        self.losses.append(float(epoch.losses.mean()))
        self.choice.hear(self.subject.clamped(outputs), epoch.parameters)
        self.done = done
        self.heard(self)

    def _watch(self) -> Watch | None:
        judges, held_out = self.subject.judges, self.part.held_out
        return Watch(judges.X, judges.y, held_out) if len(held_out) else None

    def _most_epochs(self) -> int:
        """Return how many epochs a job may have."""
        weights, held_out, steps = self.model.count_params(), len(self.part.held_out), self.plan.steps
        trained = steps * self.subject.rows_per_step(len(self.part.training))
        values = 4 * (held_out * self.subject.goal.n_out + weights) + 8 * held_out
        return most_epochs(values, 2 * weights * (3 * trained + held_out), trained, steps)

    def _diverged(self, epoch: Passed) -> None:
        """End with the best epoch so far; NonFiniteLossError if there is none."""
        if self.choice.parameters is None:
            raise NonFiniteLossError(
                f"the loss became {epoch.losses[-1]} in the first epoch: lower the recipe's learning_rate"
            )
