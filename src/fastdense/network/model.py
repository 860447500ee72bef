"""Layers one after another, with their training."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fastdense.layers import Input, Layer
from fastdense.network.stack import Stack
from fastdense.network.summary import html_summary, text_summary
from fastdense.training.accepted import accept
from fastdense.training.trainer import Trainer

__all__ = ["Model"]

_LEFT_OUT = dict.fromkeys(("_compiled", "_live", "_measuring", "run"))
"""What a copy does not take over: compiled programs, which are made again, and the rows of the last fit."""


class Model(Stack, Trainer):
    """A stack of layers that can be trained; `fastdense.Sequential` adds files and what explains it."""

    def add(self, layer: Layer | Input) -> None:
        """Append a layer; it is built at once where its input's width is known."""
        super().add(layer)
        self.forget_training()

    def pop(self) -> Layer:
        """Remove and return the last layer."""
        layer = super().pop()
        self.forget_training()
        return layer

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the compiled programs, which are made again, and the last fit's rows.

        The layers and the optimizer follow on their own, and training may replace what they hold meanwhile:
        all of it as it is at one moment goes with the model.
        """
        state = self.state()
        return {**self.__dict__, **state.settings, **_LEFT_OUT, "_slots": state.slots, "_state": state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave, the layers' weights and the steps all of one moment."""
        moment = state.pop("_state", None)
        self.__dict__.update(state)
        if moment is not None:
            self.rewind(moment)

    def __copy__(self) -> Model:
        """Return an independent model with the weights of now; it shares arrays: nothing writes to them."""
        new, state = type(self).__new__(type(self)), self.state()
        new.__dict__.update({**self.__dict__, **state.settings, **_LEFT_OUT})
        new._layers = [copy.copy(layer) for layer in state.moment.layers]
        if new.loss is not None:
            new.optimizer = copy.copy(new.optimizer)
        new.rewind(state)
        return new

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
