"""What the array engine asks of a library beside the functions of the array API standard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from fastdense.array.activations import activate
from fastdense.core.spec import ActivationSpec

__all__ = ["Backend"]


class Backend:
    """A library whose arrays lie in main memory, and whose results are there when a call returns: NumPy.

    ``fastdense.libraries`` derives one for each of the others. A backend holds no data, and what was compiled
    for it is kept under its identity.

    Attributes
    ----------
    name : str
        The engine's.
    xp : namespace
        The library's functions.
    at_once : bool
        Whether Python may branch on a result at no cost. Where it may not, since a device would have to be
        waited for or the function is being compiled, the step is written without a branch.
    block : int
        How many rows predictions take through all layers at a time: the activations of 4096 rows of a hidden
        layer of 100 are 1.6 MB and stay in a processor's second-level cache, while a product is large enough
        to run at speed.
    """

    at_once = True
    block = 4096

    def __init__(self, name: str, xp: Any) -> None:
        self.name = name
        self.xp = xp

    def scope(self) -> AbstractContextManager[Any]:
        """Return the context that the library's functions are called in."""
        return nullcontext()

    def owns(self, values: Any) -> bool:
        """Return True if these are arrays of the library."""
        return hasattr(values, "__array_namespace__")

    def place(self, values: Any, dtype: str | None = None, copy: bool | None = None) -> Any:
        """Return an array of the library on its device; of main memory's, or its own.

        With ``copy`` nothing that is written to ``values`` later is seen in it.
        """
        return self.xp.asarray(values, dtype=None if dtype is None else getattr(self.xp, dtype), copy=copy)

    def fetch(self, array: Any) -> Any:
        """Return an array of the library as callers are handed it."""
        return array

    def fetch_all(self, arrays: Sequence[Any], how: str) -> Any:
        """Return many arrays as one that callers are handed; ``how`` is "stack" or "concat"."""
        return self.fetch(getattr(self.xp, how)(arrays))

    def for_good(self) -> AbstractContextManager[Any]:
        """Return the context in which arrays are made that outlive a caller's tracing."""
        return nullcontext()

    def number(self, value: float, dtype: str) -> Any:
        """Return what a step multiplies arrays of ``dtype`` by."""
        return value

    def take(self, array: Any, rows: Any) -> Any:
        """Return rows of an array on the device, by their numbers in main memory."""
        return self.xp.take(array, self.place(rows), axis=0)

    def pad(self, rows: Any) -> Any:
        """Return rows in main memory, padded if each number of rows is compiled for."""
        return rows

    def curve(self, activation: ActivationSpec, Z: Any) -> Any:
        """Return ``g(Z)``, to be differentiated by the library if it does."""
        return activate(self.xp, activation, Z)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, compiled if the library was asked to."""
        return function
