"""The optimizer of an estimator: its rate, its state and the program that it runs in, from call to call."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense import engines
from fastdense.core.arrays import Array
from fastdense.core.spec import NetworkSpec, TrainingSpec
from fastdense.engines import Program, Slots
from fastdense.engines.programs import Compiled
from fastdense.estimators.blueprint import (
    Same,
    Weights,
    chosen_optimizer,
    flat,
    grouped,
    optimizer_spec,
    ungrouped,
)
from fastdense.estimators.parameters import SharedParameters

__all__ = ["Optimization"]

# scikit-learn's: below it an adaptive rate is given up on, and it is divided by so much until then.
SMALLEST_RATE, DIVISOR = 1e-6, 5.0


class Optimization:
    """An optimizer in use: made at `fit`, kept for `partial_fit`, pickled without its compiled program.

    Attributes
    ----------
    learning_rate : float
        The next epoch's; an optimizer that the caller gave decides by its own schedule.
    steps : int
        The number of steps taken.
    """

    def __init__(self, parameters: SharedParameters) -> None:
        self.spec = optimizer_spec(parameters)
        self.learning_rate = float(parameters.learning_rate_init)
        self.steps = 0
        self._given = copy.deepcopy(chosen_optimizer(parameters))
        stepwise = parameters.solver == "sgd" and self._given is None
        self._plan = parameters.learning_rate if stepwise else "constant"
        self._first_rate, self._power = self.learning_rate, parameters.power_t
        self._slots: Slots | None = None
        self._live: Compiled | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the compiled program out; its state stays."""
        slots = self._slots if self._live is None else self._live.program.slots()
        return {**self.__dict__, "_live": None, "_slots": slots}

    def resume(self, steps: int, learning_rate: float, slots: Slots) -> None:
        """Go on from what another one of the same parameters had come to."""
        self.steps, self.learning_rate, self._slots = steps, learning_rate, slots

    def program(
        self, engine: str | engines.Library, network: NetworkSpec, training: TrainingSpec, weights: Weights
    ) -> Program:
        """Return a program that trains on from these weights, with the optimizer's state as it is."""
        made_from = (engine, network, training, Same([*weights[0], *weights[1]]))
        if self._live is None or self._live.made_from != made_from:
            slots = self._slots if self._live is None else self._live.program.slots()
            kept = slots if _belong(slots, weights) else None
            program = engines.choose(engine).compile(network, grouped(network, *weights), training, kept)
            self._live, self._slots = Compiled(program, made_from), None
        found: Program = self._live.program
        return found

    def weights(self) -> Weights:
        """Return the program's weights as they are now, arrays that nothing writes to again."""
        assert self._live is not None
        program, (engine, network, training, _) = self._live
        weights = ungrouped(network, program.parameters())
        made_from = (engine, network, training, Same([*weights[0], *weights[1]]))
        self._live = Compiled(program, made_from)  # from which it can train on
        return weights

    def plan(self, first: int, steps: int, rows: int) -> tuple[NDArray[np.float64], Array | None]:
        """Return the learning rates and the weight decays (None: the spec's) of an epoch ahead.

        It begins with the step ``first``, after training on ``rows`` rows in all.
        """
        if self._given is not None:
            return self._given.rates(first, steps), self._given.weight_decays(first, steps)
        rate = self.learning_rate if first == self.steps else self._scaled(rows)
        return _alike(steps, rate), None

    def epoch_ended(self, rows: int) -> None:
        """Set the next epoch's rate, ``rows`` having been trained on in all."""
        self.learning_rate = self._scaled(rows)

    def _scaled(self, rows: int) -> float:
        """Return the rate after an epoch that ended with ``rows`` trained on in all."""
        if self._plan == "invscaling":
            return float(self._first_rate / (rows + 1) ** self._power)
        return self.learning_rate

    def stops(self, reason: str, verbose: Any) -> bool:
        """Return True if training ends for lack of progress; an adaptive rate is lowered first."""
        if self._plan == "adaptive" and self.learning_rate > SMALLEST_RATE:
            self.learning_rate /= DIVISOR
            if verbose:
                print(f"{reason} Setting learning rate to {self.learning_rate:f}")
            return False
        if verbose:
            small = " Learning rate too small." if self._plan == "adaptive" else ""
            print(f"{reason}{small} Stopping.")
        return True


@lru_cache(64)
def _alike(steps: int, rate: float) -> NDArray[np.float64]:
    """Return one rate for all steps, an array that the epochs of many trainings share."""
    rates = np.full(steps, rate)
    rates.flags.writeable = False
    return rates


def _belong(slots: Slots | None, weights: Weights) -> bool:
    """Return True if these are the arrays of an optimizer for weights of these shapes."""
    groups, arrays = list(slots or ()), flat(weights)
    return len(groups) == len(arrays) and all(
        own.shape == array.shape for group, array in zip(groups, arrays, strict=True) for own in group
    )
