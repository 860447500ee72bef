"""What a callback is, and the list of those that take part in one fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

__all__ = ["Callback", "CallbackList", "Logs", "Moment"]

Logs = dict[str, float]

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end")


class Moment(NamedTuple):
    """Where training stood after an epoch that hooks are called for when it has gone further already.

    Attributes
    ----------
    seconds : float
        When, by `time.perf_counter`: epochs that ran in one call share its time evenly.
    steps : int
        The steps that the optimizer had taken.
    weights : list of array, or None
        As of `Sequential.get_weights`, None unless a callback ``wants_weights``.
    """

    seconds: float
    steps: int
    weights: list[NDArray[Any]] | None


class Callback:
    """Base of the callbacks: override what should be listened to.

    A callback that overrides a batch hook makes training report after every step, which costs time.

    Attributes
    ----------
    model
        The model in training.
    params : dict
        ``epochs``, ``steps`` and ``verbose`` of this fit.
    moment : Moment or None
        None where the model is as the hook's epoch left it: always, unless `certain_epochs` allows more.
    """

    model: Any = None
    params: Mapping[str, Any] = {}
    moment: Moment | None = None
    wants_weights = False
    """Whether `moment` must have the weights of its epoch."""
    runs_last = False
    """Whether the hooks run after those of all other callbacks, whatever the order they were given in."""

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Receive the settings of the fit."""
        self.params = params

    def set_callbacks(self, callbacks: Sequence[Callback]) -> None:
        """Receive all callbacks of this fit."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Run once, before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Run once, after the last epoch; not if training fails."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Run before every epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Run after every epoch with its numbers; what is added to ``logs`` is kept in the history."""

    def certain_epochs(self) -> float:
        """Return how many epochs may run before the hooks of the first are called.

        So many are run in one call, and the hooks called afterwards, with `moment` set. That is right while
        this callback could not end training or change anything before the last of them, whatever their
        numbers. A subclass with hooks of its own hears of every epoch at once unless it says this again.
        """
        return 1

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Run before every step of an epoch, counted from 0."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Run after every step with its loss."""

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Return what must survive for a resumed run to go on as if it had not stopped."""
        return {}

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raise ValueError, naming the field, if `set_state` cannot take this state; change nothing.

        A run that resumes checks everything first, so that a backup that is refused changes nothing. A
        callback without a state takes an empty one only; override this together with `set_state`.
        """
        if state and type(self).set_state is Callback.set_state:
            raise ValueError(f"{type(self).__name__} has no state, but there is {', '.join(sorted(state))}")

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `get_state` gave."""


class CallbackList:
    """The callbacks of one fit, called in order.

    Parameters
    ----------
    callbacks : sequence of Callback
        Those with ``runs_last`` are called after all others.
    model : Sequential
        The model in training, handed to each.
    params : mapping
        ``epochs``, ``steps`` and ``verbose`` of this fit, handed to each.

    Raises
    ------
    TypeError
        One of them is not a `Callback`.
    """

    def __init__(self, callbacks: Sequence[Callback], model: Any, params: Mapping[str, Any]) -> None:
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must be fastdense.callbacks.Callback objects, got {callback!r}")
        self.callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)
            callback.set_callbacks(self.callbacks)
        self.wants_batches = any(
            getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
            for callback in callbacks
            for hook in _BATCH_HOOKS
        )
        self.wants_weights = any(callback.wants_weights for callback in self.callbacks)

    def certain_epochs(self) -> float:
        """Return how many epochs may run before any callback has to hear of the first."""
        if self.wants_batches:
            return 1
        return min(
            (each.certain_epochs() if "certain_epochs" in vars(type(each)) else 1 for each in self.callbacks),
            default=math.inf,
        )

    def stand_at(self, moment: Moment | None) -> None:
        """Tell every callback where training stood at the epoch that hooks are called for next."""
        for callback in self.callbacks:
            callback.moment = moment

    def call(self, hook: str, *arguments: Any) -> None:
        """Call one hook of every callback."""
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)
