"""Networks to Keras' files and back: Keras computes from them what we do, and we from what Keras writes."""

from __future__ import annotations

import functools
import warnings
from unittest.mock import ANY

import numpy as np
import pytest
from hypothesis import assume, given, settings

import fastdense as fd
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import FormatError, FormatWarning, NotBuiltError
from fastdense.formats.keras import read_keras, write_keras
from tests.compare import assert_identical, assert_within
from tests.formats.networks import assert_predicts_as, inputs, networks

pytest.importorskip("h5py")
pytest.importorskip("pyfive")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("keras") / "model.keras"


def has_groups(model):
    return any(getattr(layer, "activation", fd.activations.linear).groups for layer in model.layers)


@settings(max_examples=20, deadline=None)
@given(model=networks(of_tables=False))
def test_random_networks(in_keras, path, model):
    assume(not has_groups(model))
    X = inputs(model, 5)
    write_keras(model, path)
    if model.dtype == "float32":  # some of TensorFlow's activations are float32's in float64 too
        assert_predicts_as(functools.partial(in_keras.predict, path), model, X)
    back = read_keras(path)
    assert back.dtype == model.dtype
    assert_predicts_as(back.predict, model, X)
    for ending in (".keras", ".h5"):
        again = path.with_name(f"again{ending}")
        in_keras.call("save_again", path, again)
        assert_predicts_as(read_keras(again).predict, model, X)


def test_factors_of_columns_come_back_as_themselves(path):
    layers = [fd.layers.FeatureScale("random_uniform", "l2", name="importance"), fd.Dense(2)]
    model = fd.Sequential([fd.Input((4,)), *layers], seed=0)
    write_keras(model, path)
    back = read_keras(path)
    assert back.layers[0].get_config() == model.layers[0].get_config() | {"scale_initializer": ANY}
    assert_identical(back.layers[0].weights[0], model.layers[0].weights[0])


def test_a_share_of_an_activation_is_refused(path):
    model = fd.Sequential([fd.Input((4,)), fd.layers.ParametricActivation("mish", name="bend")], seed=0)
    with pytest.raises(FormatError, match="layer 'bend': Keras has no ParametricActivation"):
        write_keras(model, path)


def test_a_network_without_weights(in_keras, path):
    model = fd.Sequential([fd.Input((3,)), fd.Activation("gelu_tanh"), fd.Dropout(0.5)], seed=0)
    X = inputs(model, 5)
    write_keras(model, path)
    assert_predicts_as(read_keras(path).predict, model, X)
    for ending in (".keras", ".h5"):
        again = path.with_name(f"again{ending}")
        in_keras.call("save_again", path, again)
        assert_predicts_as(read_keras(again).predict, model, X)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_comes_back_as_itself(path, name):
    model = fd.Sequential(
        [fd.Input((4,)), fd.Dense(3, name), fd.Activation(name), fd.Dense(2)], "named", seed=0
    )
    write_keras(model, path)
    back = read_keras(path)
    names = [layer.activation.name for layer in back.layers]
    assert [found for found in names if found != "linear"] == [name] * 2 * (name != "linear")
    assert back.name == "named"
    X = inputs(model, 9)
    assert_identical(back.predict(X), model.predict(X))


def test_names_and_penalties_come_back(in_keras, path):
    dense = fd.Dense(
        3, "relu", kernel_regularizer=fd.regularizers.L1L2(0.1, 0.2), bias_regularizer="l2", name="mine"
    )
    model = fd.Sequential([fd.Input((4,)), fd.Dropout(0.25, name="thin"), dense, fd.layers.ELU(0.5)], seed=0)
    write_keras(model, path)
    assert repr(read_keras(path).layers) == repr(model.layers)
    again = path.with_name("again.keras")
    in_keras.call("save_again", path, again)
    assert repr(read_keras(again).layers) == repr(model.layers)


def test_names_that_keras_does_not_take_are_changed(in_keras, path):
    leaky = fd.activations.ActivationFunction("leaky_relu", 0.3)
    layers = [fd.Dense(3, leaky, name="a"), fd.Dense(3, name="a_activation"), fd.Dense(3, name="input_layer")]
    model = fd.Sequential(
        [fd.Input((4,)), *layers, fd.Dense(2, name="x/y"), fd.Dense(1, name="x_y")], "m/1", seed=0
    )
    write_keras(model, path)
    names = ["a", "a_activation", "a_activation_1", "input_layer_1", "x_y_1", "x_y"]
    assert [layer.name for layer in read_keras(path).layers if layer.name != "activation"] == names
    assert read_keras(path).name == "m_1"
    X = inputs(model, 5)
    assert_predicts_as(functools.partial(in_keras.predict, path), model, X)


@pytest.mark.parametrize("name", ["a b", "größe", "_hidden", "-1", "a:0", "a>b", "."])
def test_names_that_tensorflow_does_not_take_are_changed(in_keras, path, name):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(3, name=name), fd.Dense(2)], name, seed=0)
    X = inputs(model, 5)
    write_keras(model, path)
    assert_predicts_as(functools.partial(in_keras.predict, path), model, X)


def test_a_file_is_the_same_each_time(path):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(3)], seed=0)
    write_keras(model, path)
    first = path.read_bytes()
    write_keras(model, path)
    assert path.read_bytes() == first


def test_what_cannot_be_written(tmp_path):
    model = fd.Sequential(
        [fd.Dense(3, fd.activations.ActivationFunction("softmax", groups=(1, 2)), name="g")]
    )
    with pytest.raises(NotBuiltError):
        write_keras(model, tmp_path / "m.keras")
    model.build((None, 2))
    with pytest.raises(FormatError, match="layer 'g_activation': Keras has no softmax by groups"):
        write_keras(model, tmp_path / "m.keras")
    with pytest.raises(FormatError, match=r"ends in \.keras"):
        write_keras(model, tmp_path / "m.h5")
    assert not list(tmp_path.iterdir())


X = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
# Up to twelve layers of six units whose weights are about 1, and statistics folded into them.
BOUND = 64 * np.finfo(np.float32).eps


MODELS = ("every layer", "normalised at the end", "statistics given", "plain functional")
MODELS += ("activation layers", "statistics of all", "named ends", "nested", "autoencoder", "deep")
MODELS += (
    "frozen autoencoder",
    "every rectifier",
    "one slope",
    "many slopes",
    "rows",
    "inverted",
    "scaled columns",
)
FUNCTIONS = ("functional", "scaled by functions", "limits", "composed")


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", MODELS)
def test_models_of_keras(in_keras, tmp_path, name, ending):
    if ending == ".h5" and name in ("statistics of all", "inverted"):
        pytest.skip("Keras does not load one variance for all columns from its old files, or lists of them")
    assert_read(in_keras, name, tmp_path / f"m{ending}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_keras(in_keras, tmp_path, name):
    """The old files cannot hold them: Keras itself does not load what it writes."""
    assert_read(in_keras, name, tmp_path / "m.keras")


def assert_read(in_keras, name, path, shape=(4,), after=lambda found: found):
    """Build a model in Keras, and raise AssertionError unless it predicts the same there and here."""
    in_keras.call("build", name, path)
    inputs = np.random.default_rng(1).normal(size=(7, *shape)).astype(np.float32)
    expected = after(in_keras.predict(path, inputs))
    bound = BOUND * np.maximum(1.0, np.abs(expected).max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        model = read_keras(path)
    assert_within(model.predict(inputs.reshape(7, -1)), expected.reshape(7, -1), bound)


PICTURES = {
    "pictures": (3, 2, 2),
    "scaled pictures": (3, 2, 2),
    "scaled pictures of three": (3, 2, 2),
    "normalised pictures": (3, 2, 2),
    "pictures by functions": (3, 2, 2),
    "channels first": (3, 2, 2),
    "permuted": (3, 2, 2),
    "cropped": (3, 2, 2),
    "sliced": (3, 2, 2),
    "axes by functions": (4,),
    "pictures out": (3, 2),
    "slopes of pictures": (3, 2, 2),
    "one row of columns": (1, 4),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_go_in_as_rows(in_keras, tmp_path, name):
    assert_read(in_keras, name, tmp_path / "m.keras", PICTURES[name])


def test_the_shapes_of_pictures_are_said(in_keras, tmp_path):
    in_keras.call("build", "pictures out", tmp_path / "m.keras")
    into = r"the shape \(3, 2\) of its inputs, which go in as rows of 6 numbers"
    out = r"the shape \(3, 2\) of its outputs, which come out as rows of 6 numbers"
    with pytest.warns(FormatWarning, match=f"left out: {into}, {out}"):
        read_keras(tmp_path / "m.keras")


@pytest.mark.parametrize("name", ["logarithms", "logarithms by a function"])
def test_logarithms_of_a_softmax_are_read_as_the_softmax(in_keras, tmp_path, name):
    assert_read(in_keras, name, tmp_path / "m.keras", after=np.exp)
    with pytest.warns(FormatWarning, match="the logarithm at its end: what comes out are a softmax's prob"):
        read_keras(tmp_path / "m.keras")


def test_a_layer_that_is_called_twice_is_two(in_keras, tmp_path):
    assert_read(in_keras, "one layer twice", tmp_path / "m.keras")
    with pytest.warns(FormatWarning, match="that 2 layers are one, 'again', whose weights training now"):
        model = read_keras(tmp_path / "m.keras")
    assert [layer.name for layer in model.layers] == ["again", "again_1"]


def test_layers_of_a_name_in_models_inside_are_numbered(in_keras, tmp_path):
    in_keras.call("build", "autoencoder", tmp_path / "m.keras")
    with pytest.warns(FormatWarning, match="left out: trainable=False of 'one'"):
        model = read_keras(tmp_path / "m.keras")
    names = [layer.name for layer in model.layers if isinstance(layer, fd.Dense)]
    assert (model.name, names) == ("autoencoder", ["one", "two", "one_1", "two_1"])


def test_noise_for_training_is_said_to_be_left_out(in_keras, tmp_path):
    path = tmp_path / "m.keras"
    in_keras.call("build", "noise", path)
    with pytest.warns(FormatWarning, match="left out: the GaussianNoise of 'noise', the GaussianDropout of"):
        model = read_keras(path)
    assert_within(model.predict(X), in_keras.predict(path, X), BOUND)


def test_settings_for_training_are_said_to_be_left_out(in_keras, tmp_path):
    path = tmp_path / "m.keras"
    in_keras.call("build", "training settings", path)
    with pytest.warns(FormatWarning, match="left out: kernel_constraint of 'held'"):
        model = read_keras(path)
    assert model.layers[0].kernel_regularizer is not None
    assert_within(model.predict(X), in_keras.predict(path, X), BOUND)


@pytest.mark.parametrize(
    ("name", "dtype"), [("double", "float64"), ("half", "float32"), ("mixed", "float32")]
)
def test_other_precisions(in_keras, tmp_path, name, dtype):
    path = tmp_path / "m.keras"
    in_keras.call("build", name, path)
    model = read_keras(path)
    assert model.dtype == dtype
    eps = np.finfo("float64" if name == "double" else "float16").eps
    expected = np.asarray(in_keras.predict(path, X.astype(dtype)), dtype)
    assert_within(model.predict(X), expected, 8 * eps)


REFUSED = {
    "two ways": "must make one chain",
    "trained at all times": "layer 'norm' .* it is called with training=True",
    "somebody's layer": r"layer 'own' \(Dense\): it is a user's class, registered as 'mine>Dense'",
    "somebody's model": "it is a user's class, registered as 'Sequential'",
    "int8": r"layer 'small' \(Dense\): its 'dtype' must be one of",
    "two outputs": "several inputs or outputs",
    "a jump": r"layer 'jump' \(ReLU\): it jumps at its threshold of 0.5",
    "logarithms in the middle": r"layer 'after' \(Dense\): it takes logarithms of a softmax",
    "columns of pictures": r"layer 'each' \(Dense\): a dense network takes a matrix, .* shape \(3, 4\)",
    "a quotient": r"\(TrueDivide\): a constant divided by what comes from the network",
    "a model twice": "model 'again' is called several times",
    "in training": "model '.*' is called with training=True",
    "lambda": r"layer 'code' \(Lambda\) is not one that a dense network has",
    "convolution": r"\(Conv1D\) is not one that a dense network has",
    "group norm": r"layer 'gn' \(GroupNormalization\) is not one",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_dense_network(in_keras, tmp_path, name):
    path = tmp_path / "m.keras"
    in_keras.call("build", name, path)
    with pytest.raises(FormatError, match=REFUSED[name]):
        read_keras(path)


def test_nothing_of_keras_is_imported(path, tmp_path):
    import subprocess
    import sys

    write_keras(fd.Sequential([fd.Input((4,)), fd.Dense(3)], seed=0), path)
    code = f"""
import sys
from fastdense.formats.keras import read_keras
read_keras({str(path)!r})
print(*sorted(name for name in ("keras", "tensorflow", "h5py") if name in sys.modules))"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
