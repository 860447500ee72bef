"""A backup on its way back into a run: all of it is checked before anything is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks.base import Callback
from fastdense.callbacks.history import History
from fastdense.callbacks.state import names
from fastdense.callbacks.state import weights as check_weights
from fastdense.core import files
from fastdense.core.checks import flag, number, whole
from fastdense.engines import slots
from fastdense.errors import FormatError
from fastdense.optimizers import MOST_STEPS

__all__ = ["FORMAT", "Resumed", "arrays_of", "description_of"]

FORMAT = {"format": "fastdense backup", "version": 3}
Arrays = dict[str, NDArray[Any]]
# Slots that hold means or sums of squares.
_SQUARES = ("v", "velocity", "accumulator")


def description_of(model: Any, callbacks: Sequence[Callback], next_epoch: int) -> dict[str, Any]:
    """Return what a backup states beside its arrays."""
    rate = model.optimizer.learning_rate
    return {
        "next_epoch": next_epoch,
        "iterations": model.optimizer.iterations,
        "stop_training": model.stop_training,
        "seed": model.seed,
        "learning_rate": None if callable(rate) else rate,
        "model": f"{model.network()}, {model.loss.spec()}, {model.optimizer.spec()}",
        "callbacks": [type(callback).__name__ for callback in callbacks],
    }


def arrays_of(model: Any, callbacks: Sequence[Callback]) -> Arrays:
    """Return a backup's arrays: the weights, the optimizer's and those of the callbacks."""
    arrays = {f"weights/{i}": w for i, w in enumerate(model.weights)}
    arrays |= model.slot_arrays()
    for i, callback in enumerate(callbacks):
        arrays |= {f"callbacks/{i}/{key}": value for key, value in callback.get_state().items()}
    return arrays


class Resumed(NamedTuple):
    """A backup that fits a run.

    Attributes
    ----------
    path : path-like
    fields : dict
        As of `description_of`.
    weights : list of array
    slots : dict of str to array
    states : list of dict of str to array
        One per callback.
    """

    path: str | os.PathLike[str]
    fields: dict[str, Any]
    weights: list[NDArray[Any]]
    slots: Arrays
    states: list[Arrays]

    @classmethod
    def read(cls, path: str | os.PathLike[str], model: Any, callbacks: Sequence[Callback]) -> Self:
        """Return the backup at a path; it changes nothing.

        Raises
        ------
        FormatError
            It is damaged, or does not fit this model, these callbacks or the model's own seed.
        OSError
            It cannot be opened.
        """
        description, arrays = files.read(path)
        if any(description.get(key) != value for key, value in FORMAT.items()):
            raise FormatError(f"{path} is not a backup of this version of fastdense")
        fields = {key: value for key, value in description.items() if key not in FORMAT}
        return cls.of(path, fields, arrays, model, callbacks)

    @classmethod
    def of(
        cls,
        path: str | os.PathLike[str],
        fields: dict[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        model: Any,
        callbacks: Sequence[Callback],
    ) -> Self:
        """Return what `description_of` and `arrays_of` came to, checked; messages name it as ``path``.

        Raises
        ------
        FormatError
            As `read`.
        """
        _check_fields(path, fields, model, callbacks)
        of_weights, of_slots = _under(arrays, "weights/"), _under(arrays, "slots/")
        of_slots = {f"slots/{name}": array for name, array in of_slots.items()}
        states = [_under(arrays, f"callbacks/{i}/") for i in range(len(callbacks))]
        if len(of_weights) + len(of_slots) + sum(map(len, states)) != len(arrays):
            raise FormatError(f"{path} holds arrays of neither the weights, the optimizer nor a callback")
        with _field(path, "weights"):
            check_weights(of_weights, model)
        with _field(path, "slots"):
            _check_slots(of_slots, model, fields["iterations"])
        for i, (callback, state) in enumerate(zip(callbacks, states, strict=True)):
            with _field(path, _name(i, callback), Exception):
                callback.check_state(state)
                if isinstance(callback, History):
                    _check_history(state, fields)
        return cls(path, fields, [of_weights[str(i)] for i in range(len(of_weights))], of_slots, states)

    def restore(self, model: Any, callbacks: Sequence[Callback]) -> None:
        """Give a model and callbacks the state of the backup: all of it, or none.

        Raises
        ------
        FormatError
            A callback that does not check its state did not take it.
        """
        before = [
            (each, each.__dict__.copy()) for each in (model, model.optimizer, *model.layers, *callbacks)
        ]
        # Those that checked their state come last: they may change files, and the others may fail.
        unchecked_first = sorted(
            range(len(callbacks)), key=lambda i: type(callbacks[i]).check_state is not Callback.check_state
        )
        try:
            self._restore_model(model)
            for i in unchecked_first:
                with _field(self.path, _name(i, callbacks[i]), Exception):
                    callbacks[i].set_state(self.states[i])
        except BaseException:
            for each, attributes in before:
                each.__dict__.clear()
                each.__dict__.update(attributes)
            raise

    def _restore_model(self, model: Any) -> None:
        fields = self.fields
        with _field(self.path, "weights"):
            model.set_weights(self.weights)
        if model.seed == model.drawn_seed:
            model.drawn_seed = fields["seed"]
        model.seed, model.optimizer.iterations = fields["seed"], fields["iterations"]
        model.set_slot_arrays(self.slots)
        if fields["learning_rate"] is not None:
            model.optimizer.learning_rate = fields["learning_rate"]
        model.next_epoch, model.stop_training = fields["next_epoch"], fields["stop_training"]


@contextmanager
def _field(path: object, name: str, errors: Any = (ValueError, TypeError)) -> Iterator[None]:
    """Turn what a check raises of a field into a FormatError that names it and the file."""
    try:
        yield
    except OSError:
        raise
    except errors as error:
        raise FormatError(f"{path}: {name} is not of this run: {error}") from error


def _name(i: int, callback: Callback) -> str:
    return f"callbacks/{i} ({type(callback).__name__})"


def _check_fields(path: object, fields: Mapping[str, Any], model: Any, callbacks: Sequence[Callback]) -> None:
    own = description_of(model, callbacks, 1)
    with _field(path, "its description"):
        names(fields, own)
    made, present = fields["callbacks"], own["callbacks"]
    if made != present:
        raise FormatError(
            f"{path} was made with the callbacks {made!s:.200}, not {present}: start with the same ones, or "
            "remove it to start again"
        )
    if fields["model"] != own["model"]:
        raise FormatError(
            f"{path} is a backup of another model, {fields['model']!s:.500}: remove it to start again"
        )
    with _field(path, "a field"):
        whole("next_epoch", fields["next_epoch"], 1)
        whole("iterations", fields["iterations"], 0, MOST_STEPS)
        flag("stop_training", fields["stop_training"])
        whole("seed", fields["seed"], 0, 2**64 - 1)
        rate = fields["learning_rate"]
        if (rate is None) != (own["learning_rate"] is None):
            raise ValueError(
                f"learning_rate is {rate!s:.100}, the optimizer's {model.optimizer.learning_rate!r:.100}"
            )
        if rate is not None:
            number("learning_rate", rate, minimum=0.0)
    if fields["seed"] != model.seed != model.drawn_seed:
        raise FormatError(
            f"{path} was made with seed={fields['seed']}, but the model was given seed={model.seed}: give it "
            "the backup's seed or none, or remove the file to start again"
        )


def _check_slots(arrays: Arrays, model: Any, iterations: int) -> None:
    slots.check(arrays, model.network(), model.optimizer.spec(), iterations)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite numbers")
        if name.rpartition("/")[2] in _SQUARES and (array < 0).any():
            raise ValueError(f"{name} holds squares, but some are below 0")


def _check_history(state: Arrays, fields: Mapping[str, Any]) -> None:
    """Raise ValueError unless the history ends where the run is to go on."""
    if not len(state["epoch"]) or state["epoch"][-1] + 1 != fields["next_epoch"]:
        raise ValueError(f"next_epoch is {fields['next_epoch']}, but the epochs are {state['epoch']!s:.100}")
    steps = int(state["begun"][-1]) + int(state["steps"][-1])
    if steps != fields["iterations"]:
        raise ValueError(f"iterations is {fields['iterations']}, but the last epoch ends at step {steps}")


def _under(arrays: Mapping[str, NDArray[Any]], head: str) -> Arrays:
    return {name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)}
