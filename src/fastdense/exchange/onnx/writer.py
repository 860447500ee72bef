"""Write a network as a graph of ONNX operators."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import chain
from typing import Any, assert_never

import numpy as np

from fastdense._version import __version__
from fastdense.core import files
from fastdense.core.checks import one_of
from fastdense.core.curves import CURVES
from fastdense.core.spec.lowering import (
    BlendColumns,
    Curve,
    Dropout,
    LeakColumns,
    LookUpColumns,
    NormalizeRows,
    PeriodicColumns,
    Primitive,
    Product,
    ScaleColumns,
    Softmax,
    StandardizeColumns,
    tables,
)
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.onnx.nodes import Nodes
from fastdense.exchange.onnx.preprocessing import NUMBERS, TEXTS, features, own_units

__all__ = ["serialized", "write", "write_mean"]

# The first operator set with Gelu, and the format's version that belongs to it: ONNX Runtime 1.18 and later.
_OPERATOR_SET, _IR_VERSION = 20, 10


def write(
    content: Content, path: str | os.PathLike[str], *, table: bool = False, dtype: str | None = None
) -> None:
    """Write a network; see `fastdense.formats.onnx.write_onnx`."""
    _write([content], path, table, dtype)


def write_mean(
    contents: Sequence[Content], path: str | os.PathLike[str], *, dtype: str | None = None
) -> None:
    """Write the mean of the outputs of networks that have the same inputs and outputs, as one graph."""
    _write(contents, path, False, dtype)


def _write(contents: Sequence[Content], path: str | os.PathLike[str], table: bool, dtype: str | None) -> None:
    if not os.fspath(path).lower().endswith(".onnx"):
        raise FormatError(f"an ONNX file's name ends in .onnx, got {os.fspath(path)!r}")
    kind = one_of("dtype", dtype or contents[0].dtype, ("float32", "float64"))
    # protobuf ends the process if memory runs out: it holds arrays as bytes, in two messages and serialised.
    count = sum(content.count_params() for content in contents)
    files.require_memory(files.ROOM + 5 * count * np.dtype(kind).itemsize)
    data = serialized(contents, table, kind)
    with files.atomic_file(path) as file:
        file.write(data)


def serialized(contents: Sequence[Content], table: bool, dtype: str) -> bytes:
    """Return a network, with its table if asked for, or the mean of several as the bytes of an ONNX model."""
    try:
        from onnx import helper
    except ModuleNotFoundError:
        raise ImportError(
            "writing ONNX files needs the package onnx: pip install 'fastdense[onnx]'"
        ) from None

    network, nodes = contents[0].network, Nodes()
    own: Any = contents[0].table
    value, inputs, output_dtype, metadata = "X", [("X", dtype, network.n_in)], dtype, {}
    if table:
        value, numbers, texts = features(nodes, own, dtype)
        raw = [(NUMBERS, "float64", numbers, "columns"), (TEXTS, "str", texts, "texts")]
        inputs = [(name, kind, len(columns)) for name, kind, columns, _ in raw if columns]
        metadata = {key: json.dumps(columns) for _, _, columns, key in raw if columns}
    value = _mean(nodes, [_outputs(nodes, content, value, dtype) for content in contents], dtype)
    if table and own.task == "regress":
        value, output_dtype = own_units(nodes, own.target, value), "float64"
    elif table and own.task == "classify":
        metadata["classes"] = json.dumps(list(own.classes))
    nodes.protos.append(helper.make_node("Identity", [value], ["Y"], name="output"))
    *sources, output = (_matrix(*each) for each in (*inputs, ("Y", output_dtype, network.n_out)))
    graph = helper.make_graph(nodes.protos, contents[0].name, sources, [output], nodes.constants)
    return _model(graph, metadata)


def _outputs(nodes: Nodes, content: Content, value: str, dtype: str) -> str:
    """Add a network and return its output's name."""
    for primitive in chain.from_iterable(content.primitives):
        value = _added(nodes, primitive, value, dtype)
    return value


def _mean(nodes: Nodes, values: Sequence[str], dtype: str) -> str:
    """Add the mean of some values; ONNX Runtime's Mean is float32's alone."""
    if len(values) == 1:
        return values[0]
    return nodes.add("Div", nodes.add("Sum", *values), nodes.constant(np.array(len(values), dtype), "count"))


def _matrix(name: str, dtype: str, columns: int) -> Any:
    """Return the declaration of an input or output of shape ("rows", columns)."""
    from onnx import helper

    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, element, ["rows", columns])


def _model(graph: Any, metadata: dict[str, str]) -> bytes:
    from onnx import helper

    proto = helper.make_model(
        graph,
        producer_name="fastdense",
        producer_version=__version__,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPERATOR_SET)],
    )
    helper.set_model_props(proto, metadata)
    content: bytes = proto.SerializeToString()
    return content


def _added(nodes: Nodes, primitive: Primitive, value: str, dtype: str) -> str:
    """Add a primitive and return its output's name; dropout adds nothing."""
    match primitive:
        case Product():
            weights = [np.asarray(a, dtype) for a in (primitive.W, primitive.B) if a is not None]
            return nodes.add("Gemm", value, *map(nodes.constant, weights, ("W", "B")))
        case StandardizeColumns():
            return _standardized(nodes, primitive, value, dtype)
        case NormalizeRows(gamma, beta, epsilon, columns):
            scale = nodes.constant(np.asarray(np.ones(columns) if gamma is None else gamma, dtype), "gamma")
            shift = [] if beta is None else [nodes.constant(np.asarray(beta, dtype), "beta")]
            return nodes.add("LayerNormalization", value, scale, *shift, axis=-1, epsilon=epsilon)
        case PeriodicColumns():
            return _periodic(nodes, primitive, value, dtype)
        case LookUpColumns():
            return _looked_up(nodes, primitive, value, dtype)
        case LeakColumns() | ScaleColumns() | BlendColumns():
            return _by_columns(nodes, primitive, value, dtype)
        case Curve():
            return _curve(nodes, primitive, value, dtype)
        case Softmax(groups):
            return _softmax(nodes, groups, value)
        case Dropout():
            return value
        case _:
            assert_never(primitive)


def _standardized(nodes: Nodes, primitive: StandardizeColumns, value: str, dtype: str) -> str:
    """Add ``(x - mean) / deviation``, with the part of a mean that float32 has no digits for after it.

    Near a large mean ``x - mean`` is exact, so that the two differences are as good as one in float64.
    """
    near, spread = primitive.mean.astype(dtype), primitive.deviation.astype(dtype)
    rest = (primitive.mean - near).astype(dtype)
    value = nodes.add("Sub", value, nodes.constant(near, "mean"))
    if (np.abs(rest) > np.finfo(dtype).eps * spread).any():
        value = nodes.add("Sub", value, nodes.constant(rest, "mean"))
    return nodes.add("Div", value, nodes.constant(spread, "deviation"))


def _periodic(nodes: Nodes, primitive: PeriodicColumns, value: str, dtype: str) -> str:
    """Add the sums over cosines of the first columns, and the columns; the axes are rows, columns, numbers.

    A cosine is the sine of a quarter of a turn more: ONNX Runtime's Cos is float32's alone.
    """
    columns, width = primitive.missing.shape
    arrays = {
        "frequency": 2 * np.pi * np.asarray(primitive.frequency, np.float64),
        "phase": np.asarray(primitive.phase, np.float64) + np.pi / 2,
        "kernel": primitive.kernel,
        "bias": primitive.bias,
        "missing": primitive.missing,
        "zero": np.zeros(()),
    }
    constants = {name: nodes.constant(np.asarray(array, dtype), name) for name, array in arrays.items()}
    first, rest = value, []
    if primitive.passed:
        widths = nodes.constant(np.array([columns, primitive.passed]), "widths")
        first, *rest = nodes.add_several("Split", value, widths, outputs=2, axis=-1)
    first = nodes.add("Unsqueeze", first, nodes.constant(np.array([2]), "axes"))
    is_missing = nodes.add("IsNaN", first)
    x = nodes.add("Where", is_missing, constants["zero"], first)
    angles = nodes.add("Add", nodes.add("Mul", x, constants["frequency"]), constants["phase"])
    by_column = nodes.add("Transpose", nodes.add("Sin", angles), perm=[1, 0, 2])
    sums = nodes.add("Transpose", nodes.add("MatMul", by_column, constants["kernel"]), perm=[1, 0, 2])
    embedded = nodes.add("Concat", nodes.add("Add", sums, constants["bias"]), x, axis=-1)
    embedded = nodes.add("Where", is_missing, constants["missing"], embedded)
    flat = nodes.add("Reshape", embedded, nodes.constant(np.array([-1, columns * width]), "width"))
    return nodes.add("Concat", flat, *rest, axis=-1) if rest else flat


def _looked_up(nodes: Nodes, primitive: LookUpColumns, value: str, dtype: str) -> str:
    """Add the columns that pass, and beside them the rows of a table.

    A number is cast only if it is in range: what becomes of others, such as NaN, is not defined.
    """
    passed, columns = primitive.passed, len(primitive.sizes)
    parts: list[str] = []
    if passed:
        widths = nodes.constant(np.array([passed, columns]), "widths")
        first, value = nodes.add_several("Split", value, widths, outputs=2, axis=-1)
        parts.append(first)
    zero, sizes = (nodes.constant(np.array(a, dtype), "sizes") for a in (0, primitive.sizes))
    is_in_range = nodes.add("And", nodes.add("GreaterOrEqual", value, zero), nodes.add("Less", value, sizes))
    value = nodes.add("Where", is_in_range, value, zero)
    whole = nodes.cast(value, "int64")
    is_whole = nodes.add("Equal", nodes.cast(whole, dtype), value)
    categories = nodes.add("Where", is_whole, whole, nodes.constant(np.array(0), "category"))
    starts = np.array([table.start for table in tables(primitive.sizes)])
    rows = nodes.add("Add", categories, nodes.constant(starts, "tables"))
    embeddings = nodes.constant(np.asarray(primitive.embeddings, dtype), "embeddings")
    width = nodes.constant(np.array([-1, columns * primitive.width]), "width")
    parts.append(nodes.add("Reshape", nodes.add("Gather", embeddings, rows, axis=0), width))
    return parts[0] if len(parts) == 1 else nodes.add("Concat", *parts, axis=-1)


def _by_columns(
    nodes: Nodes, primitive: LeakColumns | ScaleColumns | BlendColumns, value: str, dtype: str
) -> str:
    match primitive:
        case LeakColumns(slopes):
            return nodes.add("PRelu", value, nodes.constant(slopes.astype(dtype), "slope"))
        case ScaleColumns(factors):
            return nodes.add("Mul", value, nodes.constant(factors.astype(dtype), "scale"))
        case BlendColumns(shares, g):  # not x + alpha * (g(x) - x), in which a small g(x) loses digits
            alpha = shares.astype(dtype)
            activated = nodes.add("Mul", _curve(nodes, g, value, dtype), nodes.constant(alpha, "alpha"))
            return nodes.add("Add", nodes.add("Mul", value, nodes.constant(1 - alpha, "rest")), activated)


def _softmax(nodes: Nodes, groups: tuple[int, ...], value: str) -> str:
    if len(groups) < 2:
        return nodes.add("Softmax", value, axis=-1)
    sizes = nodes.constant(np.array(groups), "groups")
    parts = nodes.add_several("Split", value, sizes, outputs=len(groups), axis=-1)
    return nodes.add("Concat", *[nodes.add("Softmax", part, axis=-1) for part in parts], axis=-1)


def _curve(nodes: Nodes, g: Curve, value: str, dtype: str) -> str:
    match g.name:
        case "relu6":
            limits = [nodes.constant(np.array(limit, dtype), "limit") for limit in (0.0, 6.0)]
            return nodes.add("Clip", value, *limits)
        case "celu" if dtype == "float64":  # the operator is float32's alone
            alpha = nodes.constant(np.array(g.alpha, dtype), "alpha")
            return nodes.add("Mul", nodes.add("Elu", nodes.add("Div", value, alpha)), alpha)
        case "silu":
            return nodes.add("Mul", value, nodes.add("Sigmoid", value))
    curve = CURVES[g.name]
    assert curve.onnx is not None, f"{g.name} is one operator"
    return nodes.add(curve.onnx.name, value, **curve.settings(curve.onnx, g.alpha))
