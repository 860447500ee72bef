"""Files as Keras 2 wrote them, made by hand: models inside models, and functions of TensorFlow's."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.keras import read_keras
from tests.compare import assert_within
from tests.formats.keras.test_refusals import old_file, refused

h5py = pytest.importorskip("h5py")
pytest.importorskip("pyfive")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(6, 4)).astype(np.float32)
W = RNG.normal(size=(4, 4)).astype(np.float32)
BOUND = 32 * np.finfo(np.float32).eps


def entry(kind, name, sources=(), **config):
    """Return a layer of a functional model, called with what the sources are."""
    nodes = [list(sources)] if sources else []
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}


def functional(*layers):
    """Return the layers of a chain, each a function of ``(name, source)``, and its ends."""
    made = [entry("InputLayer", "in", batch_input_shape=[None, 4], dtype="float32", sparse=False)]
    for i, make in enumerate(layers):
        made.append(make(f"l{i}", [made[-1]["name"], 0, 0]))
    return made, {"input_layers": [["in", 0, 0]], "output_layers": [[made[-1]["name"], 0, 0]]}


def function(name, **arguments):
    """Return a layer that is a function of TensorFlow, of what comes and of constants."""
    config = {"trainable": True, "dtype": "float32", "function": name}
    return lambda own, source: {
        **entry("TFOpLambda", own, **config), "inbound_nodes": [[*source, {**arguments, "name": None}]],
    }  # fmt: skip


def turned(name, constant):
    """Return the same with the constant first."""

    def make(own, source):
        node = ["_CONSTANT_VALUE", -1, constant, {"y": source, "name": None}]
        return {**entry("TFOpLambda", own, function=name), "inbound_nodes": [node]}

    return make


def node(op, constants, inputs=2):
    """Return a layer that is a node of TensorFlow's graph, as Keras 2.4 and before wrote it."""
    described = json.dumps({"name": "n", "op": op, "input": ["a", "b"][:inputs]})
    return lambda own, source: entry(
        "TensorFlowOpLayer", own, [source], node_def=described, constants=constants, dtype="float32"
    )


def dense(**config):
    return lambda own, source: entry("Dense", own, [[*source, {}]], units=4, use_bias=False, **config)


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return read_keras(path).predict(X)


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


ROW = [1.0, -2.0, 3.0, 0.5]
CHAINS = {
    "divided": ([function("math.truediv", y=255.0), dense()], lambda x: x / 255.0 @ W),
    "shifted": ([function("__operators__.add", y=ROW), dense()], lambda x: (x + ROW) @ W),
    "subtracted": ([function("math.subtract", y=1.5), dense()], lambda x: (x - 1.5) @ W),
    "the other way": ([turned("math.subtract", 1.0), dense()], lambda x: (1.0 - x) @ W),
    "a product": ([turned("math.multiply", 2.0), dense()], lambda x: 2.0 * x @ W),
    "leaky": ([dense(), function("nn.leaky_relu", alpha=0.3)], lambda x: leaky(x @ W, 0.3)),
    "leaky by default": ([dense(), function("nn.leaky_relu")], lambda x: leaky(x @ W, 0.2)),
    "clipped": (
        [dense(), function("clip_by_value", clip_value_min=-1, clip_value_max=0.5)],
        lambda x: np.clip(x @ W, -1, 0.5),
    ),
    "passed on": ([function("cast", dtype="float32"), function("tf.identity"), dense()], lambda x: x @ W),
    "reshaped": ([function("reshape", shape=[-1, 4]), dense()], lambda x: x @ W),
    "tanh": ([dense(), function("math.tanh")], lambda x: np.tanh(x @ W)),
    "a node": ([node("RealDiv", {"1": 255.0}), dense()], lambda x: x / 255.0 @ W),
    "a node with the constant first": ([node("Sub", {"0": 1.0}), dense()], lambda x: (1.0 - x) @ W),
    "a node of one": ([dense(), node("Relu", {}, inputs=1)], lambda x: np.maximum(x @ W, 0)),
    "an activation by TensorFlow's name": (
        [dense(activation="softmax_v2")],
        lambda x: np.exp(x @ W) / np.exp(x @ W).sum(axis=1, keepdims=True),
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_functions_of_tensorflow(tmp_path, name):
    steps, expected = CHAINS[name]
    layers, ends = functional(*steps)
    arrays = {layer["name"]: {"kernel": W} for layer in layers if layer["class_name"] == "Dense"}
    old_file(tmp_path / "m.h5", layers, arrays, ends, keras_version="2.11.0")
    outputs = expected(np.float64(X))
    assert_within(read(tmp_path / "m.h5"), outputs, BOUND * np.maximum(1, np.abs(outputs).max()))


REFUSED = {
    "a quotient": (turned("math.truediv", 1.0), "a constant divided by what comes from the network"),
    "an unknown function": (function("math.cumsum"), "the function 'math.cumsum' is not one"),
    "an unknown argument": (
        function("nn.relu", threshold=1.0),
        "called with 'threshold', which is not",
    ),
    "a cast to integers": (function("cast", dtype="int32"), "it turns the rows into 'int32'"),
    "a node of two inputs": (node("AddV2", {}), "another number of inputs than one"),
    "an unknown node": (node("Cumsum", {"1": 0}), "the function 'Cumsum' is not one"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_functions_that_are_refused(tmp_path, name):
    step, words = REFUSED[name]
    layers, ends = functional(step, dense())
    old_file(tmp_path / "m.h5", layers, {"l1": {"kernel": W}}, ends)
    refused(tmp_path / "m.h5", words)


def nested(**settings):
    """Return a model in a model, whose arrays are listed trained ones first, and what the whole computes."""
    inside = [
        entry("Dense", "one", units=4, use_bias=False, **settings),
        entry("BatchNormalization", "norm"),
        entry("Dense", "two", units=4, use_bias=False),
    ]
    layers = [
        {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [None, 4]}},
        {"class_name": "Sequential", "config": {"name": "inner", "layers": inside}},
    ]
    own = {
        name: RNG.uniform(0.5, 1.5, 4).astype(np.float32) for name in ("gamma", "beta", "mean", "variance")
    }
    one, two = W, 2 * W[::-1].copy()
    gamma, beta, mean, variance = own.values()
    expected = ((X @ one - mean) / np.sqrt(variance + 1e-3) * gamma + beta) @ two
    trained = {"one/kernel": one, "norm/gamma": gamma, "norm/beta": beta, "two/kernel": two}
    fixed = {"norm/moving_mean": mean, "norm/moving_variance": variance}
    return layers, trained, fixed, expected


def test_a_model_inside_a_model(tmp_path):
    layers, trained, fixed, expected = nested()
    old_file(tmp_path / "m.h5", layers, {"inner": trained | fixed})
    assert_within(read(tmp_path / "m.h5"), expected, 10 * BOUND)


def test_a_frozen_layer_inside_a_model_is_listed_last(tmp_path):
    layers, trained, fixed, expected = nested(trainable=False)
    kernel = trained.pop("one/kernel")
    old_file(tmp_path / "m.h5", layers, {"inner": trained | {"one/kernel": kernel} | fixed})
    assert_within(read(tmp_path / "m.h5"), expected, 10 * BOUND)


def test_arrays_in_another_order_are_refused(tmp_path):
    layers, trained, fixed, _ = nested()
    old_file(tmp_path / "m.h5", layers, {"inner": fixed | trained})
    refused(tmp_path / "m.h5", "'norm/moving_mean:0' stands where 'kernel' of layer 'one' belongs")
    old_file(tmp_path / "m.h5", layers, {"inner": trained})
    refused(tmp_path / "m.h5", "model 'inner' has 4 arrays of weights where 6 belong to it")


def test_files_of_keras_1(tmp_path):
    config = {"name": "a", "batch_input_shape": [None, 4], "output_dim": 4, "init": "uniform", "bias": True}
    layers = [{"class_name": "Dense", "config": config}]
    old_file(tmp_path / "m.h5", layers, {}, keras_version="1.2.2")
    refused(tmp_path / "m.h5", r"Keras 1.2.2 wrote it, whose files are not read: load the model with Keras 2")
    old_file(tmp_path / "m.h5", layers, {})
    refused(tmp_path / "m.h5", r"layer 'a' \(Dense\): '.*' is a setting of Keras 1, whose files are not read")


def test_an_architecture_beside_its_weights(tmp_path):
    """Keras 2 says its version in the text, which decides what a hard sigmoid is."""
    config = {"name": "a", "batch_input_shape": [None, 4], "units": 4, "activation": "hard_sigmoid"}
    layers = [{"class_name": "Dense", "config": {**config, "use_bias": False}}]
    architecture = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"a"]
        group = file.create_group("a")
        group.attrs["weight_names"] = [b"a/kernel:0"]
        group["a/kernel:0"] = W
    text = json.dumps(architecture | {"keras_version": "2.9.0", "backend": "tensorflow"})
    (tmp_path / "m.json").write_text(text)
    model = read_keras(tmp_path / "m.json", weights=tmp_path / "w.h5")
    assert_within(model.predict(X), np.clip(X @ W / 5 + 0.5, 0, 1), BOUND)
    with pytest.raises(FormatError, match=r"m\.json: it describes a model without its weights: give their"):
        read_keras(tmp_path / "m.json")
    (tmp_path / "w.h5").write_bytes(b"none")
    with pytest.raises(FormatError, match=r"w\.h5: it is neither a zip nor an HDF5 file"):
        read_keras(tmp_path / "m.json", weights=tmp_path / "w.h5")


def two_layers(*names):
    return [
        {"class_name": "Dense", "config": {"name": name, "units": 4, "use_bias": False}} for name in names
    ]


def test_weights_of_layers_in_another_order_are_refused(tmp_path):
    """Keras goes by the order, and not by the names."""
    arrays = {"a": {"kernel": W}, "b": {"kernel": 2 * W}}
    old_file(tmp_path / "m.h5", two_layers("b", "a"), arrays)
    refused(tmp_path / "m.h5", "it has weights of the layers 'a, b', in this order; .* 'b, a'")
    old_file(tmp_path / "m.h5", two_layers("a"), arrays)
    refused(tmp_path / "m.h5", "it has weights of the layers 'a, b', in this order; .* has 'a'")


def test_weights_of_another_file_go_by_order(tmp_path):
    description = {"class_name": "Sequential", "config": {"name": "m", "layers": two_layers("c", "d")}}
    (tmp_path / "m.json").write_text(json.dumps(description))
    old_file(tmp_path / "w.h5", two_layers("a", "b"), {"a": {"kernel": W}, "b": {"kernel": 2 * W}})
    model = read_keras(tmp_path / "m.json", weights=tmp_path / "w.h5")
    assert_within(model.predict(X), 2 * X @ W @ W, 100 * BOUND)


def test_integer_inputs_are_said(tmp_path):
    layers, ends = functional(dense())
    layers[0]["config"]["dtype"] = "uint8"
    old_file(tmp_path / "m.h5", layers, {"l0": {"kernel": W}}, ends)
    with pytest.warns(FormatWarning, match="left out: that Keras turns its inputs into uint8"):
        read_keras(tmp_path / "m.h5")
