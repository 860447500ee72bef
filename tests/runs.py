"""Training a case on an engine, and holding what a user would see of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdense.engines import Engine, Program, choose
from tests.cases import Case, case_named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastdense.core.spec import TrainingSpec

__all__ = ["STEPS", "Run", "compiled", "reference_run", "state", "train"]

STEPS = 50


@dataclass
class Run:
    """Every step's loss; every epoch's outputs, and its parameters and slots afterwards."""

    losses: list[float] = field(default_factory=list)
    outputs: list[NDArray[Any]] = field(default_factory=list)
    states: list[list[NDArray[Any]]] = field(default_factory=list)


def compiled(engine: Engine, case: Case, training: TrainingSpec | None = None) -> Program:
    """Return the case's program at its initial parameters."""
    return engine.compile(case.network, case.parameters(), training or case.training)


def state(program: Program) -> list[NDArray[Any]]:
    """Return all of a program's parameters and slots in one list."""
    return [a for group in (*program.parameters(), *program.slots()) for a in group]


def train(program: Program, case: Case, steps: int = STEPS, first_step: int = 0, shift: int = 0) -> Run:
    """Train for whole epochs, at least ``steps`` steps; ``shift`` misnumbers them for the engine."""
    run, data = Run(), case.data()
    for step in range(first_step, first_step + steps, case.steps_per_epoch):
        batches = case.batches(data, epoch=step // case.steps_per_epoch)
        outputs = np.full((case.rows, case.network.n_out), np.nan, dtype=case.dtype)
        run.losses += list(program.train(batches, case.learning_rates(step), step + shift, outputs))
        run.outputs.append(outputs)
        run.states.append(state(program))
    return run


@cache
def reference_run(name: str) -> Run:
    """Return the reference's run of a case, computed once for all engines."""
    case = case_named(name)
    return train(compiled(choose("reference"), case), case)
