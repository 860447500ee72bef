"""How a fit shows its progress: a bar in a terminal or notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

from fastdense.core.printable import printable

__all__ = ["Display", "Verbose", "display_for", "format_logs", "is_interactive", "show"]

Verbose = Literal["auto", 0, 1, 2]


class Display:
    """What the training loop reports its progress to; this one shows nothing."""

    shown: ClassVar[bool] = False
    """Whether anything is shown, so that the loop should report often."""
    live: ClassVar[bool] = False
    """Whether progress within an epoch is shown."""

    def epoch_begin(self, epoch: int, epochs: int, steps: int) -> None:
        """Be called when an epoch starts; ``epoch`` counts from 0."""

    def advance(self, steps: int) -> None:
        """Be called after every ``steps`` steps."""

    def epoch_end(self, logs: Mapping[str, float], seconds: float) -> None:
        """Be called when the epoch is over, which took so long."""

    def close(self) -> None:
        """Be called when training is over, or failed."""


def display_for(verbose: Verbose) -> Display:
    """Return the display for a ``verbose`` argument.

    0 shows nothing and 2 a line per epoch; 1 and "auto" show a bar in a terminal or notebook if rich is
    installed, and lines elsewhere.

    Raises
    ------
    ValueError
        ``verbose`` is none of these.
    """
    if isinstance(verbose, bool) or verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
    if verbose == 0:
        return Display()
    if verbose != 2 and is_interactive() and find_spec("rich") is not None:
        return Bar()
    return Lines()


def format_logs(logs: Mapping[str, float]) -> str:
    """Return the numbers of an epoch as one line.

    Examples
    --------
    >>> format_logs({"loss": 0.25, "accuracy": 0.96, "val_loss": 0.00001234})
    'loss: 0.2500 - accuracy: 0.9600 - val_loss: 1.2340e-05'
    """
    return " - ".join(f"{printable(name)}: {_format(value)}" for name, value in logs.items())


def show(logs: Mapping[str, float]) -> None:
    """Print the numbers of an evaluation."""
    print(format_logs(logs))


class Lines(Display):
    """Prints a line per epoch."""

    shown = True

    def epoch_begin(self, epoch: int, epochs: int, steps: int) -> None:
        """Remember the epoch's number."""
        self._title = f"Epoch {epoch + 1}/{epochs}"

    def epoch_end(self, logs: Mapping[str, float], seconds: float) -> None:
        """Print the epoch's line."""
        print(f"{self._title} - {seconds:.2f}s - {format_logs(logs)}", flush=True)


class Bar(Display):
    """Shows one bar for all epochs, with the epoch's steps and numbers beside it."""

    shown = live = True

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns: tuple[Any, ...] = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[numbers]}", markup=False),  # "acc[/5%]" is a name
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns)
        self._task: Any = None

    def epoch_begin(self, epoch: int, epochs: int, steps: int) -> None:
        """Show the epoch's number."""
        title = f"Epoch {epoch + 1}/{epochs}"
        if self._task is None:
            self._progress.start()
            done, total = epoch * steps, epochs * steps
            self._task = self._progress.add_task(title, total=total, completed=done, numbers="")
        self._progress.update(self._task, description=title)

    def advance(self, steps: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, advance=steps)

    def epoch_end(self, logs: Mapping[str, float], seconds: float) -> None:
        """Show the epoch's numbers, which stay until the next epoch ends."""
        self._progress.update(self._task, numbers=format_logs(logs))

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._task is not None:
            self._progress.stop()


def is_interactive() -> bool:
    """Return True if standard output is a terminal or a notebook's cell."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return sys.stdout.isatty() or type(shell).__name__ == "ZMQInteractiveShell"


def _format(value: float) -> str:
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.4e}"
