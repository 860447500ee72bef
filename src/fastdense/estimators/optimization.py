"""The optimizer of an estimator: its rate, its state and the program that it runs in, from call to call."""

from __future__ import annotations

import copy
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense import engines
from fastdense.core.spec import NetworkSpec, TrainingSpec
from fastdense.engines import Program, Slots
from fastdense.estimators.blueprint import Weights, chosen_optimizer, flat, grouped, optimizer_spec, ungrouped
from fastdense.estimators.parameters import SharedParameters

__all__ = ["Optimization"]

Array = NDArray[Any]

# scikit-learn's: below it an adaptive rate is given up on, and it is divided by so much until then.
SMALLEST_RATE, DIVISOR = 1e-6, 5.0


MadeFrom = tuple[str | engines.Library, NetworkSpec, TrainingSpec]


class Live(NamedTuple):
    """A program in training, what it was compiled from, and the weights it gave out last."""

    program: Program
    made_from: MadeFrom
    arrays: list[Array]

    def goes_on(self, made_from: MadeFrom, arrays: Sequence[Array]) -> bool:
        """Say whether it can train on from these weights: they are those that it gave out."""
        same = len(arrays) == len(self.arrays)
        return same and made_from == self.made_from and all(map(operator.is_, arrays, self.arrays))


class Optimization:
    """An optimizer in use: made at `fit`, kept for `partial_fit`, pickled without its compiled program.

    Attributes
    ----------
    learning_rate : float
        Of the next epoch; with an optimizer of the caller's own, its schedule decides.
    steps : int
        How many have been taken.
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
        self._live: Live | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the compiled program out; its state stays."""
        slots = self._slots if self._live is None else self._live.program.slots()
        return {**self.__dict__, "_live": None, "_slots": slots}

    def program(
        self, engine: str | engines.Library, network: NetworkSpec, training: TrainingSpec, weights: Weights
    ) -> Program:
        """Return a program that trains on from these weights, with the optimizer's state as it is."""
        made_from, arrays = (engine, network, training), [*weights[0], *weights[1]]
        if self._live is None or not self._live.goes_on(made_from, arrays):
            slots = self._slots if self._live is None else self._live.program.slots()
            kept = slots if _belong(slots, weights) else None
            program = engines.choose(engine).compile(network, grouped(network, *weights), training, kept)
            self._live, self._slots = Live(program, made_from, arrays), None
        return self._live.program

    def weights(self) -> Weights:
        """Return the program's weights as they are now, arrays that nothing writes to again."""
        assert self._live is not None
        network = self._live.made_from[1]
        weights = ungrouped(network, self._live.program.parameters())
        self._live = self._live._replace(arrays=[*weights[0], *weights[1]])
        return weights

    def rates(self, steps: int) -> NDArray[np.float64]:
        """Return the learning rates of the next steps."""
        if self._given is not None:
            return self._given.rates(self.steps, steps)
        return np.full(steps, self.learning_rate)

    def epoch_ended(self, rows: int) -> None:
        """Set the next epoch's rate, ``rows`` having been trained on in all."""
        if self._plan == "invscaling":
            self.learning_rate = self._first_rate / (rows + 1) ** self._power

    def stops(self, reason: str, verbose: Any) -> bool:
        """Say whether training ends for lack of progress; an adaptive rate is lowered first."""
        if self._plan == "adaptive" and self.learning_rate > SMALLEST_RATE:
            self.learning_rate /= DIVISOR
            if verbose:
                print(f"{reason} Setting learning rate to {self.learning_rate:f}")
            return False
        if verbose:
            small = " Learning rate too small." if self._plan == "adaptive" else ""
            print(f"{reason}{small} Stopping.")
        return True


def _belong(slots: Slots | None, weights: Weights) -> bool:
    """Say whether these are the arrays of an optimizer for weights of these shapes."""
    groups, arrays = list(slots or ()), flat(weights)
    return len(groups) == len(arrays) and all(
        own.shape == array.shape for group, array in zip(groups, arrays, strict=True) for own in group
    )
