"""Weights alone, in Keras' files of them: into a network that is there already, and out of it."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FormatError, NotBuiltError
from fastdense.formats.keras import read_keras, read_weights, write_keras, write_weights
from tests.compare import assert_identical
from tests.formats.keras.test_refusals import CONFIG, members

h5py = pytest.importorskip("h5py")
pytest.importorskip("pyfive")

FORMS = ("m.weights.h5", "m.h5", "m.keras", "whole.h5")


def network(seed=0, width=5, dtype="float32"):
    layers = [fd.Normalization(), fd.Dense(width, "relu", name="one"), fd.Dropout(0.5), fd.layers.ReLU()]
    layers += [fd.Dense(3, use_bias=False), fd.Dense(2, "softmax")]
    model = fd.Sequential([fd.Input((4,)), *layers], seed=seed, dtype=dtype)
    mean, variance, count = model.layers[0].get_weights()
    model.layers[0].set_weights([mean + seed, variance * 2, count])
    return model


@pytest.fixture(scope="module")
def model():
    return network(seed=1)


@pytest.fixture(scope="module")
def folder(in_keras, model, tmp_path_factory):
    """Return a folder with the weights of a model in every form that Keras has for them."""
    folder = tmp_path_factory.mktemp("weights")
    write_keras(model, folder / "m.keras")
    for name in FORMS[:2]:
        in_keras.call("save_weights", folder / "m.keras", folder / name)
    in_keras.call("save_again", folder / "m.keras", folder / "whole.h5")
    return folder


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_identical(np.asarray(a, b.dtype), np.float32(b).astype(b.dtype))


@pytest.mark.parametrize("name", FORMS)
def test_what_keras_wrote(folder, model, name):
    assert_same(read_weights(network(seed=2), folder / name), model.get_weights())


def test_what_keras_reads(in_keras, folder, model, tmp_path):
    """Another network's weights go into the file of a model, by Keras itself."""
    other = network(seed=3)
    write_weights(other, tmp_path / "w.weights.h5")
    write_keras(model, tmp_path / "m.keras")
    in_keras.call("load_weights", tmp_path / "m.keras", tmp_path / "w.weights.h5")
    assert_same(fd.load(tmp_path / "m.keras").get_weights(), other.get_weights())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_come_back_bit_for_bit(tmp_path, dtype):
    model = network(seed=4, dtype=dtype)
    write_weights(model, tmp_path / "w.weights.h5")
    for found, expected in zip(
        read_weights(model, tmp_path / "w.weights.h5"), model.get_weights(), strict=True
    ):
        assert_identical(found, expected)


def test_an_architecture_beside_its_weights(folder, model, tmp_path):
    """What ``to_json`` returns is what a .keras file has as its description."""
    (tmp_path / "m.json").write_bytes(members(folder / "m.keras")[CONFIG])
    for name in FORMS:
        found = read_keras(tmp_path / "m.json", weights=folder / name)
        assert_same(found.get_weights(), model.get_weights())


@pytest.fixture(scope="module")
def dense(in_keras, tmp_path_factory):
    """Return a model of dense layers alone, and a folder with its weights."""
    layers = [fd.Dense(5, "relu", name="a"), fd.Dense(4, use_bias=False, name="b"), fd.Dense(2, "softmax")]
    model, folder = fd.Sequential([fd.Input((4,)), *layers], seed=1), tmp_path_factory.mktemp("dense")
    write_keras(model, folder / "m.keras")
    for name in FORMS[:2]:
        in_keras.call("save_weights", folder / "m.keras", folder / name)
    return model, folder


@pytest.mark.parametrize("name", FORMS[:2])
def test_dense_layers_by_their_activations(dense, name):
    model, folder = dense
    X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    found = read_keras(folder / name, activations=["relu", "linear", "softmax"])
    assert_identical(found.predict(X), model.predict(X))
    with pytest.raises(FormatError, match=r"has weights of 3 layers .* but 2 activations are given"):
        read_keras(folder / name, activations=["relu", "softmax"])
    with pytest.raises(FormatError, match="the activation 'relo' is not one"):
        read_keras(folder / name, activations=["relo", "linear", "softmax"])
    with pytest.raises(FormatError, match=r"holds weights alone, .* name the activation of each"):
        read_keras(folder / name)


def test_other_layers_by_activations_are_refused(folder):
    with pytest.raises(FormatError, match="it has weights of 'normalization', whose place among the layers"):
        read_keras(folder / "m.weights.h5", activations=["relu", "linear", "softmax"])
    with pytest.raises(FormatError, match=r"'.*' is not a dense layer, as its weights of the shapes"):
        read_keras(folder / "m.h5", activations=["linear", "relu", "linear", "softmax"])
    with pytest.raises(FormatError, match="it describes its layers: activations are for files of weights"):
        read_keras(folder / "m.keras", activations=["relu"])


def test_other_weights_for_a_whole_model(in_keras, folder, tmp_path):
    other = network(seed=5)
    write_weights(other, tmp_path / "w.weights.h5")
    found = read_keras(folder / "m.keras", weights=tmp_path / "w.weights.h5")
    assert_same(found.get_weights(), other.get_weights())


OTHERS = {
    "another width": (
        network(width=6), "layer 'one' has kernel \\(4, 6\\), bias \\(6,\\); .*'.*' has arrays"
    ),
    "fewer layers": (
        fd.Sequential([fd.Input((4,)), fd.Normalization(), fd.Dense(5)]), "it has weights of (4 layers|'lay)"
    ),
    "more layers": (
        fd.Sequential([*network().layers, fd.Dense(2, name="last")]),
        "layer 'last' has .* arrays of the shapes \\[\\]|the model has 5 layers with weights .*, last\\)",
    ),
    "no layers with weights": (
        fd.Sequential([fd.Input((4,)), fd.layers.ReLU()]), "it has weights of (4 layers|'layers/)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("other", OTHERS)
def test_weights_of_other_layers(folder, name, other):
    model, words = OTHERS[other]
    with pytest.raises(FormatError, match=words) as caught:
        read_weights(model, folder / name)
    assert str(caught.value).startswith(str(folder / name))


def test_weights_of_nested_models(tmp_path):
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        file["layers/sequential/layers/dense/vars/0"] = np.ones((4, 3))
    with pytest.raises(FormatError, match="'layers/sequential' is a model inside the model: load the whole"):
        read_weights(fd.Sequential([fd.Input((4,)), fd.Dense(3)]), tmp_path / "w.weights.h5")


def test_files_that_hold_none(tmp_path):
    model, path = fd.Sequential([fd.Input((4,)), fd.Dense(3)]), tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["table"] = np.ones(3)
    with pytest.raises(FormatError, match="no groups of layers as Keras writes them"):
        read_weights(model, path)
    path.write_bytes(b"weights")
    with pytest.raises(FormatError, match=r"neither an HDF5 nor a \.keras file"):
        read_weights(model, path)


def test_what_cannot_be_read_or_written(tmp_path):
    with pytest.raises(NotBuiltError, match="shapes are not known yet"):
        read_weights(fd.Sequential([fd.Dense(3)]), tmp_path / "none.h5")
    with pytest.raises(NotBuiltError, match="shapes are not known yet"):
        write_weights(fd.Sequential([fd.Dense(3)]), tmp_path / "w.weights.h5")
    with pytest.raises(FormatError, match=r"ends in \.weights\.h5, got '.*w\.h5'"):
        write_weights(network(), tmp_path / "w.h5")
    assert not list(tmp_path.iterdir())
