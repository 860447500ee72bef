"""What is in an ONNX file and not a dense network, or not in order, is refused by name; the rest is read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.onnx import read_onnx
from tests.compare import assert_within

onnx = pytest.importorskip("onnx")

X = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.onnx"


def write(path, nodes, *, inputs="float[m, 2] x", outputs="float[m, n] y", constants="", version=20):
    """Write a graph given in ONNX's own text form."""
    text = f"""<ir_version: 9, opset_import: ["" : {version}, "ai.onnx.ml" : 3]>
    net ({inputs}) => ({outputs}) <{constants}> {{ {nodes} }}"""
    path.write_bytes(onnx.parser.parse_model(text).SerializeToString())
    return path


W = "float[2,2] w = {1, 2, 3, 4}"
B = "float[2] b = {0.5, -0.5}"
w, b = np.array([[1, 2], [3, 4]], np.float32), np.array([0.5, -0.5], np.float32)

READ = {
    "every attribute of Gemm": (
        "y = Gemm <alpha: float = 2.0, beta: float = 3.0, transB: int = 1> (x, w, b)", f"{W}, {B}",
        lambda x: 2 * x @ w.T + 3 * b,
    ),
    "a bias that is one number": ("y = Gemm (x, w, c)", f"{W}, float[1] c = {{5}}", lambda x: x @ w + 5),
    "a product and a sum": ("z = MatMul (x, w) y = Add (b, z)", f"{W}, {B}", lambda x: x @ w + b),
    "transposed weights": ("t = Transpose <perm = [1, 0]> (w) y = MatMul (x, t)", W, lambda x: x @ w.T),
    "weights computed from weights": (
        "two = Constant <value_float: float = 2.0> () v = Mul (w, two) s = Sub (v, w) y = MatMul (x, s)", W,
        lambda x: x @ w,
    ),
    "a constant less the rows": ("z = Sub (b, x) y = MatMul (z, w)", f"{W}, {B}", lambda x: (b - x) @ w),
    "a quotient": ("z = Div (x, b) y = MatMul (z, w)", f"{W}, {B}", lambda x: x / b @ w),
    "negative numbers": ("z = Neg (x) r = Relu (z) y = MatMul (r, w)", W, lambda x: np.maximum(-x, 0) @ w),
    "limits on both sides": (
        "y = Clip (x, l, h)", "float l = {-0.5}, float h = {0.25}", lambda x: np.clip(x, -0.5, 0.25)
    ),
    "a lower limit": ("y = Clip (x, l)", "float l = {-0.5}", lambda x: np.maximum(x, -0.5)),
    "an upper limit": ("y = Clip (x, , h)", "float h = {0.5}", lambda x: np.minimum(x, 0.5)),
    "ReLU6 of two limits": (
        "z = Max (x, l) y = Min (z, h)", "float l = {0}, float h = {6}", lambda x: np.clip(x, 0, 6)
    ),
    "a hard sigmoid of ONNX's": ("y = HardSigmoid (x)", "", lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    "a swish with an alpha": (
        "y = Swish <alpha: float = 1.5> (x)", "", lambda x: x / (1 + np.exp(-1.5 * x)), 24
    ),
    "SiLU": ("s = Sigmoid (x) y = Mul (s, x)", "", lambda x: x / (1 + np.exp(-x))),
    "softplus": ("e = Exp (x) o = Add (e, c) y = Log (o)", "float c = {1}", lambda x: np.log1p(np.exp(x))),
    "a sigmoid by tanh": (
        "h = Mul (x, c) t = Tanh (h) s = Mul (t, c) y = Add (s, c)", "float c = {0.5}",
        lambda x: 1 / (1 + np.exp(-x)),
    ),
    "a layer normalization": (
        "y = LayerNormalization <epsilon: float = 0.5> (x, c, d)",
        "float[2] c = {2, -1}, float[2] d = {1, 3}",
        lambda x: (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 0.5) * [2, -1] + [1, 3],
    ),
    "a slope per column": (
        "y = PRelu (x, c)", "float[2] c = {0.25, -0.5}",
        lambda x: np.where(x < 0, x * np.array([0.25, -0.5]), x),
    ),
    "one slope below zero": (
        "y = PRelu (x, c)", "float[1] c = {-0.5}", lambda x: np.where(x < 0, -0.5 * x, x)
    ),
    "one slope for all": ("y = PRelu (x, c)", "float[1] c = {0.25}", lambda x: np.where(x < 0, x / 4, x)),
    "a selu of other constants": (
        "y = Selu <alpha: float = 2.0, gamma: float = 3.0> (x)", "",
        lambda x: np.where(x < 0, 6 * np.expm1(np.minimum(x, 0)), 3 * x),
    ),
    "shapes that stay": (
        """a = Flatten (x) s = Constant <value_ints: ints = [-1, 2]> () c = Reshape (a, s) d = Identity (c)
        e = Cast <to: int = 1> (d) f = Transpose <perm: ints = [0, 1]> (e) y = MatMul (f, w)""", W,
        lambda x: x @ w,
    ),
    "dropout": ("z = Dropout (x) y = MatMul (z, w)", W, lambda x: x @ w),
    "a sum next to nothing": (
        "z = Add (x, c) r = Relu (z) y = MatMul (r, w)", f"{W}, float[1] c = {{1e-7}}",
        lambda x: np.maximum(x + 1e-7, 0) @ w,
    ),
    "a small bias of one unit": (
        "z = MatMul (x, v) y = Add (z, c)", "float[2,1] v = {1, 2}, float c = {3e-7}",
        lambda x: x @ [[1], [2]] + 3e-7,
    ),
    "a product next to one": (
        "z = Mul (x, c) y = MatMul (z, w)", f"{W}, float c = {{1.0000001}}", lambda x: x @ w
    ),
    "means that are far out, and signs": (
        "c = Sub (x, m) d = Mul (c, f) y = MatMul (d, w)",
        f"{W}, float[2] m = {{1e6, 1e6}}, float[2] f = {{-0.3, 0.3}}",
        lambda x: ((np.round(x) + 1e6 - 1e6) * [-0.3, 0.3]) @ w, lambda x: np.round(x) + np.float32(1e6),
    ),
    "a scaling to nearly nothing": (
        "c = Mul (x, f) d = Add (c, b) y = MatMul (d, w)", f"{W}, {B}, float[2] f = {{1e-38, 1}}",
        lambda x: (x * [1e-38, 1] + b) @ w,
    ),
    "a shape computed from the rows'": (
        """s = Shape (x) i = Constant <value_int: int = 0> () n = Gather (s, i)
        a = Constant <value_ints: ints = [0]> () u = Unsqueeze (n, a)
        r = Constant <value_ints: ints = [-1]> () t = Concat <axis: int = 0> (u, r)
        z = Reshape (x, t) y = MatMul (z, w)""", W, lambda x: x @ w,
    ),
    "limits in another order": (
        "z = Min (x, h) y = Max (z, l)", "float l = {-1}, float h = {1}", lambda x: np.clip(x, -1, 1)
    ),
    "nothing at all": ("y = Identity (x)", "", lambda x: x),
    "an output that nobody asks for": ("z = Abs (x) y = MatMul (x, w)", W, lambda x: x @ w),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_is_read(path, name):
    nodes, constants, expected, *rest = READ[name]
    version = next((one for one in rest if isinstance(one, int)), 20)
    rows = next((one for one in rest if callable(one)), lambda x: x)
    write(path, nodes, constants=constants, version=version)
    wanted = expected(np.float64(X)).astype(np.float32)
    bound = 16 * np.finfo(np.float32).eps * np.maximum(1, np.abs(wanted))
    assert_within(read_onnx(path).predict(rows(X)), wanted, bound)


def test_weights_may_be_listed_as_inputs(path):
    write(path, "y = MatMul (x, w)", inputs="float[m, 2] x, float[2, 2] w", constants=W)
    assert_within(read_onnx(path).predict(X), X @ w, 1e-6)


def test_the_labels_are_cut_off(path):
    write(path, "z = MatMul (x, w) y = ArgMax <axis: int = 1> (z)", outputs="int64[m, 1] y", constants=W)
    with pytest.warns(FormatWarning, match=r"ends at 'z'; the labels made of it \(y\) are left out"):
        model = read_onnx(path)
    assert_within(model.predict(X), X @ w, 1e-6)


REFUSED = {
    "an operator that is none of ours": ("y = Cos (x)", "", r"'y' \(Cos\)"),
    "an operator of another domain": ("y = my.own.Relu (x)", "", r"\(my.own.Relu\)"),
    "a convolution": ("y = Conv (x, w)", W, r"\(Conv\): a convolution is not a dense layer"),
    "a sum of two ways": ("a = MatMul (x, w) r = Relu (a) y = Add (x, r)", W, r"\(MatMul\)|\(Relu\)|\(Add\)"),
    "a loop over a graph": (
        """y = If (c) <then_branch: graph = t () => (float[1] p)
        { p = Constant <value_float: float = 1.0> () },
        else_branch: graph = e () => (float[1] q) { q = Constant <value_float: float = 1.0> () }>""",
        "bool c = {1}", "its output 'y' is the same whatever comes in",
    ),
    "a branch that takes the rows from outside": (
        """y = If (c) <then_branch: graph = t () => (float[m, 2] p) { p = Relu (x) },
        else_branch: graph = e () => (float[m, 2] q) { q = Tanh (x) }>""",
        "bool c = {1}", r"'y' \(If\): what it computes is not part",
    ),
    "a bias a row": ("y = Add (x, c)", "float[2, 1] c = {1, 2}", "not one number per column"),
    "weights that do not fit": (
        "z = MatMul (x, w) y = MatMul (z, v)", f"{W}, float[3,1] v = {{1,2,3}}", "takes 3 columns"
    ),
    "weights that the rows stand behind": ("y = MatMul (w, x)", W, "first factor"),
    "random outputs": ("y = Dropout (x, r, t)", "float r = {0.5}, bool t = {1}", "training mode"),
    "a division by zero": ("y = Div (x, c)", "float[2] c = {1, 0}", "finite"),
    "a slope that is negative": ("y = LeakyRelu <alpha: float = -1.0> (x)", "", "alpha"),
    "a value that nobody computes": ("y = MatMul (q, w)", W, "uses 'q', which nothing before it computes"),
    "a value that is computed later": ("y = MatMul (z, w) z = Relu (x)", W, "uses 'z'"),
    "a circle": ("y = Add (y, x)", "", "uses 'y'"),
    "a value computed twice": ("y = Relu (x) y = Tanh (x)", "", "computes nothing new"),
    "another shape": ("s = Constant <value_ints: ints = [-1, 1]> () y = Reshape (x, s)", "", "another shape"),
    "whole numbers": ("y = Cast <to: int = 7> (x)", "", "something else than floats"),
    "a softmax over the rows": ("y = Softmax <axis: int = 0> (x)", "", "along the rows"),
    "a constant that grows": (
        "a = Unsqueeze (c, i) b = Unsqueeze (c, j) d = Add (a, b) y = MatMul (x, d)",
        f"float[500] c = {{{', '.join(['1'] * 500)}}}, int64[1] i = {{0}}, int64[1] j = {{1}}", "would grow",
    ),
    "a threshold that nobody sees": (
        "z = ThresholdedRelu <alpha: float = 0.1> (x) y = MatMul (z, w)", W, "threshold"
    ),
    "a jump": (
        "k = Greater (x, c) y = Where (k, x, z)", "float c = {0.003}, float z = {0}",
        r"\(Greater\) to node 'y' \(Where\)",
    ),
    "limits that are far out": (
        "y = Clip (x, l, h)", "float l = {-65504}, float h = {65504}", "cost them digits"
    ),
    "constants with more axes": ("y = Add (x, c)", "float[1, 1, 2] c = {1, 2}", r"shape \(1, 1, 2\)"),
    "a sigmoid of whole numbers": (
        "s = Sigmoid (x) i = Cast <to: int = 7> (s) f = Cast <to: int = 1> (i) y = Mul (x, f)", "", "not part"
    ),
    "a mask": ("z, k = Dropout (x) y = Cast <to: int = 1> (k)", "", "'k', which is used, is not its first"),
    "weights that overflow once folded": (
        "z = MatMul (x, v) y = Mul (z, c)", "float[2,1] v = {1e30, 1e30}, float c = {1e10}", "beyond float32"
    ),
    "a constant that is not finite": ("y = Mul (x, c)", "float[1] c = {inf}", "finite"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(path, name):
    nodes, constants, words = REFUSED[name]
    write(path, nodes, constants=constants)
    with pytest.raises(FormatError, match=words) as caught:
        read_onnx(path)
    assert str(caught.value).startswith(str(path))


def test_inputs_that_are_no_matrix(path):
    write(path, "y = Relu (x)", inputs="float[m, n] x")
    with pytest.raises(FormatError, match="how many columns"):
        read_onnx(path)
    write(path, "z = Relu (x) y = Mul (z, v)", inputs="float[m, 2] x, float[m, 2] v")
    with pytest.raises(FormatError, match="from 'x' and 'v'"):
        read_onnx(path)


def test_whole_numbers_come_in(path):
    nodes, inputs = "f = Cast <to: int = 1> (x) z = Div (f, c) y = MatMul (z, w)", "int64[m, 2] x"
    write(path, nodes, inputs=inputs, constants=f"float c = {{2}}, {W}")
    assert_within(read_onnx(path).predict(np.array([[3, 5]])), np.float32([[1.5, 2.5]] @ w), 1e-6)
    nodes = "z = Div (x, c) f = Cast <to: int = 1> (z) y = MatMul (f, w)"
    write(path, nodes, inputs=inputs, constants=f"int64 c = {{2}}, {W}")
    with pytest.raises(FormatError, match="'x' is not of floats"):
        read_onnx(path)


def test_doubles_are_computed_with_before_they_are_cast(path):
    nodes = "z = Sub (x, c) f = Cast <to: int = 1> (z) y = MatMul (f, w)"
    write(path, nodes, inputs="double[m, 2] x", constants=f"double c = {{1e9}}, {W}")
    rows = 1e9 + np.array([[0.25, -0.5]])
    model = read_onnx(path)
    assert model.dtype == "float64"
    assert_within(model.predict(rows), (rows - 1e9) @ w, 1e-6)


def test_batch_normalisation_as_training_had_it(path):
    constants = ", ".join(f"float[2] {name} = {{1, 2}}" for name in "sbmv")
    write(path, "y, p, q, r, t = BatchNormalization (x, s, b, m, v)", constants=constants, version=9)
    with pytest.raises(FormatError, match="training mode"):
        read_onnx(path)


def test_a_width_that_is_only_claimed(path):
    """92 bytes that would make gigabytes."""
    write(path, "z = Relu (x) y = Mul (z, c)", inputs="float[m, 100000000] x", constants="float c = {2}")
    with pytest.raises(FormatError, match="many times as large"):
        read_onnx(path)


def test_half_precision(path):
    half = np.random.default_rng(0).normal(size=(2, 2)).astype(np.float16)
    path.write_bytes(model_of(onnx.numpy_helper.from_array(half, "w")).SerializeToString())
    assert_within(read_onnx(path).predict(X), X @ half.astype(np.float32), 1e-6)


def test_many_nodes_are_no_trouble(path):
    names = [f"z{i}" for i in range(20_000)]
    model = model_of()
    del model.graph.node[:]
    for before, after in itertools.pairwise(["x", *names]):
        model.graph.node.append(onnx.helper.make_node("Relu", [before], [after]))
    model.graph.output[0].name = names[-1]
    path.write_bytes(model.SerializeToString())
    assert len(read_onnx(path).layers) == 20_000


@pytest.mark.parametrize("version", [6, 99])
def test_operator_sets_of_other_times(path, version):
    write(path, "y = Relu (x)", version=version)
    with pytest.raises(FormatError, match=f"version {version} of ONNX's operators"):
        read_onnx(path)


def model_of(*tensors):
    """Return a model of one product, with these tensors."""
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "net",
        [onnx.helper.make_tensor_value_info("x", 1, ["m", 2])],
        [onnx.helper.make_tensor_value_info("y", 1, ["m", 2])],
        list(tensors),
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9)


def tensor(**fields):
    return onnx.TensorProto(name="w", data_type=1, **fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dims": [2**20, 2**20], "raw_data": b"1234"}, "holds 1 numbers"),
        ({"dims": [2**40, 2**40]}, "holds 0 numbers"),
        ({"dims": [-1, 2], "raw_data": bytes(16)}, r"its shape is \(-1, 2\)"),
        ({"dims": [2, 2], "raw_data": bytes(15)}, "holds 3 numbers"),
        ({"dims": [2, 2], "float_data": [1.0, 2.0, 3.0]}, "holds 3 numbers"),
    ],
)
def test_tensors_that_hold_less_than_they_say(path, fields, words):
    path.write_bytes(model_of(tensor(**fields)).SerializeToString())
    with pytest.raises(FormatError, match=words):
        read_onnx(path)


def test_texts_for_weights(path):
    path.write_bytes(model_of(onnx.helper.make_tensor("w", 8, [2, 2], [b"a"] * 4)).SerializeToString())
    with pytest.raises(FormatError, match="not of floats or whole numbers"):
        read_onnx(path)


def test_weights_said_many_times_over(path):
    """A file of some KB that stands for gigabytes."""
    big = onnx.numpy_helper.from_array(np.ones((64, 64), np.float32), "w")
    model = model_of(big)
    del model.graph.node[:]
    names = ["x", *(f"z{i}" for i in range(10_000))]
    for before, after in itertools.pairwise(names):
        model.graph.node.append(onnx.helper.make_node("MatMul", [before, "w"], [after]))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 64
    model.graph.output[0].name = names[-1]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FormatError, match="its weights are many times as large as the file"):
        read_onnx(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"PK\x03\x04 a zip", b"text, in words"])
def test_what_is_no_onnx_file(path, content):
    path.write_bytes(content)
    with pytest.raises(FormatError, match="no ONNX file"):
        read_onnx(path)


def test_a_file_that_is_not_there(path):
    with pytest.raises(FileNotFoundError):
        read_onnx(path)
