"""A model at one moment, and what an engine is given of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastdense import engines
from fastdense.core.arrays import Array
from fastdense.core.sharing import Change
from fastdense.core.spec import NetworkSpec, TrainingSpec
from fastdense.engines import Library, Parameters, Program, Slots
from fastdense.errors import NotBuiltError
from fastdense.layers import Dense, Layer
from fastdense.layers.normalization import Normalization
from fastdense.layers.plan import plan
from fastdense.network.frozen import FrozenModel, Inputs, Otherwise

__all__ = ["Snapshot", "widths"]


@dataclass(frozen=True)
class Snapshot:
    """A model's layers with their arrays, which nothing writes to, and their versions, all of one moment."""

    name: str
    n_in: int | None
    dtype: str
    engine: str | Library
    table: Any
    layers: tuple[Layer, ...]
    arrays: tuple[tuple[Array, ...], ...]
    versions: tuple[object, ...]

    @property
    def made_from(self) -> tuple[Any, ...]:
        """What another program is compiled from as soon as it differs."""
        return (self.table, engines.placed(self.engine), *self.versions)

    def network(self) -> NetworkSpec:
        """Return the network as engines are given it."""
        return NetworkSpec(
            widths(self.n_in, self.layers)[0], tuple(spec for _, spec in plan(self.layers)), self.dtype
        )

    def parameters(self) -> list[tuple[Array, ...]]:
        """Return the arrays that go with `network`, one tuple per layer of it; read-only, not copied."""
        own = dict(zip(self.layers, self.arrays, strict=True))
        return [layer.parameters(own[layer]) for layer, _ in plan(self.layers)]

    def changes(self, parameters: Parameters) -> list[Change]:
        """Return what gives the layers trained parameters, as a program hands them back, uncopied."""
        return [
            change
            for (layer, spec), of_layer in zip(plan(self.layers), parameters, strict=True)
            if spec.is_trained
            for change in layer.changes([np.asarray(array) for array in of_layer])
        ]

    def weights(self, parameters: Parameters) -> list[Array]:
        """Return all layers' arrays in order, the trained ones as a program hands them back, uncopied."""
        own = dict(zip(self.layers, self.arrays, strict=True))
        for (layer, spec), of_layer in zip(plan(self.layers), parameters, strict=True):
            if spec.is_trained:
                own[layer] = tuple(np.asarray(array) for array in of_layer)
        return [array for arrays in own.values() for array in arrays]

    @property
    def centre(self) -> Array | None:
        """What is subtracted from rows in float64 before a program takes them, None for nothing."""
        first = self.layers[0] if self.layers else None
        if isinstance(first, Normalization) and first.built and self.dtype == "float32":
            return first.centre(self.arrays[0])
        return None

    def inputs(self, centred: bool = True) -> Inputs:
        """Return what the network takes; without its centre if ``centred`` is False."""
        first = next((layer for layer in self.layers if isinstance(layer, Dense)), None)
        if first is not None and first.n_in not in (None, self.n_in):
            first = None  # it takes what another layer makes of the rows
        owner = f"model {self.name!r}" if first is None else f"layer {first.name!r}"
        n_units, centre = first.n_units if first else None, self.centre if centred else None
        return Inputs(self.n_in, n_units, owner, self.dtype, self.table, self.engine, centre)

    def program(self, training: TrainingSpec | None = None, slots: Slots | None = None) -> Program:
        """Return a new program with these weights, for training if ``training`` is given."""
        with np.errstate(over="ignore"):  # statistics beyond float32 are infinite in it, as such data are
            parameters = self._centred_parameters()
            return engines.choose(self.engine).compile(self.network(), parameters, training, slots)

    def predictor(self) -> Callable[..., Array]:
        """Return ``predict(X, out=None)``.

        It holds what it computes with and not the model: no circle, and it outlives the model.
        """
        inputs, program = self.inputs(), self.program()
        otherwise = Otherwise(program, self.network(), inputs)
        return program.predictor(otherwise) if inputs.centre is None else otherwise

    def freeze(self) -> FrozenModel:
        """Return a model of these weights that only predicts."""
        return FrozenModel(self.network(), self._centred_parameters(), self.inputs())

    def _centred_parameters(self) -> list[tuple[Array, ...]]:
        """Return the arrays that go with `network` for rows less `centre`."""
        parameters, centre = self.parameters(), self.centre
        if centre is not None:
            mean, deviation = parameters[0]
            parameters[0] = (mean - centre, deviation)
        return parameters


def widths(n_in: int | None, layers: Sequence[Layer]) -> tuple[int, int]:
    """Return the columns of a network's input and of its output.

    Raises
    ------
    NotBuiltError
        They are not known yet.
    """
    if n_in is None or not layers or not layers[-1].built:
        raise NotBuiltError("the model's shapes are not known yet: give it an Input, or call build or fit")
    return n_in, layers[-1].n_units or n_in
