"""Candidates that are functions: each builds a compiled model for some parameters, and is fitted to rows."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.callbacks import History
from fastdense.callbacks.resumed import Resumed, arrays_of, description_of
from fastdense.core import sharing
from fastdense.engines.jobs import Fitting
from fastdense.layers import Normalization
from fastdense.network.model import Model
from fastdense.training.data import split_at
from fastdense.training.loop import Course
from fastdense.training.options import Options
from fastdense.training.sample import Sample

__all__ = ["FunctionTrial", "goodness"]

Rows = NDArray[np.int64]
_ABOUT_ROWS = ("validation_data", "validation_split", "class_weight")


class FunctionTrial:
    """A model that a function builds, being fitted to some rows of a sample; it can pause after any epoch.

    It comes to the bits of ``build(**parameters)`` and then ``fit(X[train], y[train], **fit_options)``, for
    any number of pauses. If ``adapt`` is True the fit is preceded by ``layers[0].adapt``.

    Parameters
    ----------
    build : callable
        Returns a new compiled `fastdense.Sequential` for the parameters as its keyword arguments. Give the
        model a seed, or every trial has its own.
    parameters : mapping of str to value
    sample : Sample
    train : int64 array
        The numbers of the rows to fit to.
    fit_options : mapping of str to value
        Arguments of `fastdense.Sequential.fit`: ``epochs``, ``batch_size``, ``callbacks``, ``shuffle``,
        ``validation_split``, ``validation_data`` and ``class_weight``. Callbacks are copied for every trial.
    metric : str
        What `score` measures: "loss" or the name of one of the model's metrics.
    adapt : bool
        Let a `fastdense.layers.Normalization` that comes first take its statistics from the rows that the
        model trains on, and no others: neither those held out of the sample nor those for the validation.

    Examples
    --------
    >>> import numpy as np
    >>> import fastdense as fd
    >>> from fastdense.engines.jobs import together
    >>> from fastdense.search.functions import FunctionTrial
    >>> from fastdense.training.sample import Sample
    >>> def build(units):
    ...     model = fd.Sequential([fd.Input((1,)), fd.Dense(units, "tanh"), fd.Dense(1)], seed=0)
    ...     model.compile("adam", "mean_squared_error")
    ...     return model
    >>> X = np.linspace(0, 1, 30)[:, np.newaxis]
    >>> sample, rows = Sample(X, X**2), np.arange(30)
    >>> trials = [FunctionTrial(build, {"units": n}, sample, rows, {"epochs": 20}) for n in (4, 8)]
    >>> ended = list(together(trial.go_on() for trial in trials))
    >>> [trial.epochs for trial in trials]
    [20, 20]
    """

    def __init__(
        self,
        build: Callable[..., Model],
        parameters: Mapping[str, Any],
        sample: Sample,
        train: Rows,
        fit_options: Mapping[str, Any] | None = None,
        metric: str = "loss",
        adapt: bool = False,
    ) -> None:
        self._build, self._parameters = build, dict(parameters)
        self._sample, self._train = sample, np.asarray(train, np.int64)
        given = dict(fit_options or {})
        self._about_rows = {name: given.pop(name) for name in _ABOUT_ROWS if name in given}
        self._options = Options.of(**{"verbose": 0, **given})
        self._metric, self._adapts = metric, adapt
        self._course: Course | None = None
        self._history = History()
        self._finished = False

    @property
    def epochs(self) -> int:
        """The epochs trained so far."""
        return 0 if self._course is None else self._course.model.next_epoch

    @property
    def ended(self) -> bool:
        """Whether a callback stopped it, or it has as many epochs as ``fit_options`` says."""
        course = self._course
        return course is not None and (course.model.stop_training or self.epochs >= self._options.epochs)

    @property
    def losses(self) -> list[float]:
        """The training loss of every epoch."""
        return self._numbers("loss")

    @property
    def validation(self) -> list[float]:
        """The metric of the validation rows after every epoch, as the history has it, if there are any."""
        return self._numbers(f"val_{self._metric}")

    def go_on(self, epochs: int | None = None) -> Fitting[None]:
        """Train until ``epochs`` in all, or to its own end.

        Raises
        ------
        NonFiniteLossError
            The loss became NaN or infinite.
        Exception
            What ``build`` or the callbacks raise, and what `fit` does of these rows.
        """
        course = self._course or self._start()
        most = self._options.epochs
        held = Lock()
        with held:
            sharing.claim(held, [course.model, *course.model.layers], "fit")
            yield from course.go_on(most if epochs is None else min(epochs, most))
        if self.ended and not self._finished:
            self._finished = True
            course.end()

    def fitted(self) -> Any:
        """Return the model: of a trial that can go on, a copy as if it had ended here."""
        course = self._so_far()
        if self._finished:
            return course.model
        model: Any = copy.copy(course.model)
        for callback in map(copy.copy, course.fit.callbacks.callbacks):
            callback.set_model(model)
            callback.on_train_end({})
            if isinstance(callback, History):
                callback.set_state(callback.get_state())  # lists of its own
                model.history = callback
        return model

    def score(self, rows: Rows, scorer: Callable[[Any, Any, Any], float] | None = None) -> float:
        """Return how good the model is on rows of the sample; a large number is good.

        Parameters
        ----------
        rows : int64 array
        scorer : callable, optional
            It is given the model, the rows and their targets. Without one it is the metric that `evaluate`
            gives, with the opposite sign if small numbers of it are good, as those of a loss are.

        Raises
        ------
        ValueError
            The model has no metric of that name, or nothing says whether small or large numbers are good.
        """
        model, (X, y) = self.fitted(), self._sample.part(rows)
        if scorer is not None:
            return float(scorer(model, X, y))
        return goodness(model, self._metric, X, y)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the arrays, and the values that JSON can hold, that going on needs."""
        course = self._so_far()
        if not self.epochs:
            return {}, {}
        model, callbacks = course.model, course.fit.callbacks.callbacks
        values = {**description_of(model, callbacks, model.next_epoch), "finished": self._finished}
        return arrays_of(model, callbacks), values

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Take back what `state` returned: training goes on as if it had never paused.

        Raises
        ------
        FormatError
            It is the state of another model, of other callbacks or of another seed.
        """
        course = self._start()
        if not values:
            return
        fields = dict(values)
        self._finished = bool(fields.pop("finished"))
        callbacks = course.fit.callbacks.callbacks
        resumed = Resumed.of("the trial's state", fields, arrays, course.model, callbacks)
        resumed.restore(course.model, callbacks)

    def _start(self) -> Course:
        """Build the model and begin its fit."""
        model: Any = self._build(**self._parameters)
        loss = model.loss if isinstance(model, Model) else None
        if loss is None:
            raise TypeError(f"the function must return a compiled Sequential, got {model!r:.200}")
        if self._adapts:
            self._adapt(model)
        data = self._sample.to_train(model, loss.spec(), self._train, **self._about_rows)
        own = replace(self._options, callbacks=copy.deepcopy(self._options.callbacks))
        fit, self._history = model.new_fit(*data, own)
        self._course = Course(model, fit)
        self._course.begin()
        return self._course

    def _adapt(self, model: Model) -> None:
        first = model.layers[0]
        if not isinstance(first, Normalization):
            raise ValueError(f"adapt=True is for a model that starts with a Normalization, not {first!r}")
        rows = self._train
        if self._about_rows.get("validation_data") is None:
            rows = rows[: split_at(len(rows), self._about_rows.get("validation_split", 0.0))]
        first.adapt(self._sample.part(rows)[0])

    def _so_far(self) -> Course:
        if self._course is None:
            raise ValueError("the trial has not begun: run its go_on() first")
        return self._course

    def _numbers(self, name: str) -> list[float]:
        return self._history.history.get(name, [])


def goodness(model: Any, metric: str, X: Any, y: Any, sample_weight: Any = None) -> float:
    """Return what `evaluate` gives by a name, with the opposite sign if small numbers of it are good.

    Raises
    ------
    ValueError
        The model has no metric of that name, or nothing says whether small or large numbers are good.
    """
    found = model.evaluate(X, y, sample_weight=sample_weight, verbose=0, return_dict=True)
    if metric not in found:
        raise ValueError(f"there is no metric {metric!r}, but {', '.join(found)}")
    mode = model.mode_of(metric)
    if mode is None:
        raise ValueError(f"is a small or a large {metric!r} good? give a scorer that says it")
    return float(found[metric]) * (1.0 if mode == "max" else -1.0)
