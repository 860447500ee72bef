"""Where graphs end: at one of several outputs, at labels, at logarithms; and scikit-learn's linear models."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

import fastdense as fd
from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.onnx import read_onnx
from tests.compare import assert_within
from tests.formats.onnx.test_refusals import W, X, w, write

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

ROWS = np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)
CLASSES = (ROWS[:, 0] > 0) * 1 + (ROWS[:, 1] > 0.5)
EPS = np.finfo(np.float32).eps
SEVERAL = "float[m, 2] y, float[m, 2] z"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.onnx"


def test_one_of_several_outputs(path):
    write(path, "y = MatMul (x, w) z = Relu (y)", outputs=SEVERAL, constants=W)
    with pytest.raises(
        FormatError, match=r"several outputs, 'y', 'z'; choose one .*output=.* --output"
    ) as one:
        fd.load(path)
    assert str(one.value).startswith(str(path))
    assert_within(fd.load(path, output="z").predict(X), np.maximum(X @ w, 0), 1e-6)
    with pytest.raises(FormatError, match="no output 'q'; its outputs are 'y', 'z'"):
        fd.load(path, output="q")


def test_other_formats_have_one_output(tmp_path):
    fd.Sequential([fd.Input((2,)), fd.Dense(1)]).save(tmp_path / "m.safetensors")
    with pytest.raises(FormatError, match="an output can be chosen of ONNX files only"):
        fd.load(tmp_path / "m.safetensors", output="y")


def test_constant_outputs_are_not_candidates(path):
    write(path, "y = MatMul (x, w) z = Identity (w)", outputs=SEVERAL, constants=W)
    assert_within(read_onnx(path).predict(X), X @ w, 1e-6)
    with pytest.raises(FormatError, match="its output 'z' is the same whatever comes in"):
        read_onnx(path, output="z")
    write(path, "y = MatMul (x, w) z = Shape (x)", outputs="float[m, 2] y, int64[2] z", constants=W)
    assert_within(read_onnx(path).predict(X), X @ w, 1e-6)


def test_labels_beside_several_outputs(path):
    nodes = "y = MatMul (x, w) z = Softmax (y) l = ArgMax <axis = 1> (z)"
    write(path, nodes, outputs=f"{SEVERAL}, int64[m, 1] l", constants=W)
    with pytest.raises(FormatError, match="several outputs, 'y', 'z';"):
        read_onnx(path)
    with pytest.warns(FormatWarning, match=r"ends at 'z'; the labels made of it \(l\) are left out"):
        model = read_onnx(path, output="l")
    assert model.layers[-1].activation.name == "softmax"


def test_labels_by_a_threshold(path):
    nodes = "z = MatMul (x, w) y = Sigmoid (z) g = Greater (y, h) l = Cast <to = 7> (g)"
    write(path, nodes, outputs="float[m, 2] y, int64[m, 2] l", constants=f"{W}, float h = {{0.5}}")
    with pytest.warns(FormatWarning, match=r"ends at 'y'; the labels made of it \(l\) are left out"):
        model = read_onnx(path)
    assert_within(model.predict(X), 1 / (1 + np.exp(-X @ w)), 8 * EPS)


@pytest.mark.parametrize("nodes", ["y = LogSoftmax (z)", "s = Softmax (z) y = Log (s)"])
def test_logarithms_at_the_end(path, nodes):
    write(path, f"z = MatMul (x, w) {nodes}", constants=W)
    with pytest.warns(FormatWarning, match=r"ends in probabilities; .* numpy.log of what it predicts"):
        model = read_onnx(path)
    expected = ort.InferenceSession(path).run(None, {"x": X})[0]
    assert_within(np.log(model.predict(X)), expected, 16 * EPS * np.maximum(1, np.abs(expected)))


def test_logarithms_elsewhere(path):
    write(path, "z = MatMul (x, w) l = LogSoftmax (z) y = MatMul (l, w)", constants=W)
    with pytest.raises(FormatError, match=r"\(MatMul\): it goes on from logarithms of probabilities"):
        read_onnx(path)
    write(path, "z = MatMul (x, w) l = LogSoftmax (z) y = Exp (l)", constants=W)
    expected = ort.InferenceSession(path).run(None, {"x": X})[0]
    assert_within(read_onnx(path).predict(X), expected, 8 * EPS)


def linear(path, op, **attributes):
    """Write a graph of one of ai.onnx.ml's linear models and return what ONNX Runtime computes from it."""
    outputs = ["labels", "y"] if op == "LinearClassifier" else ["y"]
    node = onnx.helper.make_node(op, ["x"], outputs, domain="ai.onnx.ml", **attributes)
    kinds = {"labels": 8 if "classlabels_strings" in attributes else 7, "y": 1}
    graph = onnx.helper.make_graph(
        [node],
        "net",
        [onnx.helper.make_tensor_value_info("x", 1, ["m", 2])],
        [onnx.helper.make_tensor_value_info(name, kinds[name], None) for name in outputs],
    )
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("ai.onnx.ml", 3)]
    path.write_bytes(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    return ort.InferenceSession(path).run(["y"], {"x": X})[0]


ONE, TWO, THREE = (
    ([1.0, 2.0], [0.1]),
    ([1.0, 2.0, -1.0, 3.0], [0.1, 0.2]),
    ([1.0, 2.0, -1.0, 3.0, 1.0, 1.0], [0.0, 0.2, 1.0]),
)
LINEAR = {
    "a classifier's scores": ("LinearClassifier", THREE, {"classlabels_ints": [0, 1, 2]}),
    "a softmax": ("LinearClassifier", THREE, {"classlabels_ints": [0, 1, 2], "post_transform": "SOFTMAX"}),
    "sigmoids": ("LinearClassifier", TWO, {"classlabels_strings": ["a", "b"], "post_transform": "LOGISTIC"}),
    "one score of two classes": ("LinearClassifier", ONE, {"classlabels_ints": [0, 1]}),
    "one sigmoid of two": (
        "LinearClassifier",
        ONE,
        {"classlabels_ints": [0, 1], "post_transform": "LOGISTIC"},
    ),
    "a regressor": ("LinearRegressor", ONE, {"targets": 1}),
    "a regressor of two": ("LinearRegressor", TWO, {"targets": 2}),
    "a regressor with sigmoids": ("LinearRegressor", TWO, {"targets": 2, "post_transform": "LOGISTIC"}),
}


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.filterwarnings("ignore::fastdense.errors.FormatWarning")
def test_linear_models(path, name):
    op, (coefficients, intercepts), more = LINEAR[name]
    expected = linear(path, op, coefficients=coefficients, intercepts=intercepts, **more)
    assert_within(read_onnx(path).predict(X), expected, 8 * EPS * np.maximum(1, np.abs(expected)))


@pytest.mark.parametrize("after", ["PROBIT", "SOFTMAX_ZERO", "SOFTMAX"])
def test_linear_models_that_do_more(path, after):
    coefficients, intercepts = ONE
    linear(
        path, "LinearClassifier", coefficients=coefficients, intercepts=intercepts, classlabels_ints=[0, 1],
        post_transform=after,
    )  # fmt: skip
    with pytest.raises(
        FormatError, match=r"softmax over the score of one class|is not the activation of a dense"
    ):
        read_onnx(path)


def written(path, estimator, y, **options):
    skl2onnx = pytest.importorskip("skl2onnx")
    fitted = make_pipeline(StandardScaler(), estimator).fit(ROWS, y)
    path.write_bytes(skl2onnx.to_onnx(fitted, ROWS[:1], options=options).SerializeToString())
    return fitted


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_of_skl2onnx(path, classes, zipmap):
    fitted = written(path, LogisticRegression(), np.minimum(CLASSES, classes - 1), zipmap=zipmap)
    with pytest.warns(FormatWarning, match="labels made of it"):
        model = fd.load(path)
    assert_within(model.predict(ROWS), fitted.predict_proba(ROWS).astype(np.float32), 64 * EPS)


def test_linear_regression_of_skl2onnx(path):
    fitted = written(path, LinearRegression(), ROWS @ [[1.0], [2.0], [3.0]])
    assert_within(fd.load(path).predict(ROWS), fitted.predict(ROWS).astype(np.float32), 64 * EPS)


PIPELINES = {
    "columns scaled apart": lambda: make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [2, 0]), ("b", MinMaxScaler(), [1])]), LogisticRegression()
    ),
    "columns chosen": lambda: make_pipeline(SelectKBest(k=2), LogisticRegression()),
    "a normaliser of probabilities": LogisticRegression,
}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_of_skl2onnx(path, name, kind):
    skl2onnx = pytest.importorskip("skl2onnx")
    rows = ROWS.astype(kind)
    fitted = PIPELINES[name]().fit(rows, CLASSES > 0)
    path.write_bytes(skl2onnx.to_onnx(fitted, rows[:1], options={"zipmap": False}).SerializeToString())
    with pytest.warns(FormatWarning, match="labels made of it"):
        model = fd.load(path)
    assert_within(model.predict(rows), fitted.predict_proba(rows).astype(model.dtype), 64 * EPS)


def test_a_column_of_scores_is_not_a_label(path):
    """A support vector machine's score of two classes is chosen of two columns."""
    skl2onnx = pytest.importorskip("skl2onnx")
    fitted = LinearSVC().fit(ROWS, CLASSES > 0)
    path.write_bytes(skl2onnx.to_onnx(fitted, ROWS[:1]).SerializeToString())
    with pytest.warns(FormatWarning, match=r"labels made of it \(label\)"):
        model = fd.load(path)
    scores = fitted.decision_function(ROWS)[:, np.newaxis]
    assert_within(model.predict(ROWS), scores.astype(np.float32), 64 * EPS * np.abs(scores).max())


def test_an_input_per_column(path):
    """As skl2onnx writes pipelines on data frames."""
    inputs = "float[m, 1] age, float[m, 1] size, float[m, 2] rest"
    nodes = """a = Concat <axis = 1> (size, age)
    s = ai.onnx.ml.Scaler <offset = [1.0, 2.0], scale = [0.5, 2.0]> (a) z = Concat <axis = 1> (s, rest)
    y = MatMul (z, v)"""
    write(path, nodes, inputs=inputs, constants="float[4,2] v = {1, 2, 3, 4, 5, 6, 7, 8}")
    with pytest.warns(FormatWarning, match="its inputs 'age', 'size', 'rest' go in side by side, as one row"):
        model = read_onnx(path)
    rows = np.hstack([ROWS, ROWS[:, :1]])
    given = {"age": rows[:, :1], "size": rows[:, 1:2], "rest": rows[:, 2:]}
    expected = ort.InferenceSession(path).run(None, given)[0]
    assert_within(model.predict(rows), expected, 16 * EPS * np.maximum(1, np.abs(expected)))


def test_probabilities_that_do_not_add_up(path):
    nodes = 'z = Sigmoid (x) y = ai.onnx.ml.Normalizer <norm = "L1"> (z)'
    write(path, nodes)
    with pytest.raises(FormatError, match=r"Normalizer\): it divides each row by the row's own norm"):
        read_onnx(path)


QUANTISED = {
    "a product": (
        "q, s, z = DynamicQuantizeLinear (x) p = MatMulInteger (q, u, z) f = Cast <to=1> (p) y = Mul (f, s)",
        "int8[2,2] u = {1, 2, 3, 4}",
    ),
    "rows that are rounded": (
        "q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) y = MatMul (d, w)",
        f"{W}, float s = {{0.1}}, int8 z = {{0}}",
    ),
}


@pytest.mark.parametrize("name", QUANTISED)
def test_quantised_models_are_refused_as_such(path, name):
    nodes, constants = QUANTISED[name]
    write(path, nodes, constants=constants)
    with pytest.raises(FormatError, match=r"the model is quantised.*; read the model that it was made of"):
        read_onnx(path)
