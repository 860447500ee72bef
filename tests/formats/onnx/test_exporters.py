"""What others export to ONNX: scikit-learn's networks by skl2onnx, PyTorch's by both its exporters."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.onnx import read_onnx
from tests.compare import assert_within

onnx = pytest.importorskip("onnx")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 4)).astype(np.float32)
CLASSES = np.arange(60) % 3
EPS = np.finfo(np.float32).eps
# Three layers of up to seven inputs, and activations that others compute to a few units in the last place.
BOUND = 64 * EPS

CLASSIFIERS = {
    "two classes": ("relu", CLASSES > 0),
    "three classes": ("tanh", CLASSES),
    "names": ("logistic", np.array(["a", "b", "c"])[CLASSES]),
}
REGRESSORS = {
    "one hidden layer": MLPRegressor(hidden_layer_sizes=(6,), activation="identity"),
    "two hidden layers": MLPRegressor(hidden_layer_sizes=(6, 5), activation="logistic"),
    "behind a scaler": make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,))),
    "behind another scaler": make_pipeline(MinMaxScaler(), MLPRegressor(hidden_layer_sizes=(6,))),
}


def fitted(estimator, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # twenty steps are no training
        return estimator.set_params(**{_name(estimator, "max_iter"): 20}).fit(X, y)


def _name(estimator, parameter):
    return next(name for name in estimator.get_params() if name.endswith(parameter))


def to_onnx(path, estimator, **options):
    skl2onnx = pytest.importorskip("skl2onnx")
    path.write_bytes(skl2onnx.to_onnx(estimator, X[:1], **options).SerializeToString())


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_of_skl2onnx(tmp_path, name, zipmap):
    activation, y = CLASSIFIERS[name]
    classifier = fitted(MLPClassifier(hidden_layer_sizes=(6, 5), activation=activation), y)
    path = tmp_path / "m.onnx"
    to_onnx(path, classifier, options={"zipmap": zipmap})
    with pytest.warns(FormatWarning, match=r"the labels made of it \((output_)?label\) are left out"):
        model = read_onnx(path)
    assert_within(model.predict(X), classifier.predict_proba(X).astype(np.float32), BOUND)


def test_several_labels_of_skl2onnx(tmp_path):
    """It gives out the probabilities of no and of yes, one after the other."""
    classifier = fitted(MLPClassifier(hidden_layer_sizes=(6,)), np.stack([CLASSES == 0, X[:, 0] > 0], axis=1))
    path = tmp_path / "m.onnx"
    to_onnx(path, classifier, options={"zipmap": False})
    with pytest.warns(FormatWarning, match="left out"):
        model = read_onnx(path)
    yes = classifier.predict_proba(X).astype(np.float32)
    assert_within(model.predict(X), np.hstack([1 - yes, yes]), BOUND)


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_of_skl2onnx(tmp_path, name):
    regressor = fitted(REGRESSORS[name], X[:, 0])
    path = tmp_path / "m.onnx"
    to_onnx(path, regressor)
    assert_within(read_onnx(path).predict(X)[:, 0], regressor.predict(X).astype(np.float32), 4 * BOUND)


def test_in_double(tmp_path):
    skl2onnx = pytest.importorskip("skl2onnx")
    regressor = fitted(MLPRegressor(hidden_layer_sizes=(6,)), X[:, 0])
    proto = skl2onnx.to_onnx(regressor, X[:1].astype(np.float64))
    onnx.save(proto, tmp_path / "m.onnx")
    model = read_onnx(tmp_path / "m.onnx")
    assert model.dtype == "float64"
    assert_within(model.predict(X)[:, 0], regressor.predict(np.float64(X)), 64 * np.finfo(np.float64).eps)


def test_two_columns_that_skl2onnx_puts_under_one_another_are_refused(tmp_path):
    path = tmp_path / "m.onnx"
    to_onnx(path, fitted(MLPRegressor(hidden_layer_sizes=(6,)), X[:, :2]))
    with pytest.raises(FormatError, match=r"node 'Reshape' \(Reshape\): it makes another shape"):
        read_onnx(path)


def every_layer(torch):
    """Return a module of every layer and activation, whose running statistics are no longer 0 and 1."""
    nn = torch.nn
    torch.manual_seed(0)
    curves = [
        nn.ReLU(), nn.GELU(), nn.GELU(approximate="tanh"), nn.SiLU(), nn.Mish(), nn.Hardswish(),
        nn.Hardsigmoid(), nn.Softsign(), nn.Softplus(), nn.SELU(), nn.ELU(0.5), nn.LeakyReLU(0.1),
        nn.Sigmoid(), nn.Tanh(),
    ]  # fmt: skip
    layers = [nn.BatchNorm1d(4)]
    for curve in curves:
        layers += [nn.Linear(4, 4), curve]
    layers += [nn.BatchNorm1d(4), nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU6(), nn.Dropout(), nn.Flatten()]
    module = nn.Sequential(*layers, nn.Linear(6, 3), nn.Softmax(-1))
    for layer in module:
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean.uniform_(-1, 1)
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, -1, 1)
    return module.eval()


@pytest.mark.filterwarnings("ignore")  # PyTorch's of what it is about to deprecate
@pytest.mark.parametrize("version", [12, 15, 17, 20, "dynamo"])
def test_modules_of_pytorch(tmp_path, version):
    torch = pytest.importorskip("torch")
    path, module, example = tmp_path / "m.onnx", every_layer(torch), torch.tensor(X[:2])
    if version == "dynamo":
        pytest.importorskip("onnxscript")
        torch.onnx.export(module, (example,), path, dynamo=True, verbose=False)
        assert (tmp_path / "m.onnx.data").exists()  # where it keeps the weights by default
    else:
        axes = {"x": {0: "rows"}, "y": {0: "rows"}}
        torch.onnx.export(
            module, (example,), path, dynamo=False, opset_version=version,
            input_names=["x"], output_names=["y"], dynamic_axes=axes,
        )  # fmt: skip
    with torch.inference_mode():
        expected = module(torch.tensor(X)).numpy()
    assert_within(read_onnx(path).predict(X), expected, BOUND)
