"""A network with what its training has come to, and the program that goes on with it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Self

from fastdense import losses, optimizers
from fastdense.core import sharing
from fastdense.core.arrays import Array
from fastdense.core.sharing import Change
from fastdense.engines import Program, slots
from fastdense.engines.programs import Compiled, Programs
from fastdense.errors import NotBuiltError
from fastdense.layers import Input, Layer
from fastdense.losses import Loss
from fastdense.network.stack import Stack
from fastdense.optimizers import Optimizer
from fastdense.training.state import State, Training

__all__ = ["Trained", "required"]


class Trained(Stack):
    """A stack of layers with the state of its training, taken over and given back as a whole."""

    _training: Training | None = None

    @property
    def loss(self) -> Loss | None:
        """The loss, None before `compile`; a name or another loss can be set."""
        return None if self._training is None else self._training.loss

    @loss.setter
    def loss(self, value: object) -> None:
        new = replace(required(self._training), loss=losses.get(value))
        self._replace_training([(self, "_training", new)], "loss")

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer, NotBuiltError before `compile`; another one can be set and starts afresh."""
        return required(self._training).optimizer

    @optimizer.setter
    def optimizer(self, value: object) -> None:
        chosen = optimizers.get(value)
        new = replace(required(self._training), optimizer=chosen, slots=None)
        self._replace_training([(self, "_training", new), *chosen.belonging_to(self)], "optimizer")

    def training_program(self) -> Program:
        """Return the program that trains, compiled again if weights or settings were replaced."""
        return self._programs.get("train", *self._to_train())

    def take_program(self) -> Compiled:
        """Return the program that trains, which the model has no more until `keep` hands it back."""
        return self._programs.take("train", *self._to_train())

    def _to_train(self) -> tuple[tuple[Any, ...], Callable[[], Program]]:
        """Return what the program that trains is made from, and how."""
        now, chosen, _ = self.state()
        training = required(chosen)
        spec = training.spec(self.seed)
        return (*now.made_from, training, spec), partial(now.program, spec, training.slots)

    def keep(self, compiled: Compiled, iterations: int) -> None:
        """Take over the parameters and optimizer state of a program, after ``iterations`` steps in all."""
        program, before = compiled.program, required(self._training)
        training = replace(before, slots=program.slots())
        changes = self.snapshot().changes(program.parameters())
        changes += [(self, "_training", training), (training.optimizer, "iterations", iterations)]
        new = {**sharing.replace(changes, "fit"), id(before): training}
        made_from = tuple(new.get(id(part), part) for part in compiled.made_from)
        self._programs.keep("train", Compiled(program, made_from))

    def state(self) -> State:
        """Return what training changes, and its settings, as they are at one moment."""
        while True:
            training = self._training
            steps = [] if training is None else [(training.optimizer, "iterations")]
            snapshot, (found, *count) = self._read([(self, "_training"), *steps])
            if found is training:  # not replaced since it was asked for
                return State(snapshot, training, *count or [0])

    def rewind(self, state: State) -> None:
        """Go back to an earlier state of these layers and this optimizer."""
        changes: list[Change] = [(self, "_training", state.training)]
        for layer, arrays in zip(self._layers, state.snapshot.arrays, strict=True):
            if layer.arrays is not arrays:
                changes += layer.changes(arrays)
        if state.training is not None:
            changes.append((state.training.optimizer, "iterations", state.iterations))
        self._replace_training(changes, "rewind")

    def slot_arrays(self) -> dict[str, Array]:
        """Return the optimizer's state by name, ``slots/<parameter>/<slot>``; empty before any step."""
        training = self._training
        if training is None:
            return {}
        own = training.slots
        if own is None and training.optimizer.iterations:  # a count that was set
            own = self.training_program().slots()
        return slots.named(own, training.optimizer.spec()) if own else {}

    def set_slot_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Take back what `slot_arrays` gave.

        Raises
        ------
        ValueError
            The names or shapes are not those of this model and optimizer; nothing is changed.
        """
        training, network = required(self._training), self.network()
        optimizer = training.optimizer.spec()
        slots.check(arrays, network, optimizer, training.optimizer.iterations)
        new = replace(training, slots=slots.grouped(arrays, network, optimizer))
        self._replace_training([(self, "_training", new)], "set_slot_arrays")

    def add(self, layer: Layer | Input) -> None:
        """Append a layer, built at once if its input's width is known; on an error nothing is changed."""
        super().add(layer)
        self._forget_training("add")

    def pop(self) -> Layer:
        """Remove and return the last layer."""
        layer = super().pop()
        self._forget_training("pop")
        return layer

    def _forget_training(self, call: str) -> None:
        """Drop the optimizer's state: the layers are not those that it belongs to any more."""
        training = self._training
        if training is not None:
            new = [(self, "_training", replace(training, slots=None)), (training.optimizer, "iterations", 0)]
            self._replace_training(new, call)

    def _replace_training(self, changes: list[Change], call: str, within: bool = True) -> None:
        """Replace what training has come to, and let go of the program that trains and its arrays."""
        sharing.replace(changes, call, within)
        self._programs.drop("train")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the last fit's rows.

        The layers and the optimizer follow on their own, and training may replace what they hold meanwhile:
        all of it as it is at one moment goes with the model.
        """
        state = self.state()
        return {**self.__dict__, "run": None, "_training": state.training, "_state": state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave, the layers' weights and the steps all of one moment."""
        moment = state.pop("_state")
        self.__dict__.update(state)
        self.rewind(moment)

    def __copy__(self) -> Self:
        """Return an independent model with the weights of now; it shares arrays: nothing writes to them."""
        new, state = type(self).__new__(type(self)), self.state()
        layers = [copy.copy(layer) for layer in state.snapshot.layers]
        new.__dict__.update({**self.__dict__, "run": None, "_programs": Programs(), "_layers": layers})
        if state.training is not None:
            optimizer = copy.copy(state.training.optimizer)
            state = state._replace(training=replace(state.training, optimizer=optimizer))
        new.rewind(state)
        return new


def required(training: Training | None) -> Training:
    """Return what `compile` chose; NotBuiltError before it."""
    if training is None:
        raise NotBuiltError(
            "call compile(loss=..., optimizer=...) first: there is no loss to train or measure"
        )
    return training
