"""The operators of ai.onnx.ml that a dense network is made of: scikit-learn's scalers and linear models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastdense.errors import FormatError
from fastdense.exchange.onnx.flow import Flow
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import Node

__all__ = ["CLASSICAL"]

_AFTER = {"LOGISTIC": "sigmoid", "NONE": "linear", "SOFTMAX": "softmax"}


def _scaler(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """``(x - offset) * scale``, from scikit-learn's scalers."""
    factor, offset = (
        np.array(node.attributes.get(name) or [default], np.float64)
        for name, default in (("scale", 1.0), ("offset", 0.0))
    )
    flow.scale(flow.by_column(factor), flow.by_column(-offset * factor))


def _weights(node: Node, outputs: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a linear model's weights and bias: in the file, one row per output."""
    coefficients = np.array(node.attributes.get("coefficients") or [], np.float32)
    intercepts = np.array(node.attributes.get("intercepts") or [0.0] * outputs, np.float32)
    if outputs < 1 or coefficients.size % outputs or not coefficients.size or len(intercepts) != outputs:
        raise FormatError(
            f"it has {coefficients.size} coefficients and {len(intercepts)} intercepts for {outputs} outputs"
        )
    return coefficients.reshape(outputs, -1).T, intercepts


def _linear(flow: Flow, W: NDArray[Any], B: NDArray[Any]) -> None:
    if len(flow.shape) != 2:
        raise FormatError(f"it takes a matrix, but its input has the shape {flow.readable()}")
    flow.product(W, B=B)


def _linear_regressor(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """One dense layer, with a sigmoid or a softmax behind it or without."""
    after = node.attributes.get("post_transform", "NONE")
    targets = node.attributes.get("targets", 1)
    if after not in _AFTER or (after != "NONE" and targets == 1):  # ONNX Runtime then leaves it out
        raise FormatError(f"what it does after the product ({after}) is not the activation of a dense layer")
    _linear(flow, *_weights(node, targets))
    flow.activate(_AFTER[after])


def _linear_classifier(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """One dense layer; of two classes there may be the second's weights only."""
    after = node.attributes.get("post_transform", "NONE")
    if after not in _AFTER:
        raise FormatError(f"what it does after the product ({after}) is not the activation of a dense layer")
    classes = node.attributes.get("classlabels_ints") or node.attributes.get("classlabels_strings") or []
    single = len(classes) == 2 and len(node.attributes.get("intercepts") or []) == 1
    W, B = _weights(node, 1 if single else len(classes))
    if not single:
        _linear(flow, W, B)
        flow.activate(_AFTER[after])
    elif after == "SOFTMAX":
        raise FormatError("it has a softmax over the score of one class")
    else:  # the first class gets 1 - z, or 1 - sigmoid(z) = sigmoid(-z)
        first = 1.0 if after == "NONE" else 0.0
        _linear(flow, np.hstack([-W, W]), np.array([first - B[0], B[0]], np.float32))
        flow.activate(_AFTER[after])


def _normalizer(graph: Graph, flow: Flow, node: Node, source: str) -> None:
    """Nothing, if the numbers of a row add up to 1 as probabilities do."""
    if node.attributes.get("norm", "MAX") != "L1" or not flow.adds_up_to_one():
        raise FormatError(
            "it divides each row by the row's own norm, which no layer here does, except for probabilities "
            "that add up to 1 anyway"
        )


CLASSICAL: dict[str, Callable[[Graph, Flow, Node, str], None]] = {
    "ai.onnx.ml.LinearClassifier": _linear_classifier,
    "ai.onnx.ml.LinearRegressor": _linear_regressor,
    "ai.onnx.ml.Normalizer": _normalizer,
    "ai.onnx.ml.Scaler": _scaler,
}
"""What each operator appends."""
