"""Ensembles for other software: ONNX Runtime and compiled C predict the mean of the members."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.datasets import load_iris

from fastdense import MLPClassifier, MLPRegressor
from fastdense.errors import FormatError
from fastdense.search import Ensemble

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
RARE = np.r_[[2] * 1, [1] * 6, [0] * 143]
NEAR = {"float32": 2e-6, "float64": 1e-13}
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wshadow", "-Wdouble-promotion"]
CASES = [
    ("classes", "float32", "relu"),
    ("classes", "float64", "tanh"),
    ("rare classes", "float32", "relu"),
    ("two classes", "float32", ["gelu", "selu"]),
    ("numbers", "float32", "tanh"),
    ("numbers", "float64", "relu"),
]


def fitted(what, dtype, activation, n=7):
    """Return a fitted ensemble; some members of that for rare classes lack one of them."""
    sizes = {"hidden_layer_sizes": (6, 5) if isinstance(activation, list) else (6,), "activation": activation}
    own = {**sizes, "dtype": dtype, "max_iter": 4}
    if what == "numbers":
        return Ensemble(MLPRegressor(**own), n, random_state=0).fit(X, np.c_[X[:, 0], -X[:, 1]])
    targets = {"classes": Y, "rare classes": RARE, "two classes": Y == 1}[what]
    return Ensemble(MLPClassifier(**own), n, random_state=0).fit(X, targets)


@pytest.mark.parametrize(("what", "dtype", "activation"), CASES)
def test_onnx_runtime_predicts_the_mean(what, dtype, activation, tmp_path):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    ensemble = fitted(what, dtype, activation)
    ensemble.export(tmp_path / "m.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "m.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    for rows in (X, X[:1]):
        (found,) = session.run(None, {"X": rows.astype(dtype)})
        assert found.dtype == dtype
        np.testing.assert_allclose(found, ensemble.freeze().predict(rows), rtol=0, atol=NEAR[dtype])


def test_onnx_is_written_in_another_dtype(tmp_path):
    onnx = pytest.importorskip("onnx")
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    ensemble = fitted("classes", "float32", "relu")
    ensemble.export(tmp_path / "m.onnx", dtype="float64")
    (found,) = evaluator(onnx.load(tmp_path / "m.onnx")).run(None, {"X": X})
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, ensemble.predict_proba(X), rtol=0, atol=NEAR["float32"])


@pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
@pytest.mark.parametrize(("what", "dtype", "activation"), CASES)
def test_compiled_c_predicts_the_mean(what, dtype, activation, tmp_path):
    ensemble = fitted(what, dtype, activation)
    ensemble.export(tmp_path / "mean.c", name="mean")
    command = [COMPILERS[0], "-std=c99", *STRICT, "-O2", "-shared", "-fPIC", tmp_path / "mean.c"]
    subprocess.run([*command, "-o", tmp_path / "mean.so", "-lm"], check=True)
    rows, expected = np.ascontiguousarray(X, dtype), ensemble.freeze().predict(X)
    pointer = ctypes.POINTER({"float32": ctypes.c_float, "float64": ctypes.c_double}[dtype])
    found = np.full(expected.shape, 77, dtype)
    library = ctypes.CDLL(str(tmp_path / "mean.so"))
    at = rows.ctypes.data_as(pointer), found.ctypes.data_as(pointer)
    library.mean_predict_rows(ctypes.c_size_t(len(rows)), *at)
    np.testing.assert_allclose(found, expected, rtol=0, atol=NEAR[dtype])


def test_c_says_what_it_is(tmp_path):
    fitted("classes", "float32", "relu").export(tmp_path / "mean.c")
    assert "The mean of 7 networks; the first:" in (tmp_path / "mean.h").read_text()


def test_an_ensemble_of_one_is_written_as_its_network(tmp_path):
    lone = fitted("classes", "float32", "relu", n=1)
    (network,) = lone.to_networks()
    for folder, what in (("lone", lone), ("network", network)):
        (tmp_path / folder).mkdir()
        what.export(tmp_path / folder / "m.c")
    for name in ("m.c", "m.h"):
        assert (tmp_path / "lone" / name).read_bytes() == (tmp_path / "network" / name).read_bytes()


def test_what_it_refuses(tmp_path):
    ensemble = fitted("classes", "float32", "relu")
    with pytest.raises(
        FormatError, match="Keras files hold one network and no mean of several, unlike ONNX and C99"
    ):
        ensemble.export(tmp_path / "m.keras")
    with pytest.raises(FormatError, match=r"exports end in \.onnx"):
        ensemble.export(tmp_path / "m.txt")
    with pytest.raises(TypeError, match="have no option dtype"):
        ensemble.export(tmp_path / "m.c", dtype="float64")
    assert not list(tmp_path.iterdir())
