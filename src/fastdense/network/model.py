"""A network with its training: compile, fit, evaluate, predict, under Keras' names."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Literal

import numpy as np

from fastdense import losses, optimizers
from fastdense import metrics as measured
from fastdense.callbacks import Callback, CallbackList, History
from fastdense.core import sharing
from fastdense.core.arrays import Array
from fastdense.core.spec import SGDSpec, TrainingSpec
from fastdense.engines.jobs import alone
from fastdense.network.summary import html_summary, text_summary
from fastdense.network.trained import Trained, required
from fastdense.training import loop, steps
from fastdense.training.accepted import accept, check_rows
from fastdense.training.data import Data, Given, prepare, weigh_classes
from fastdense.training.measuring import Metrics, measure
from fastdense.training.options import Options
from fastdense.training.progress import Verbose, display_for, show
from fastdense.training.run import Run
from fastdense.training.state import Training

__all__ = ["Model"]

_PLAIN = SGDSpec()  # of a program that only measures: it keeps no arrays


class Model(Trained):
    """A network with Keras' methods; `fastdense.Sequential` adds files and what explains it.

    Attributes
    ----------
    stop_training : bool
        A callback sets it to end `fit` after the epoch.
    next_epoch : int
        The epoch that `fit` is at, or would go on with.
    history : History or None
        The history of the last `fit`.
    run : Run or None
        What the last `fit` was asked to do. It keeps ``validation_data`` from being freed, or without them
        ``x`` and ``y``, as they were given: set it to None to let go of them.
    """

    history: History | None = None
    run: Run | None = None
    stop_training = False
    next_epoch = 0

    def compile(
        self,
        optimizer: object = "rmsprop",
        loss: object = None,
        metrics: Sequence[object] | None = None,
        weighted_metrics: Sequence[object] | None = None,
        **accepted: Any,
    ) -> None:
        """Choose how to train; a state left by earlier training of the optimizer is dropped.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str or Loss
        metrics : sequence of str, Metric or function ``f(y_true, y_pred)``, optional
            "accuracy" is the one of its three forms that fits the loss. A list of one list, that of the only
            output, is taken as in Keras.
        weighted_metrics : the same, optional
            These weigh rows by ``sample_weight`` and ``class_weight``, as the loss does.
        **accepted
            Keras' arguments that change no number: ``run_eagerly``, ``jit_compile`` and others.

        Raises
        ------
        ValueError, TypeError
            A name or object is not one of fastdense's; nothing is changed.
        BusyError
            The model is training, in another thread or around a callback; nothing is changed.
        """
        accept("compile", accepted)
        if loss is None:
            known = ", ".join(losses.FAMILY.names())
            raise ValueError(f"compile needs a loss, such as loss='mean_squared_error'; known: {known}")
        chosen, trainer = losses.get(loss), optimizers.get(optimizer)
        plain, weighted = _listed("metrics", metrics), _listed("weighted_metrics", weighted_metrics)
        measured.check([*plain, *weighted])
        new = Training(chosen, trainer, plain, weighted)
        changes = [(self, "_training", new), *trainer.belonging_to(self)]
        self._replace_training(changes, "compile", within=False)

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbose = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        **accepted: Any,
    ) -> History:
        """Train.

        Parameters
        ----------
        x : array-like of shape (m, n_in)
            One example per row; never modified, and not copied if it is C-contiguous and of the model's
            dtype. Other real dtypes are converted to it. An array of the engine's own library stays on its
            device.
        y : array-like of shape (m, n_out), or (m,) for one output or class numbers
        batch_size : int, optional
            Rows per step, 32 if None; the last batch of an epoch may be smaller.
        epochs : int
            The number of the epoch to end before; times through the rows, where training starts at 0.
        verbose : "auto", 0, 1 or 2
            0 is silent, 1 and "auto" show a bar (lines without a terminal), 2 a line per epoch.
        callbacks : Callback or sequence of them, optional
        validation_split : float
            The fraction of rows, taken from the end before any shuffling, to validate on.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
            Takes precedence over ``validation_split``.
        shuffle : bool
            Take the rows in a new order every epoch.
        class_weight : mapping of class number to weight, optional
            For the rows to train on only: those of the validation keep their weights.
        sample_weight : array-like of shape (m,), optional
            Both given, their product counts.
        initial_epoch : int
            The epoch to start at, from 0.
        **accepted
            Keras' arguments at values that change no number, such as ``validation_freq=1``.

        Returns
        -------
        History
            Every epoch's numbers, in its ``history``.

        Raises
        ------
        ShapeError, DtypeError, NonFiniteError, ValueError
            The data cannot be trained on; nothing has been.
        NonFiniteLossError
            The loss became NaN or infinite; the model keeps its last good weights.
        KeyboardInterrupt
            Ctrl-C was pressed; the model keeps the weights of the last whole step. Epochs of the call that it
            came in, a tenth of a second or so, count in ``next_epoch`` but are not in the history.
        BusyError
            The model is training already, in another thread or around a callback; nothing is changed.
        """
        check_rows("fit", x, y)
        accept("fit", accepted)
        options = Options.of(batch_size, epochs, verbose, callbacks, shuffle, initial_epoch)
        rows = Given(x, y, sample_weight, validation_data, validation_split, class_weight)
        held = Lock()
        with held:
            sharing.claim(held, [self, *self.layers], "fit")
            training = required(self._training)
            fit, history = self.new_fit(*rows.to_train(self, training.loss.spec()), options)
            self.run = Run.of(self, training, fit, rows, options.callbacks)
            alone(loop.run(self, fit))
            self.run = self.run.ended(options.callbacks)
        return history

    def new_fit(self, data: Data, held_out: Data | None, options: Options) -> tuple[loop.Fit, History]:
        """Return a fit to checked rows, and its history; its callbacks know the model now.

        Raises
        ------
        FormatError
            A backup is not of this run; nothing is changed.
        """
        metrics, display = self._metrics(required(self._training)), display_for(options.verbose)
        steps, history = -(-len(data) // options.batch_size), History()
        params = {"epochs": options.epochs, "steps": steps, "verbose": options.verbose}
        listeners = CallbackList([*options.callbacks, history], self, params)
        self.next_epoch, self.stop_training, self.history = options.initial_epoch, False, history
        fit = loop.Fit(data, held_out, options, metrics, listeners, display)
        return fit, history

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: Any = None,
        return_dict: bool = False,
        **accepted: Any,
    ) -> float | list[float] | dict[str, float]:
        """Return the loss, and the metrics after it if there are any, as in prediction.

        Parameters
        ----------
        x, y, sample_weight : array-like
            As in `fit`.
        batch_size : int, optional
            Without effect: rows are computed in blocks of the engine's choice.
        verbose : "auto", 0, 1 or 2
            0 is silent, the others print a line.
        return_dict : bool
            Return numbers by name.
        **accepted
            Keras' ``steps`` and ``callbacks``: only None.
        """
        check_rows("evaluate", x, y)
        accept("evaluate", accepted)
        display_for(verbose)
        asked = required(self._training).loss.spec()
        if not self.built:
            prepare(self, asked, x, y, sample_weight)  # decides the widths
        now, chosen, _ = self.state()  # all that is measured is of one moment
        training = required(chosen)
        spec = TrainingSpec(training.loss.spec(), _PLAIN, self.seed)
        data = prepare(self, spec.loss, x, y, sample_weight)
        program = self._programs.get("evaluate", (*now.made_from, spec), lambda: now.program(spec))
        with np.errstate(all="ignore"):
            logs = measure(self, program, data, self._metrics(training, apart=True))
        if verbose:
            show(logs)
        return _results(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        out: Any = None,
        **accepted: Any,
    ) -> Array:
        """Return the network's outputs.

        Parameters
        ----------
        x : array-like of shape (m, n_in)
            As in `fit`; NaN is let through to the outputs of its row.
        batch_size, verbose
            Without effect; accepted for scripts that give them.
        out : array of shape (m, n_out) and the model's dtype, optional
            Where to write the outputs.
        **accepted
            Keras' ``steps`` and ``callbacks``: only None.

        Returns
        -------
        array of shape (m, n_out), the model's dtype
            An array of the engine's library on its device if ``x`` is one, of NumPy otherwise.
        """
        if accepted:
            accept("predict", accepted)
        return self.predictor()(x, out)

    predict_on_batch = predict

    def __call__(self, x: Any, *arguments: Any, out: Any = None, **accepted: Any) -> Array:
        """Return what `predict` returns; ``training`` and ``mask`` only as in prediction."""
        if arguments or accepted:
            accept("a model's call", dict(zip(("training", "mask"), arguments, strict=False)) | accepted)
        return self.predictor()(x, out)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Take one step on all the given rows and return their loss and metrics from before it.

        Raises
        ------
        BusyError
            The model is training, in another thread or around a callback; nothing is changed.
        """
        held = Lock()
        check_rows("train_on_batch", x, y)
        with held:
            sharing.claim(held, [self, *self.layers], "train_on_batch")
            training = required(self._training)
            loss = training.loss.spec()
            data = weigh_classes(prepare(self, loss, x, y, sample_weight), loss, class_weight, self.dtype)
            with np.errstate(all="ignore"):
                logs = steps.train_once(self, data, self._metrics(training))
        return _results(logs, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> float | list[float] | dict[str, float]:
        """Return what `evaluate` returns, silently."""
        return self.evaluate(x, y, verbose=0, sample_weight=sample_weight, return_dict=return_dict)

    @property
    def compiled_metrics(self) -> tuple[Sequence[object], Sequence[object]]:
        """The metrics and the weighted metrics as `compile` was given them."""
        training = self._training
        return ((), ()) if training is None else (training.metrics, training.weighted_metrics)

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns."""
        return ["loss", *self._metrics(required(self._training)).names]

    def mode_of(self, monitor: str) -> Literal["min", "max"] | None:
        """Return whether a number of an epoch should be small or large, None if its metric has no mode."""
        name = monitor.removeprefix("val_")
        return "min" if name == "loss" else self._metrics(required(self._training)).modes().get(name)

    def _metrics(self, training: Training, apart: bool = False) -> Metrics:
        """Return the metrics for this network; ``apart``: copies of those that `compile` was given."""
        loss, n_out = training.loss.spec(), self.output_shape[1]
        given = (training.metrics, training.weighted_metrics)
        given = copy.deepcopy(given) if apart else given
        return Metrics(*(measured.resolve(each, loss, n_out) for each in given))

    def summary(self, print_fn: Any = None, **accepted: Any) -> None:
        """Print the layers with their shapes and parameter counts.

        Parameters
        ----------
        print_fn : callable, optional
            What the text is given to; None prints it.
        **accepted
            Keras' arguments about the look, such as ``line_length``: without effect.
        """
        accept("summary", accepted)
        (print if print_fn is None else print_fn)(
            text_summary(self.name, self._n_in, self.layers, self._bytes())
        )

    def __repr__(self) -> str:
        start = [] if self._n_in is None else [f"Input(({self._n_in},))"]
        inside = ", ".join([*start, *map(repr, self._layers)])
        dtype = "" if self.dtype == "float32" else f", dtype={self.dtype!r}"
        return f"Sequential([{inside}], name={self.name!r}, seed={self.seed}{dtype})"

    def _repr_html_(self) -> str:
        return html_summary(self.name, self._n_in, self.layers, self._bytes())

    def _bytes(self) -> int:
        return np.dtype(self.dtype).itemsize


def _listed(name: str, identifiers: Sequence[object] | None) -> list[object]:
    if not isinstance(identifiers, list | tuple | None):
        raise TypeError(f"{name} must be a list, such as ['accuracy'], got {identifiers!r}")
    found = list(identifiers or ())
    return list(found[0]) if len(found) == 1 and isinstance(found[0], list | tuple) else found


def _results(logs: dict[str, float], return_dict: bool) -> float | list[float] | dict[str, float]:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
