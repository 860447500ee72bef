"""What a user has to know of a model that was read: what was left out, and what goes in and comes out."""

from __future__ import annotations

import math
from collections import Counter

from fastdense.core.notes import note
from fastdense.exchange.keras.flow import Flow, in_words
from fastdense.exchange.keras.layers import for_training
from fastdense.exchange.keras.topology import Layer, name_of

__all__ = ["Remarks"]


class Remarks:
    """The layers of a model that has been read so far, for their names and what is left out of them.

    Parameters
    ----------
    shape : tuple of int, optional
        Of one example of the input.
    """

    def __init__(self, shape: tuple[int, ...] | None) -> None:
        self._left_out = [] if shape is None or len(shape) == 1 else [_axes(shape, "inputs", "go in")]
        self._calls: Counter[int] = Counter()
        self._shared: dict[int, str] = {}
        self._names: Counter[str] = Counter()  # how often each has been met, or given

    def add(self, layer: Layer) -> str | None:
        """Take note of a layer, and return the name that it gets: its own with a number if that is taken."""
        name = name_of(layer)
        if not self._calls[id(layer)]:
            self._left_out += [f"{what} of {name!r}" for what in for_training(layer)]
        else:
            self._shared[id(layer)] = name
        self._calls[id(layer)] += 1
        free = name
        while self._names[free]:
            free = f"{name}_{self._names[name]}"
            self._names[name] += 1
        self._names[free] += 1
        return free or None

    def add_input(self, layer: Layer) -> None:
        """Take note of an input whose numbers Keras turns into integers."""
        dtype = str(layer["config"].get("dtype"))
        if "int" in dtype or dtype == "bool":
            self._left_out.append(f"that Keras turns its inputs into {dtype}")

    def publish(self, path: str, flow: Flow) -> None:
        """Warn the user of everything that the network does not have, once it has been read."""
        shape = flow.shape or ()
        left_out = list(self._left_out)
        if len(shape) > 1:
            left_out.append(_axes(shape, "outputs", "come out"))
        if flow.logarithms:
            left_out.append("the logarithm at its end: what comes out are a softmax's probabilities")
        left_out += [
            f"that {self._calls[key]} layers are one, {name!r}, whose weights training now tells apart"
            for key, name in self._shared.items()
        ]
        if left_out:
            note(f"{path}: left out: {', '.join(left_out)}")


def _axes(shape: tuple[int, ...], what: str, how: str) -> str:
    return f"the shape {in_words(shape)} of its {what}, which {how} as rows of {math.prod(shape)} numbers"
