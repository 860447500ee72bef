"""One row's way through a network, and the gradient's way back, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec.lowering import Primitive

__all__ = ["Matrix", "Passes", "Step"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """What one layer does to the row, all arrays in float64.

    Attributes
    ----------
    number : int
        From 1.
    name : str
    kind : str
        "dense", "activation", "normalization" or "dropout", say.
    primitives : tuple of Primitive
        What it computes, with its arrays.
    activation : str
        "linear" if it has none.
    settings : str
        Those of the activation, as further arguments of a call: ", alpha=0.2"; "" if it has none.
    A_in, Z, A_out : arrays of shape (1, n)
    W : array of shape (n_in, n_units), or None
    B : array of shape (1, n_units), or None
        The arrays of a step that is a product, ``Z = A_in @ W + B``, with its activation.
    mean, deviation : arrays of shape (1, n), or None
        The arrays of a normalization, whose ``Z`` is ``(A_in - mean) / deviation``.
    dA_out, dZ, dA_in : arrays of shape (1, n), or None
        The gradient of the loss with respect to each; None without a target.
    gradients : mapping of str to array
        That of each trained array, a vector as a row; `dW` and `dB` are those of "kernel" and "bias".
    """

    number: int
    name: str
    kind: str
    primitives: tuple[Primitive, ...]
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
    dA_in: Matrix | None = None
    gradients: Mapping[str, Matrix] = field(default_factory=dict)

    @property
    def dW(self) -> Matrix | None:
        """The gradient of `W`."""
        return self.gradients.get("kernel")

    @property
    def dB(self) -> Matrix | None:
        """The gradient of `B`."""
        return self.gradients.get("bias")


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
        Those of the loss, as further arguments of a call: ", label_smoothing=0.1".
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
