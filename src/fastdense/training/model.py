"""What training asks of a model."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from fastdense.core.spec import NetworkSpec, TrainingSpec
from fastdense.engines import Library, Program
from fastdense.engines.programs import Compiled
from fastdense.losses import Loss
from fastdense.optimizers import Optimizer
from fastdense.training.state import State

__all__ = ["Learner", "Trainable"]


class Trainable(Protocol):
    """A network that takes rows and can be compiled for an engine."""

    seed: int
    dtype: str
    engine: str | Library
    table: Any

    @property
    def output_shape(self) -> tuple[None, int]:
        """``(None, n_out)``."""

    def as_rows(self, X: Any, name: str = "X") -> Any:
        """Return ``X`` as the rows that the model's program takes, building the model if it is not built."""

    @property
    def centre(self) -> NDArray[Any] | None:
        """What `as_rows` subtracts in float64 before it rounds, None for nothing."""

    @property
    def takes_missing(self) -> int:
        """How many of its input's columns, from the first on, may hold NaN."""

    def network(self) -> NetworkSpec:
        """Return the network as engines are given it."""

    def program(self, training: TrainingSpec) -> Program:
        """Return a new program for training that starts from the weights of now."""


class Learner(Trainable, Protocol):
    """A model with a loss and an optimizer, in training."""

    stop_training: bool
    next_epoch: int

    @property
    def layers(self) -> list[Any]:
        """The layers: each has a ``name``, and is ``fresh`` until its weights are replaced."""

    @property
    def weights(self) -> list[Any]:
        """All layers' arrays in order."""

    @property
    def loss(self) -> Loss | None:
        """The loss."""

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer."""

    def training_program(self) -> Program:
        """Return the program that trains, compiled again if weights or settings were replaced."""

    def take_program(self) -> Compiled:
        """Return the same, which the model has no more until `keep` hands it back."""

    def keep(self, compiled: Compiled, iterations: int) -> None:
        """Take over a program's parameters and optimizer state, after ``iterations`` steps in all."""

    def state(self) -> State:
        """Return what steps change, as it is now."""

    def rewind(self, state: State) -> None:
        """Go back to an earlier state."""
