"""Models for the tests of our own format, their rows, and their trip through a file."""

import tempfile
from pathlib import Path

import numpy as np

import fastdense as fd
from fastdense.core import files
from tests.compare import assert_identical

__all__ = [
    "CLASSES",
    "GROUPS",
    "X",
    "adapted",
    "assert_same_model",
    "kept",
    "load_signed",
    "model_content",
    "trainable",
]

X = np.random.default_rng(6).normal(size=(40, 4)).astype(np.float32)
CLASSES = np.arange(40) % 3
GROUPS = fd.activations.ActivationFunction("softmax", groups=(3, 2))


def kept(model, path, **options):
    """Return the model after a trip through a file."""
    model.save(path, **options)
    return fd.load(path)


def assert_same_model(found, expected):
    assert repr(found) == repr(expected)
    assert (found.name, found.seed, found.dtype) == (expected.name, expected.seed, expected.dtype)
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        assert_identical(a, b)
    assert_identical(found.predict(X), expected.predict(X))


def adapted():
    layer = fd.Normalization()
    layer.adapt(X)
    return layer


def trainable(output, seed=5):
    layers = [fd.Input((4,)), adapted(), fd.Dense(6, "tanh"), fd.Dropout(0.2), fd.Dense(*output)]
    return fd.Sequential(layers, seed=seed)


def model_content(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "m.safetensors")
        return files.read(Path(folder) / "m.safetensors")


def load_signed(path, description, arrays):
    """Load a file with this content and a right checksum."""
    files.write(path, description, arrays)
    return fd.load(path)
