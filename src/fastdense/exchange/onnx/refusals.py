"""What is known not to be a dense network's, each with the reason in words."""

from __future__ import annotations

from collections.abc import Iterable

from fastdense.errors import FormatError
from fastdense.exchange.onnx.operations import Node

__all__ = ["check_known"]

_REASONS = {
    (
        "the model is quantised: its numbers are rounded to whole ones while it computes, which no network "
        "here does; read the model that it was made of"
    ): (
        "ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv",
        "QLinearMatMul", "QuantizeLinear", "com.microsoft.DequantizeLinear",
        "com.microsoft.DynamicQuantizeMatMul", "com.microsoft.MatMulIntegerToFloat",
        "com.microsoft.MatMulNBits", "com.microsoft.QGemm", "com.microsoft.QLinearAdd",
        "com.microsoft.QLinearSigmoid", "com.microsoft.QuantizeLinear",
    ),
    "a convolution is not a dense layer": ("Conv", "ConvTranspose", "com.microsoft.FusedConv"),
    "pooling is not a dense layer": ("AveragePool", "GlobalAveragePool", "MaxPool"),
    "a recurrent layer is not a dense one": ("GRU", "LSTM", "RNN"),
    "it scales each row by the row's own mean and spread, which no layer here does": (
        "GroupNormalization", "InstanceNormalization", "RMSNormalization",
    ),
    "decision trees are not a dense network": (
        "ai.onnx.ml.TreeEnsemble", "ai.onnx.ml.TreeEnsembleClassifier", "ai.onnx.ml.TreeEnsembleRegressor",
    ),
    "a support vector machine is not a dense network": (
        "ai.onnx.ml.SVMClassifier", "ai.onnx.ml.SVMRegressor",
    ),
    "it fills in missing values, which no layer here does: leave it out, and fill them in before": (
        "ai.onnx.ml.Imputer",
    ),
    "the place of the largest number is read only at the end, as a label, and along the columns": ("ArgMax",),
}  # fmt: skip
_REASON_OF = {op: reason for reason, ops in _REASONS.items() for op in ops}


def check_known(nodes: Iterable[Node]) -> None:
    """Raise FormatError for the first node that is known not to be a dense network's, with the reason."""
    for node in nodes:
        if node.op in _REASON_OF:
            raise FormatError(f"{node}: {_REASON_OF[node.op]}")
