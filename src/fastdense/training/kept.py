"""What training keeps in a model between calls: the optimizer's state, and the program that trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from fastdense.core import sharing
from fastdense.core.sharing import Change
from fastdense.core.spec import TrainingSpec
from fastdense.engines import Slots, slots
from fastdense.errors import NotBuiltError
from fastdense.losses import Loss
from fastdense.optimizers import Optimizer
from fastdense.training.loop import Live, State
from fastdense.training.model import Trainable

__all__ = ["SETTINGS", "Kept"]

Array = NDArray[Any]

SETTINGS = ("loss", "optimizer", "_metrics", "_weighted_metrics")
"""The attributes that `compile` sets."""


class Kept(Trainable):
    """A network with what its training has come to."""

    optimizer: Optimizer
    loss: Loss | None = None
    _metrics: Sequence[object] = ()
    _weighted_metrics: Sequence[object] = ()
    _live: Live | None = None
    _slots: Slots | None = None

    def live(self) -> Live:
        """Return the program that trains, compiled again if weights or settings were replaced."""
        spec = TrainingSpec(self._compiled_loss().spec(), self.optimizer.spec(), self.seed)
        live = self._live
        if live is None or live.stamps != self.stamps() or live.spec != spec:
            moment = self.moment()
            live = self._live = Live(self.program(spec, self._slots, moment), spec, moment.stamps)
        return live

    def take_live(self) -> Live:
        """Return the program that trains, which is the model's no more until `keep` hands it back.

        So a call that fails, and a process forked meanwhile, go on from the last state that was kept.
        """
        live = self.live()
        self._live = None
        return live

    def keep(self, live: Live, iterations: int) -> None:
        """Take over the parameters and optimizer state of a program, after ``iterations`` steps in all."""
        changes = self.changes(live.program.parameters())
        new = {id(layer): value for layer, name, value in changes if name == "stamp"}
        engine, *stamps = live.stamps
        after = (engine, *(new.get(id(layer), old) for layer, old in zip(self.layers, stamps, strict=True)))
        own = {"_slots": live.program.slots(), "_live": live._replace(stamps=after)}
        changes += [(self, name, value) for name, value in own.items()]
        sharing.replace([*changes, (self.optimizer, "iterations", iterations)], "fit")

    def forget_training(self) -> None:
        """Drop the optimizer's state: the layers are not those that it belongs to any more."""
        changes: list[Change] = [(self, "_slots", None), (self, "_live", None)]
        changes += [(self.optimizer, "iterations", 0)] if self.loss is not None else []
        sharing.replace(changes, "add or pop")

    def state(self) -> State:
        """Return what training changes, and its settings, as they are at one moment."""
        while True:
            optimizer = getattr(self, "optimizer", None)
            steps = [] if optimizer is None else [(optimizer, "iterations")]
            names = ("_slots", *(SETTINGS if steps else ()))
            moment = self.moment([*((self, name) for name in names), *steps])
            slots, *rest = moment.also
            settings = dict(zip(names[1:], rest, strict=False))
            if settings.get("optimizer") is optimizer:  # not replaced since it was asked for
                return State(moment, slots, rest[-1] if steps else 0, settings)

    def rewind(self, state: State) -> None:
        """Go back to an earlier state of these layers and this optimizer."""
        changes: list[Change] = [(self, "_slots", state.slots), (self, "_live", None)]
        for layer, arrays in zip(self.layers, state.moment.arrays, strict=True):
            if layer._arrays is not arrays:
                changes += layer.changes(arrays)
        changes += [(self.optimizer, "iterations", state.iterations)] if state.settings else []
        sharing.replace(changes, "rewind")

    def slot_arrays(self) -> dict[str, Array]:
        """Return the optimizer's state by name, ``slots/<parameter>/<slot>``; empty before any step."""
        state = self._slots
        if state is None and self.loss is not None and self.optimizer.iterations:  # a count that was set
            state = self.live().program.slots()
        return slots.named(state, self.optimizer.spec()) if state else {}

    def set_slot_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Take back what `slot_arrays` gave.

        Raises
        ------
        ValueError
            The names or shapes are not those of this model and optimizer; nothing is changed.
        """
        network, optimizer = self.network(), self.optimizer.spec()
        slots.check(arrays, network, optimizer, self.optimizer.iterations)
        own = slots.grouped(arrays, network, optimizer)
        sharing.replace([(self, "_slots", own), (self, "_live", None)], "set_slot_arrays")

    def _compiled_loss(self) -> Loss:
        if self.loss is None:
            raise NotBuiltError(
                "call compile(loss=..., optimizer=...) first: there is no loss to train or measure"
            )
        return self.loss
