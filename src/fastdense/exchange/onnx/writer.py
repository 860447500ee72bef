"""Writing: a network as a graph of ONNX's operators."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from fastdense._version import __version__
from fastdense.core import files
from fastdense.core.checks import one_of
from fastdense.core.curves import CURVES
from fastdense.core.spec import (
    ActivateSpec,
    ActivationSpec,
    DenseSpec,
    DropoutSpec,
    LayerSpec,
    ScaleSpec,
    group_slices,
)
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.onnx.nodes import Nodes
from fastdense.exchange.onnx.preprocessing import NUMBERS, TEXTS, features, own_units

__all__ = ["write"]

Array = NDArray[Any]

# The first operator set with Gelu, and the format's version that belongs to it: ONNX Runtime 1.18 and later.
_OPERATOR_SET, _IR_VERSION = 20, 10


def write(
    content: Content, path: str | os.PathLike[str], *, table: bool = False, dtype: str | None = None
) -> None:
    """Write a network; see `fastdense.formats.onnx.write_onnx`."""
    if not os.fspath(path).lower().endswith(".onnx"):
        raise FormatError(f"an ONNX file's name ends in .onnx, got {os.fspath(path)!r}")
    kind = one_of("dtype", dtype or content.dtype, ("float32", "float64"))
    # protobuf ends the process if memory runs out: it holds arrays as bytes, in two messages and serialised.
    files.require_memory(files.ROOM + 5 * content.count_params() * np.dtype(kind).itemsize)
    data = _model(content, table, kind).SerializeToString()
    with files.atomic_file(path) as file:
        file.write(data)


def _model(content: Content, table: bool, dtype: str) -> Any:
    try:
        from onnx import helper
    except ModuleNotFoundError:
        raise ImportError(
            "writing ONNX files needs the package onnx: pip install 'fastdense[onnx]'"
        ) from None

    network, nodes = content.network, Nodes()
    own: Any = content.table
    value, inputs, output_dtype, metadata = "X", [("X", dtype, network.n_in)], dtype, {}
    if table:
        value, numbers, texts = features(nodes, own, dtype)
        raw = [(NUMBERS, "float64", numbers, "columns"), (TEXTS, "str", texts, "texts")]
        inputs = [(name, kind, len(columns)) for name, kind, columns, _ in raw if columns]
        metadata = {key: json.dumps(columns) for _, _, columns, key in raw if columns}
    for layer, arrays in zip(network.layers, content.parameters, strict=True):
        value = _layer(nodes, layer, arrays, value, dtype)
    if table and own.task == "regress":
        value, output_dtype = own_units(nodes, own.target, value), "float64"
    elif table and own.task == "classify":
        metadata["classes"] = json.dumps(list(own.classes))
    nodes.protos.append(helper.make_node("Identity", [value], ["Y"], name="output"))
    ends = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), ["rows", columns]
        )
        for name, kind, columns in (*inputs, ("Y", output_dtype, network.n_out))
    ]
    graph = helper.make_graph(nodes.protos, content.name, ends[:-1], ends[-1:], nodes.constants)
    proto = helper.make_model(
        graph,
        producer_name="fastdense",
        producer_version=__version__,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPERATOR_SET)],
    )
    helper.set_model_props(proto, metadata)
    return proto


def _layer(nodes: Nodes, layer: LayerSpec, arrays: Sequence[Array], value: str, dtype: str) -> str:
    """Add a layer and return its output's name; dropout adds nothing."""
    match layer:
        case DenseSpec():
            weights = [np.asarray(array, dtype) for array in arrays]
            value = nodes.add("Gemm", value, *map(nodes.constant, weights, ("W", "B")))
            return _activation(nodes, layer.activation, layer.n_units, value, dtype)
        case ScaleSpec():
            mean, deviation = arrays
            return _scaled(nodes, mean, deviation, value, dtype)
        case ActivateSpec():
            return _activation(nodes, layer.activation, layer.n_units, value, dtype)
        case DropoutSpec():
            return value
        case _:
            assert_never(layer)


def _scaled(nodes: Nodes, mean: Array, deviation: Array, value: str, dtype: str) -> str:
    """Add ``(x - mean) / deviation``, with the part of a mean that float32 has no digits for after it.

    Near a large mean ``x - mean`` is exact, so that the two differences are as good as one in float64.
    """
    near, spread = mean.astype(dtype), deviation.astype(dtype)
    rest = (mean - near).astype(dtype)
    value = nodes.add("Sub", value, nodes.constant(near, "mean"))
    if (np.abs(rest) > np.finfo(dtype).eps * spread).any():
        value = nodes.add("Sub", value, nodes.constant(rest, "mean"))
    return nodes.add("Div", value, nodes.constant(spread, "deviation"))


def _activation(nodes: Nodes, g: ActivationSpec, columns: int, value: str, dtype: str) -> str:
    groups = group_slices(g, columns)
    if len(groups) > 1:
        sizes = nodes.constant(np.array([group.stop - group.start for group in groups]), "groups")
        parts = nodes.add_several("Split", value, sizes, outputs=len(groups), axis=-1)
        return nodes.add("Concat", *[nodes.add("Softmax", part, axis=-1) for part in parts], axis=-1)
    match g.name:
        case "linear":
            return value
        case "relu6":
            limits = [nodes.constant(np.array(limit, dtype), "limit") for limit in (0.0, 6.0)]
            return nodes.add("Clip", value, *limits)
        case "silu":
            return nodes.add("Mul", value, nodes.add("Sigmoid", value))
    curve = CURVES[g.name]
    assert curve.onnx is not None, f"{g.name} is one operator"
    return nodes.add(curve.onnx.name, value, **curve.settings(curve.onnx, g.alpha))
