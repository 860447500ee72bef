"""One row's way through a network, and the gradient's way back, as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Matrix", "Passes", "Step"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """One layer's part of the way, all arrays in float64.

    Attributes
    ----------
    number : int
        From 1.
    name : str
    kind : {"dense", "activation", "normalization", "dropout"}
    activation : str
        "linear" if it has none.
    settings : str
        The activation's, as further arguments of a call: ", alpha=0.2"; "" if it has none.
    A_in, Z, A_out : arrays of shape (1, n)
    W : array of shape (n_in, n_units), or None
    B : array of shape (1, n_units), or None
    mean, deviation : arrays of shape (1, n), or None
        Of a normalization, whose ``Z`` is ``(A_in - mean) / deviation``.
    dA_out, dZ, dA_in : arrays of shape (1, n), or None
        How fast the loss changes with each; None without a target.
    dW, dB : arrays as W and B, or None
    """

    number: int
    name: str
    kind: str
    activation: str
    A_in: Matrix
    Z: Matrix
    A_out: Matrix
    settings: str = ""
    W: Matrix | None = None
    B: Matrix | None = None
    mean: Matrix | None = None
    deviation: Matrix | None = None
    dA_out: Matrix | None = None
    dZ: Matrix | None = None
    dW: Matrix | None = None
    dB: Matrix | None = None
    dA_in: Matrix | None = None


@dataclass(frozen=True)
class Passes:
    """One row forward, and back if there is a target.

    Attributes
    ----------
    model : str
        Its name.
    X : array of shape (1, n_in)
    features : tuple of str
        The names of the columns of X, if the model has a table.
    steps : tuple of Step
    outputs : tuple of str
        The names of the outputs: the labels of classes, if the model has a table.
    Y : array of shape (1, n_out), or None
        The target: a one in a class's column if the loss takes class numbers.
    loss_name : str or None
    loss_settings : str
        As further arguments of a call: ", label_smoothing=0.1".
    loss : float or None
        With the penalties.
    penalty : float
        The part of it that the layers' regularizers ask for.
    answer : str
        The prediction in the target column's own units, and the right one, if a table has a quantity.
    """

    model: str
    X: Matrix
    features: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...] = ()
    Y: Matrix | None = None
    loss_name: str | None = None
    loss_settings: str = ""
    loss: float | None = None
    penalty: float = 0.0
    answer: str = ""

    @property
    def prediction(self) -> Matrix:
        """The network's output, of shape (1, n_out)."""
        return self.steps[-1].A_out if self.steps else self.X
