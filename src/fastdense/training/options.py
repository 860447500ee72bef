"""How long a fit trains, in what batches and order, and who hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from fastdense.callbacks import Callback
from fastdense.core.checks import flag, whole
from fastdense.training.progress import Verbose, display_for

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """The arguments of `fit` that are not about rows, checked."""

    batch_size: int
    epochs: int
    initial_epoch: int
    shuffle: bool
    verbose: Verbose
    callbacks: Sequence[Callback]

    @classmethod
    def of(
        cls,
        batch_size: Any = None,
        epochs: Any = 1,
        verbose: Verbose = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
        shuffle: Any = True,
        initial_epoch: Any = 0,
    ) -> Self:
        """Check the arguments.

        Raises
        ------
        ValueError, TypeError
            One of them is not what `fit` takes.
        """
        size = whole("batch_size", 32 if batch_size is None else batch_size, 1)
        counts = whole("epochs", epochs), whole("initial_epoch", initial_epoch)
        shuffle = flag("shuffle", shuffle)
        display_for(verbose)
        listening = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        return cls(size, *counts, shuffle, verbose, listening)
