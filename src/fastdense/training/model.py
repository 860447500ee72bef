"""What training asks of a model: the few things that the loop, the callbacks and the trainer call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from fastdense.core.sharing import Change
from fastdense.core.spec import NetworkSpec, TrainingSpec
from fastdense.engines import Library, Parameters, Program, Slots

__all__ = ["Trainable"]

Array = NDArray[Any]


class Trainable(Protocol):
    """A network that can be compiled for an engine and takes its trained parameters back."""

    name: str
    seed: int
    drawn_seed: int | None
    dtype: str
    engine: str | Library
    table: Any

    @property
    def layers(self) -> list[Any]:
        """The layers: each has a ``name``, and says whether it is ``fresh``."""

    @property
    def built(self) -> bool:
        """Whether all shapes are known and the weights exist."""

    def as_input(self, X: Any, name: str = "X") -> Any:
        """Return ``X`` as a matrix of the model's dtype and width, building the model where it is not."""

    def as_rows(self, X: Any, name: str = "X") -> Any:
        """Return ``X`` as the rows that the model's program takes, building the model if it is not."""

    @property
    def centre(self) -> Array | None:
        """What `as_rows` subtracts in float64 before it rounds, None for nothing."""

    def network(self) -> NetworkSpec:
        """Return what the engines are told of the network."""

    def program(self, training: TrainingSpec, slots: Slots | None = None, moment: Any = None) -> Program:
        """Return a new program for training that starts from the weights of a moment, or those of now."""

    def moment(self, also: Sequence[tuple[object, str]] = ()) -> Any:
        """Return the layers, ``arrays``, ``stamps`` and ``also`` other attributes, all of one moment."""

    def changes(self, parameters: Parameters) -> list[Change]:
        """Return what gives the layers trained parameters, for `fastdense.core.sharing.replace`."""

    def stamps(self) -> tuple[object, ...]:
        """Return what changes whenever weights are replaced, or the engine."""

    def predictor(self) -> Callable[..., Array]:
        """Return ``predict(X, out=None)`` for the weights as they are now."""

    def get_weights(self) -> list[Array]:
        """Return copies of all weights."""

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights."""
