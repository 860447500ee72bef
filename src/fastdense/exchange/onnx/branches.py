"""Several ways from one value to a Concat: columns that are scaled apart, or dense layers side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastdense.errors import FormatError
from fastdense.exchange.onnx.flow import Flow
from fastdense.layers import Dense

__all__ = ["join"]


def join(flow: Flow, branches: Sequence[Flow], axis: int) -> None:
    """Append the columns of some branches, one branch after the other.

    Raises
    ------
    FormatError
        The branches are neither all scalings of columns nor all one dense layer with the same activation.
    """
    place = flow.check_columns_axis(axis, "the joint")
    for branch in branches:
        if branch.check_columns_axis(axis, "the joint") != place or branch.logarithms:
            raise FormatError("its branches are not columns of the same rows")
    if all(branch.scaling() is not None for branch in branches):
        _join_scalings(flow, branches)
    else:
        _join_layers(flow, branches)
    flow.shape = (
        *flow.shape[:place],
        sum(branch.shape[place] for branch in branches),
        *flow.shape[place + 1 :],
    )


def _join_scalings(flow: Flow, branches: Sequence[Flow]) -> None:
    """Append columns that are chosen and scaled: at once if each column is chosen once at most."""
    parts = [part for branch in branches if (part := branch.scaling()) is not None]
    columns, factor, shift = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    width = flow.columns or 0
    if len(np.unique(columns)) == len(columns):
        both = np.ones(width), np.zeros(width)
        both[0][columns], both[1][columns] = factor, shift
        flow.scale(*both)
        if not np.array_equal(columns, np.arange(width)):
            flow.choose(columns)
        return
    W = np.zeros((width, len(columns)))
    W[columns, np.arange(len(columns))] = factor
    flow.dense(W, shift)


def _join_layers(flow: Flow, branches: Sequence[Flow]) -> None:
    """Append dense layers as one."""
    layers = [branch.only_layer() for branch in branches]
    curves = {str(layer[0].activation.get_config()) for layer in layers if layer is not None}
    if None in layers or len(curves) != 1:
        raise FormatError(
            "what it puts side by side is more than a scaling of columns, or more than one dense layer each "
            "with the same activation"
        )
    found = [layer for layer in layers if layer is not None]
    activation = found[0][0].activation
    if activation.name == "softmax":
        raise FormatError("it puts softmaxes side by side")
    weights = [W for _, W, _ in found]
    biases = [np.zeros(W.shape[1], W.dtype) if B is None else B for _, W, B in found]
    flow.dense(np.hstack(weights), np.hstack(biases), Dense(sum(W.shape[1] for W in weights)))
    flow.activate(activation)
