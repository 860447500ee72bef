"""Graphs whose values have other axes than a matrix has: they are read to what ONNX Runtime computes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.onnx import read_onnx
from tests.compare import assert_within
from tests.formats.onnx.test_refusals import B, W, write

ort = pytest.importorskip("onnxruntime")

RNG = np.random.default_rng(0)
EPS = np.finfo(np.float32).eps


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.onnx"


def numbers(name, *shape):
    """Return a constant in ONNX's text form."""
    values = ", ".join(f"{value:.4f}" for value in RNG.normal(size=shape).ravel())
    return f"float[{','.join(map(str, shape))}] {name} = {{{values}}}"


def sizes(name, *values):
    return f"int64[{len(values)}] {name} = {{{', '.join(map(str, values))}}}"


V, C = numbers("v", 6, 2), numbers("c", 2)
# The inputs in ONNX's text form, the shape that rows have for ONNX Runtime, the nodes and the constants.
READ = {
    "an image": ("float[m,1,2,3] x", (4, 1, 2, 3), "f = Flatten (x) y = MatMul (f, v)", V),
    "a Reshape": (
        "float[m,2,3] x", (4, 2, 3), "f = Reshape (x, s) y = MatMul (f, v)", f"{V}, {sizes('s', -1, 6)}"
    ),
    "a Reshape that keeps the rows": (
        "float[m,2,3] x", (4, 2, 3), "f = Reshape (x, s) y = MatMul (f, v)", f"{V}, {sizes('s', 0, -1)}"
    ),
    "a batch of one": (
        "float[1,2,3] x", (1, 2, 3), "f = Reshape (x, s) y = MatMul (f, v)", f"{V}, {sizes('s', 1, 6)}"
    ),
    "a batch of four": (
        "float[4,2,3] x", (4, 2, 3), "f = Reshape (x, s) y = MatMul (f, v)", f"{V}, {sizes('s', 4, 6)}"
    ),
    "one example in three axes of one": (
        "float[1,1,1,6] x", (1, 1, 1, 6), "z = Sub (x, c) f = Flatten <axis = 1> (z) y = MatMul (f, v)",
        f"{V}, {numbers('c', 1, 1, 1, 6)}",
    ),
    "a product before the axes go": (
        "float[m,1,6] x", (4, 1, 6), "z = MatMul (x, v) r = Relu (z) s = Add (r, c) y = Squeeze (s, i)",
        f"{V}, {numbers('c', 2)}, {sizes('i', 1)}",
    ),
    "a scaling by channels": (
        "float[m,2,3] x", (4, 2, 3), "z = Mul (x, c) d = Div (z, e) f = Flatten (d) y = MatMul (f, v)",
        f"{V}, {numbers('c', 2, 1)}, {numbers('e', 1, 1, 3)}",
    ),
    "a batch normalisation of channels": (
        "float[m,2,3] x", (4, 2, 3),
        "z = BatchNormalization (x, a, b, c, d) f = Flatten (z) y = MatMul (f, v)",
        f"{V}, {numbers('a', 2)}, {numbers('b', 2)}, {numbers('c', 2)}, float[2] d = {{1, 2}}",
    ),
    "channels that move": (
        "float[m,2,3] x", (4, 2, 3),
        "t = Transpose <perm = [0, 2, 1]> (x) f = Flatten (t) y = MatMul (f, v)", V
    ),
    "channels that move before a scaling": (
        "float[m,2,3] x", (4, 2, 3),
        "t = Transpose <perm = [0, 2, 1]> (x) z = Mul (t, c) f = Flatten (z) y = MatMul (f, v)",
        f"{V}, {numbers('c', 3, 2)}",
    ),
    "axes that are 1 and move": (
        "float[m,1,2,3] x", (4, 1, 2, 3),
        "t = Transpose <perm = [0, 2, 3, 1]> (x) f = Flatten (t) y = MatMul (f, v)",
        V,
    ),
    "weights before a column": (
        "float[1,6,1] x", (1, 6, 1),
        "z = MatMul (u, x) a = Add (z, c) r = Relu (a) f = Flatten (r) y = Gemm (f, w)",
        f"{numbers('u', 2, 6)}, {numbers('c', 2, 1)}, {W}",
    ),
    "an example without rows": (
        "float[6] x", (6,), "z = MatMul (x, v) a = Add (z, b) y = Softmax <axis = 0> (a)", f"{V}, {B}"
    ),
    "an example that becomes a row": (
        "float[6] x", (6,), "u = Unsqueeze (x, i) y = Gemm (u, v, b)", f"{V}, {B}, {sizes('i', 0)}"
    ),
    "weights before an example": ("float[6] x", (6,), "z = MatMul (u, x) y = Tanh (z)", numbers("u", 2, 6)),
    "a shape of the input itself": (
        "float[m,2,3] x", (4, 2, 3),
        """d = Sub (x, c) s = Shape (x) n = Gather (s, i) u = Unsqueeze (n, a) t = Concat <axis = 0> (u, r)
        f = Reshape (d, t) y = MatMul (f, v)""",
        f"{V}, float c = {{0.5}}, int64 i = {{0}}, {sizes('a', 0)}, {sizes('r', -1)}",
    ),
    "a shape with an end": (
        "float[m,2,3] x", (4, 2, 3),
        "s = Shape <end = 1> (x) t = Concat <axis = 0> (s, r) f = Reshape (x, t) y = MatMul (f, v)",
        f"{V}, {sizes('r', 6)}",
    ),
    "open sizes that the weights tell": (
        "float[m,c,h] x", (4, 2, 3), "z = Div (x, k) f = Flatten (z) y = Gemm (f, v)",
        f"{V}, float k = {{255}}"
    ),
    "open sizes that a Reshape tells": (
        "float[m,n] x", (4, 6), "z = Mul (x, k) f = Reshape (z, s) y = MatMul (f, v)",
        f"{V}, float k = {{0.5}}, {sizes('s', -1, 6)}",
    ),
    "a column that is squeezed": (
        "float[m,6] x", (4, 6), "z = MatMul (x, v) s = Sigmoid (z) y = Squeeze (s, i)",
        f"{numbers('v', 6, 1)}, {sizes('i', 1)}",
    ),
    "a column that is squeezed without a word": (
        "float[m,6] x", (4, 6), "z = MatMul (x, v) y = Squeeze (z)", numbers("v", 6, 1)
    ),
    "a column that is laid flat": (
        "float[m,6] x", (4, 6), "z = MatMul (x, v) y = Reshape (z, s)",
        f"{numbers('v', 6, 1)}, {sizes('s', -1)}"
    ),
    "a column of one": (
        "float[m,6] x", (4, 6), "z = MatMul (x, v) y = Gather <axis = 1> (z, i)",
        f"{numbers('v', 6, 1)}, int64 i = {{0}}",
    ),
    "a vector for weights": ("float[m,6] x", (4, 6), "y = MatMul (x, v)", numbers("v", 6)),
    "the second of two": (
        "float[m,6] x", (4, 6), "z = MatMul (x, v) s = Softmax (z) y = Gather <axis = 1> (s, i)",
        f"{V}, int64 i = {{1}}",
    ),
    "a stretch of columns": (
        "float[m,6] x", (4, 6), "z = Slice (x, a, e, i) y = Gemm (z, w)",
        f"{W}, {sizes('a', 2)}, {sizes('e', 4)}, {sizes('i', 1)}",
    ),
    "columns behind an activation, backwards": (
        "float[m,6] x", (4, 6), "g = MatMul (x, v) r = Relu (g) z = Slice (r, a, e, i, t) y = MatMul (z, w)",
        f"{V}, {W}, {sizes('a', -1)}, {sizes('e', -2**40)}, {sizes('i', -1)}, {sizes('t', -1)}",
    ),
    "a sum of the columns": (
        "float[m,6] x", (4, 6), "z = MatMul (x, v) r = Tanh (z) y = ReduceSum <keepdims = 0> (r, i)",
        f"{V}, {sizes('i', 1)}",
    ),
    "one part of a split": (
        "float[m,6] x", (4, 6), "p, q, r = Split <axis = 1> (x, s) z = Relu (q) y = MatMul (z, w)",
        f"{W}, {sizes('s', 1, 2, 3)}",
    ),
    "one part of an even split": (
        "float[m,6] x", (4, 6), "p, q, r = Split <axis = -1, num_outputs = 3> (x) y = MatMul (r, w)", W
    ),
    "a stretch up to the middle": (
        "float[m,6] x", (4, 6),
        """z = MatMul (x, v) s = Shape (z) n = Gather (s, i) h = Div (n, two) e = Reshape (h, i)
        y = Slice (z, a, e, i)""",
        f"{V}, {sizes('i', 1)}, {sizes('a', 0)}, int64 two = {{2}}",
    ),
    "columns that are scaled apart": (
        "float[m,6] x", (4, 6),
        """a = ai.onnx.ml.ArrayFeatureExtractor (x, i) b = Sub (a, c) p = Mul (b, d)
        q = Slice (x, s, e, one) z = Concat <axis = 1> (q, p) t = Gemm (z, v) y = Tanh (t)""",
        ", ".join([V, sizes("i", 5, 0), sizes("s", 1), sizes("e", 5), sizes("one", 1), C, numbers("d", 2)]),
    ),
    "a score and its opposite": (
        "float[m,6] x", (4, 6), "z = MatMul (x, v) n = Neg (z) y = Concat <axis = -1> (n, z)",
        numbers("v", 6, 1),
    ),
    "dense layers side by side": (
        "float[m,6] x", (4, 6),
        """a = Gemm (x, v, b) r = Relu (a) p = MatMul (x, u) q = Relu (p) z = Concat <axis = 1> (q, r)
        y = MatMul (z, o)""",
        f"{V}, {B}, {numbers('u', 6, 3)}, {numbers('o', 5, 2)}",
    ),
    "an output of several axes": (
        "float[m,6] x", (4, 6), "z = Gemm (x, v) y = Reshape (z, s)",
        f"{numbers('v', 6, 4)}, {sizes('s', -1, 2, 2)}"
    ),
    "a joint of one": ("float[m,6] x", (4, 6), "z = Concat <axis = 1> (x) y = MatMul (z, v)", V),
    "a softmax that is written out": (
        "float[m,6] x", (4, 6),
        """z = MatMul (x, v) l = ReduceMax (z, i) d = Sub (z, l) e = Exp (d) s = ReduceSum (e, i)
        y = Div (e, s)""",
        f"{V}, {sizes('i', -1)}",
    ),
    "inputs that nobody needs": (
        "float[m,6] x, float[m,2,2,2] q, int64[3] k", (4, 6), "y = MatMul (x, v) p = Relu (q)", V
    ),
    "weights in whole numbers": (
        "float[m,6] x", (4, 6), "d = DequantizeLinear <axis = 1> (q, s, z) y = MatMul (x, d)",
        "int8[6,2] q = {1, -2, 3, 4, 5, -6, 7, 8, 9, 0, -11, 127}, float[2] s = {2, 3}, int8[2] z = {1,-3}",
    ),
    "a product with its activation": (
        "float[m,6] x", (4, 6),
        'y = com.microsoft.FusedGemm <activation = "LeakyRelu", activation_alpha = 0.3, transB = 1> (x,u,b)',
        f"{numbers('u', 2, 6)}, {B}",
    ),
}  # fmt: skip


def run(path, X):
    """Return what ONNX Runtime computes, as the file says it: optimised, it rounds some rows to integers."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = {}
    for one in session.get_inputs():
        kind = np.float32 if "float" in one.type else np.int64
        given[one.name] = np.zeros([size if isinstance(size, int) else 1 for size in one.shape], kind)
    return session.run(["y"], given | {"x": X})[0]


@pytest.mark.parametrize("name", READ)
def test_what_is_read(path, name):
    inputs, shape, nodes, constants = READ[name]
    write(path, nodes, inputs=inputs, outputs="float y", constants=constants)
    X = RNG.normal(size=shape).astype(np.float32)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        model = read_onnx(path)
    rows = X.reshape(len(X) if len(shape) > 1 else 1, -1)
    wanted = run(path, X)
    expected = wanted.reshape(len(rows), -1)
    assert_within(model.predict(rows), expected, 64 * EPS * np.maximum(1, np.abs(expected)))
    assert bool(notes) == (len(shape) > 2 or wanted.ndim > 2)


def test_other_axes_are_said(path):
    write(path, "f = Flatten (x) y = MatMul (f, v)", inputs="float[m,2,3] x", constants=V)
    with pytest.warns(
        FormatWarning, match=r"left out: the shape \(2, 3\) of its inputs, which go in as rows of 6"
    ):
        read_onnx(path)
    write(path, "y = Reshape (x, s)", inputs="float[m,6] x", constants=sizes("s", -1, 2, 3))
    with pytest.warns(
        FormatWarning, match=r"left out: the shape \(2, 3\) of its outputs, which come as rows of 6"
    ):
        read_onnx(path)


REFUSED = {
    "different curves side by side": (
        "float[m,6] x", "a = MatMul (x, v) r = Relu (a) t = Tanh (a) y = Concat <axis = 1> (r, t)", V,
        "more than a scaling of columns, or more than one dense layer each",
    ),
    "a square": ("float[m,6] x", "z = MatMul (x, v) y = Mul (z, z)", V, "with itself"),
    "rows under one another": (
        "float[m,6] x", "n = Neg (x) y = Concat <axis = 0> (n, x)", "", "the joint is along the rows"
    ),
    "rows that become columns": ("float[m,6] x", "t = Transpose (x) y = Relu (t)", "", "rows of the batch"),
    "columns that become rows": (
        "float[m,6] x", "z = Reshape (x, s) y = Relu (z)", sizes("s", -1), "another shape of the rows"
    ),
    "rows put together": (
        "float[m,2,3] x", "y = Reshape (x, s)", sizes("s", -1, 12), "another shape of the rows, .-1, 12"
    ),
    "rows that are chosen": ("float[m,6] x", "y = Gather (x, i)", "int64 i = {0}", "chooses among the rows"),
    "rows that are sliced": (
        "float[m,6] x", "y = Slice (x, a, e)", f"{sizes('a', 0)}, {sizes('e', 1)}", "chooses among the rows"
    ),
    "a product along one of several axes": (
        "float[m,2,3] x", "z = MatMul (x, u) y = Flatten (z)", numbers("u", 3, 2),
        "one of several axes, .*2, 3"
    ),
    "a softmax along one of several axes": (
        "float[m,2,3] x", "z = Softmax (x) y = Flatten (z)", "", "one of several axes"
    ),
    "constants of more axes": ("float[m,6] x", "y = Mul (x, c)", "float[1,1,1] c = {2}", "more axes"),
    "constants of more axes in a curve": (
        "float[m,6] x", "l = Max (x, c) y = Min (l, d)", "float[1,1,1] c = {0}, float d = {6}", "more axes"
    ),
    "a column for every row": (
        "float[1,6] x", "y = Add (x, c)", "float[2,1] c = {1, 2}", "one number per column"
    ),
    "an axis that is not 1": ("float[m,6] x", "y = Squeeze (x, i)", sizes("i", 1), "not all 1"),
    "no columns": (
        "float[m,6] x", "y = Slice (x, a, e, i)", f"{sizes('a', 3)}, {sizes('e', 3)}, {sizes('i', 1)}",
        "no columns"
    ),
    "a shape of a shape": (
        "float[m,6] x", "s = Shape (x) t = Concat <axis = 0> (s, s) y = Reshape (x, t)", "", "another shape"
    ),
    "a matrix that a Gemm does not get": (
        "float[m,1,6] x", "y = Gemm (x, v)", V, r"takes a matrix, but its input has the shape \(\?, 1, 6\)"
    ),
    "the largest of each column": (
        "float[m,6] x", "y = ArgMax <axis = 0> (x)", "", "the choice is along the rows of the batch"
    ),
    "places along one of several axes": (
        "float[m,2,3] x", "y = ArgMax <axis = 1> (x)", "", "the choice is along one of several axes"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(path, name):
    inputs, nodes, constants, words = REFUSED[name]
    write(path, nodes, inputs=inputs, outputs="float y", constants=constants)
    with pytest.raises(FormatError, match=words):
        read_onnx(path)


def test_a_shape_that_doubles(path):
    """A shape of 2**40 axes is not computed."""
    nodes = " ".join(f"s{i + 1} = Concat <axis = 0> (s{i}, s{i})" for i in range(40))
    write(path, f"s0 = Shape (x) {nodes} y = Reshape (x, s40)", inputs="float[m,6] x")
    with pytest.raises(FormatError, match="more than 64 axes"):
        read_onnx(path)


def test_ways_that_branch_again_and_again(path):
    """Followed one by one they would be 2**40."""
    ways = " ".join(
        f"a{i} = Neg (c{i}) b{i} = Abs (c{i}) d{i} = Concat <axis = 1> (a{i}, b{i}, x) "
        f"c{i + 1} = Gemm (d{i}, w{i})"
        for i in range(40)
    )
    weights = ", ".join(numbers(f"w{i}", 18, 6) for i in range(40))
    write(
        path,
        f"c0 = Identity (x) {ways} y = Concat <axis = 1> (c40, x)",
        inputs="float[m,6] x",
        constants=weights,
    )
    with pytest.raises(FormatError, match="branch again and again"):
        read_onnx(path)
