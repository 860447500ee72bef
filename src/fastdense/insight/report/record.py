"""What a report says of a run, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from fastdense.engines.machine import Info
from fastdense.training.outcomes import Outcome

__all__ = ["LayerShown", "Measured", "RunRecord", "Speed"]


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast the model trained, and how fast it predicts now.

    Attributes
    ----------
    seconds : float
        Of all epochs: the sum of ``History.seconds``.
    rows_per_second : float
        Rows trained on, in that time.
    gflops : float
        Multiply-adds of the layers forward and back, each counted as two, in that time.
    percent_of_peak : float or None
        Of all cores' peak in the model's dtype, measured now; None if another library computes.
    one_row : float
        Seconds of a call of ``predict`` with one row, measured now.
    many : int
        The rows of another call.
    of_many : float
        Its seconds per row.
    """

    seconds: float
    rows_per_second: float
    gflops: float
    percent_of_peak: float | None
    one_row: float
    many: int
    of_many: float


@dataclass(frozen=True, kw_only=True)
class LayerShown:
    """One layer, as the network is drawn.

    Attributes
    ----------
    name, kind : str
    units : int
    activation : str
        "linear" if it has none.
    W : array of shape (n_in, n_units), or None
    """

    name: str
    kind: str
    units: int
    activation: str
    W: NDArray[Any] | None


@dataclass(frozen=True)
class Measured:
    """A model's outcomes on some rows.

    Attributes
    ----------
    rows : str
        Which rows.
    outcomes : tuple of `fastdense.training.outcomes.Classified` or `Regressed`
    """

    rows: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A training run.

    Attributes
    ----------
    model : str
        Its name.
    engine : str
    started : str
        When the run did, in universal time.
    history : dict of str to list of float
        Every epoch's numbers.
    epochs : tuple of int
        The epochs' numbers, from 1.
    asked : int
        The epoch to end with, as `fit` was given.
    kept : int or None
        The epoch, from 1, that `EarlyStopping` went back to; None if the last one's weights stayed.
    rates : tuple of float
        The learning rate at each epoch's start, if a schedule decides it.
    rows, held_out, steps : int
        Rows trained on and validated on; steps per epoch.
    measured : str
        Which rows the outcomes are of.
    outcomes : tuple of `fastdense.training.outcomes.Classified` or `Regressed`
    n_in : int
    features : tuple of str
        The names of the columns of X, if the model has a table.
    layers : tuple of LayerShown
    summary : str
        The layers as a table, in HTML.
    speed : Speed
    machine : Info
    code : str
        What repeats the run.
    notes : tuple of str
        What a reader should know of it.
    tested : int
        Rows held out for a test, 0 if none.
    chosen : Measured or None
        The outcomes on the rows that chose the epoch, if there is a test beside them.
    """

    model: str
    engine: str
    started: str
    history: dict[str, list[float]]
    epochs: tuple[int, ...]
    asked: int
    kept: int | None
    rates: tuple[float, ...]
    rows: int
    held_out: int
    steps: int
    measured: str
    outcomes: tuple[Outcome, ...]
    n_in: int
    features: tuple[str, ...]
    layers: tuple[LayerShown, ...]
    summary: str
    speed: Speed
    machine: Info
    code: str
    notes: tuple[str, ...]
    tested: int = 0
    chosen: Measured | None = None
